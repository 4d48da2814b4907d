"""The values of one picture of the home page, and the format of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.core import journey
from playground.core.tokens import Tokenization
from playground.engine.contract.models import ModelInfo


@dataclass(frozen=True, slots=True)
class Scene:
    """The values of one picture.

    Attributes:
        journey: The values read off the trace.
        tokenization: The sentence as the model reads it.
        next_tokens: Readable form of `journey.next.token_ids`.
        model: The model it went through.
        selected: The reader's token, or None.
        max_attention_tokens: Longer texts come without attention.
        language: The reader's language, for the links.
    """

    journey: journey.Journey
    tokenization: Tokenization
    next_tokens: Sequence[str]
    model: ModelInfo
    selected: int | None
    max_attention_tokens: int
    language: str


def percent(p: float) -> str:
    """A probability or an attention weight with three significant digits.

    Example:
        >>> percent(0.58912), percent(0.0821), percent(0.00702), percent(1.0), percent(0.00001)
        ('58.9 %', '8.21 %', '0.702 %', '100 %', '< 0.01 %')
    """
    if p < 1e-4:
        return "< 0.01 %"
    if p >= 0.9995:
        return "100 %"
    value = 100 * p
    digits = next(d for d, least in ((1, 9.995), (2, 0.9995), (3, 0.09995), (4, 0)) if value >= least)
    return f"{value:.{digits}f} %"

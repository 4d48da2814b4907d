"""Models trained from zero: the door to them, and to the bits and vectors of texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from playground.engine.contract.pretraining import BitsRequest, BodyRequest, Pretraining
from playground.ui.compute import engine
from playground.ui.state import PageContext
from playground.ui.waiting import WaitingLine


def models() -> Pretraining:
    """The part of the engine that knows models trained from random weights."""
    return engine().pretraining


def bits(context: PageContext, model: str, texts: Sequence[str]) -> list[NDArray[np.float32]]:
    """Surprisal of every byte of each text, bits; waits with a progress line.

    Raises:
        PlaygroundError: As the engine raises it.
    """
    request = BitsRequest(model, tuple(texts), owner=context.owner)
    with WaitingLine(engine(), request, ends_run=False) as line:
        return models().bits(request, line)


def body(
    context: PageContext, model: str, texts: Sequence[str], *, is_random: bool = False
) -> NDArray[np.float32]:
    """Mean last hidden states of texts, of a trained model or of its first, random weights.

    Returns:
        Shape [text, d_model].

    Raises:
        PlaygroundError: As the engine raises it.
    """
    topic = "body_random" if is_random else "body"
    request = BodyRequest(model, tuple(texts), is_random, owner=context.owner, topic=topic)
    with WaitingLine(engine(), request, ends_run=False) as line:
        return models().body(request, line)

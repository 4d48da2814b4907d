"""The part of the engine contract that fills masks: what an encoder with a masked-LM head says of them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.contract.asked import Asked


@dataclass(frozen=True, slots=True)
class FillRequest(Asked):
    """A request for the tokens that a masked language model expects in places it cannot see.

    Attributes:
        model: Catalogue id of an encoder with a masked-LM head (capability "fill").
        text: The text to read, with masks as the model's tokenizer writes them (`[MASK]`, `<mask>`; see
            `TokenizerInfo.mask_id`); other special tokens in it are letters. Ignored when `input_ids` is
            given.
        input_ids: Token ids to use as they are, or None.
        n_top: Number of the most probable tokens of each place, 1 to 1,000.
        token_ids: Tokens whose log-probability and rank are wanted at each place, whatever they are.
        positions: Positions whose distributions `fill` gives, whatever tokens the model reads there, in
            order; () for those of the masks.
    """

    text: str = ""
    input_ids: tuple[int, ...] | None = None
    n_top: int = 10
    token_ids: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    topic: str = field(default="fill", kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """A model's distributions over its vocabulary at some places of a text; nats.

    Several masks of one text are filled each by itself: none knows what the others are filled with.

    Attributes:
        input_ids: Token ids of the text, its frame ([CLS] ... [SEP]) included. Shape [position].
        positions: Position of each place in the text. Shape [place].
        top_ids: The most probable tokens, best first. Shape [place, n_top].
        top_logprobs: Their log-probabilities. Shape [place, n_top].
        entropy_bits: Entropy of the distribution over the whole vocabulary. Shape [place].
        token_ids: Tokens that were asked about. Shape [place, token].
        token_logprobs: Their log-probabilities. Shape [place, token].
        token_ranks: Number of tokens with a larger logit than each, 0 for the most probable.
            Shape [place, token].
        n_places: Number of places that the request will give in all.
    """

    input_ids: NDArray[np.int64]
    positions: NDArray[np.int64]
    top_ids: NDArray[np.int64]
    top_logprobs: NDArray[np.float32]
    entropy_bits: NDArray[np.float32]
    token_ids: NDArray[np.int64]
    token_logprobs: NDArray[np.float32]
    token_ranks: NDArray[np.int64]
    n_places: int

    def __post_init__(self) -> None:
        for array in self._arrays():
            array.flags.writeable = False

    @property
    def size_bytes(self) -> int:
        """Size of the arrays in bytes."""
        return 200 + sum(array.nbytes for array in self._arrays())

    def _arrays(self) -> list[NDArray[Any]]:
        return [value for spec in fields(self) if isinstance(value := getattr(self, spec.name), np.ndarray)]

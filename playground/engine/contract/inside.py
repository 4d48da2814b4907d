"""The part of the engine contract that looks inside: states read early, heads switched off, weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from playground.core.interventions import Ablation
from playground.core.positions import PositionScheme
from playground.core.residual import Lens, Unembedding
from playground.engine.contract.asked import Asked
from playground.engine.contract.waiting import OnWait


@dataclass(frozen=True, slots=True)
class LensRequest(Asked):
    """Read the residual stream after every layer with the final norm and the vocabulary head.

    Attributes:
        model: Catalogue id of a decoder.
        text: The text to read; ignored when `input_ids` is given.
        input_ids: Token ids to use as they are, or None.
        position: One position with all its logits; None for several without.
        positions: Those wanted, in the order in which they are wanted; None for all of the text. At most
            `max_tokens_all_heads`.
        n_top: Number of tokens of each state.
        known_only: Compute nothing; give those positions that have been computed before.
        later: True for the rest of a picture that is seen already: what others wait to see goes first, but
            after `later_tokens` of it one part of such a rest has its turn.
    """

    text: str = ""
    input_ids: tuple[int, ...] | None = None
    position: int | None = None
    positions: tuple[int, ...] | None = None
    n_top: int = 5
    known_only: bool = False
    later: bool = False
    topic: str = field(default="lens", kw_only=True)


@dataclass(frozen=True, slots=True)
class AblationsRequest(Asked):
    """Switch every head off, one at a time.

    Attributes:
        model: Catalogue id of a decoder.
        text, input_ids: As in `TraceRequest`.
        ablation: Replacement of a head's output.
    """

    text: str = ""
    input_ids: tuple[int, ...] | None = None
    ablation: Ablation = "zero"
    topic: str = field(default="ablations", kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class Ablated:
    """Some heads, each switched off alone, in the order they are computed.

    Attributes:
        heads: (layer, head) of each.
        logits: Logits of the next token without each, float32, nats. Shape [head, d_vocab].
        n_heads: Number of heads that the request will give in all.
    """

    heads: tuple[tuple[int, int], ...]
    logits: NDArray[np.float32]
    n_heads: int


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a model and its parameters.

    Attributes:
        kind: Station of the way through the network; "other" is not on it: T5's decoder, BERT's pooler.
        layer: Layer of the block, None outside.
        tensors: Name and shape of each parameter, in the model's own words.
        n_parameters: Numbers in them; 0 for a head that shares the embedding's.
    """

    kind: Literal["embedding", "positions", "attention", "mlp", "norm", "final norm", "head", "other"]
    layer: int | None
    tensors: tuple[tuple[str, tuple[int, ...]], ...]
    n_parameters: int


class Inside(Protocol):
    """The part of an engine that looks inside its models."""

    def lens(self, request: LensRequest, on_wait: OnWait | None = None) -> Lens:
        """The logit lens, one column per position.

        A column is computed once, whoever asks for it, from the trace with all states and, where the model
        tells them, all writes.
        """
        ...

    def ablations(self, request: AblationsRequest, on_wait: OnWait | None = None) -> Iterator[Ablated]:
        """Every head switched off alone, chunk by chunk; closing the iterator stops after a chunk."""
        ...

    def unembedding(self, model: str, token_ids: tuple[int, ...]) -> Unembedding:
        """The final norm, and the head's rows of these tokens, of a decoder in memory."""
        ...

    def head_output(self, model: str, layer: int, head: int) -> NDArray[np.float32]:
        """The head's part of W_O, from its mixed values to the residual stream. Shape [d_head, d_model]."""
        ...

    def parts(self, model: str) -> tuple[Part, ...]:
        """The parts of a model in memory, in the order a token meets them."""
        ...

    def positions(self, model: str) -> PositionScheme:
        """The position encoding of a model; `Unsupported` for a scheme we cannot show."""
        ...

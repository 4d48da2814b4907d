"""The part of the engine contract that quantizes: a copy of a model on a grid, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from playground.core.quantization import Scheme
from playground.engine.contract.asked import Asked
from playground.engine.contract.waiting import OnWait

Doing = Literal["weights", "sentence", "passage"]


@dataclass(frozen=True, slots=True)
class QuantizeRequest(Asked):
    """Quantize a copy of a model, and let both answer.

    Attributes:
        model: Catalogue id, or that of an adapter on it, whose own numbers stay in float.
        text: Sentence that both read; ignored when `input_ids` is given.
        input_ids: Its token ids to use as they are, or None.
        passage: Text whose perplexity is measured, of decoders; "" for none. Read up to the model's window.
        scheme: Rules of the quantization.
        whole: True: also the table of embeddings and the vocabulary head. False: the linear layers of the
            blocks alone.
    """

    text: str = ""
    input_ids: tuple[int, ...] | None = None
    passage: str = ""
    scheme: Scheme = field(default_factory=Scheme)
    whole: bool = False
    topic: str = field(default="quantize", kw_only=True)


@dataclass(frozen=True, slots=True)
class Quantizing:
    """Progress of a quantization.

    Attributes:
        doing: Activity that goes on now.
        share: Share of all the work that is done, 0-1.
    """

    doing: Doing
    share: float


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix of weights that can be quantized.

    Attributes:
        name: Path of its layer, in the model's own words.
        layer: Block it lies in, from 0; None outside.
        is_target: True in the decoder of an encoder-decoder.
        shape: (d_out, d_in).
    """

    name: str
    layer: int | None
    is_target: bool
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class MatrixWeights:
    """Weights of a matrix.

    Attributes:
        matrix: The matrix.
        weights: Its first rows, as many as are given at once, read-only float32. Shape [row, d_in].
        revision: Hash or tag of the model's weights.
    """

    matrix: Matrix
    weights: NDArray[np.float32]
    revision: str


@dataclass(frozen=True, slots=True)
class MatrixError:
    """A matrix that was quantized.

    Attributes:
        matrix: The matrix.
        error: Length of the difference over the length of the weights.
        n_bits: Bits it takes now, with scales, zero points and outliers.
    """

    matrix: Matrix
    error: float
    n_bits: int


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedModel:
    """A quantized copy beside the model it was made of; the copy is gone.

    Attributes:
        scheme, whole: As asked, the scheme in its one spelling.
        matrices: Those that were quantized, in the model's order.
        n_weights: Numbers in them.
        bytes_before, bytes_after: Of all parameters: as they lie in memory, and with what was quantized as
            it would be stored.
        input_ids: The sentence.
        logits: Of the token after the sentence, before and after, float32 nats; of an encoder-decoder of
            the first token of its target; None of an encoder. Shape [2, d_vocab].
        moved: Length of the difference of the residual stream over its length, mean over the sentence, after
            each layer; 0 is the embedding. Of an encoder-decoder its encoder. Shape [layer + 1].
        moved_target: The same of the decoder of an encoder-decoder, else None.
        passage_ids: The passage as far as it was read; () without one, and of models that are no decoders.
        logprobs: Of each token of the passage after the first, before and after, nats. Shape [2, token - 1].
        elapsed_s: Seconds of computation, without those in which others had their turns.
        revision, dtype, device: Of the model.
        cached: True if an earlier request had already computed it.
    """

    scheme: Scheme
    whole: bool
    matrices: tuple[MatrixError, ...]
    n_weights: int
    bytes_before: int
    bytes_after: int
    input_ids: tuple[int, ...]
    logits: NDArray[np.float32] | None
    moved: NDArray[np.float64]
    moved_target: NDArray[np.float64] | None
    passage_ids: tuple[int, ...]
    logprobs: NDArray[np.float64]
    elapsed_s: float
    revision: str
    dtype: str
    device: str
    cached: bool = False

    @property
    def size_bytes(self) -> int:
        """Bytes it keeps alive, roughly."""
        arrays = (self.logits, self.moved, self.moved_target, self.logprobs)
        held = sum(one.nbytes for one in arrays if one is not None)
        return held + 600 * len(self.matrices) + 32 * (len(self.input_ids) + len(self.passage_ids)) + 2_000

    @property
    def bits_a_weight(self) -> float:
        """Bits of each quantized weight, with scales, zero points and outliers."""
        return sum(one.n_bits for one in self.matrices) / max(1, self.n_weights)


class Quantization(Protocol):
    """The part of an engine that quantizes copies of its models."""

    def matrices(self, model: str, whole: bool = False) -> tuple[Matrix, ...]:
        """The matrices of a model that a request would quantize, in the model's order."""
        ...

    def weights(self, model: str, name: str) -> MatrixWeights:
        """Weights of a matrix, at most `max_shown_weights` of them.

        Raises:
            BadValue: The model has no such matrix.
        """
        ...

    def quantize(
        self, request: QuantizeRequest, on_wait: OnWait | None = None
    ) -> Iterator[Quantizing | QuantizedModel]:
        """Progress, and at last the result; closing the iterator stops it within a turn.

        The model itself never changes. At most one copy is in memory; who asks for the same shares it.

        Raises:
            BadValue: A scheme that cannot be.
            EmptyText, TextTooLong, TooManyTokens: Of the sentence, or of the passage.
            PassageTooShort: The passage has no token after its first.
            TooLargeToCopy: The copy would take more than `max_quantized_bytes`.
        """
        ...

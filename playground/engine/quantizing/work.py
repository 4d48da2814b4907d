"""The job that quantizes: a copy is made matrix by matrix, both models read the same, the copy is dropped.

Each turn is a few matrices, one reading of the sentence, or one piece of the passage, so that others get
theirs in between. The copy is a tree of modules of its own over the model's tensors, in which one matrix
after another is replaced: what is not quantized is shared, and the model never changes.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.core.byte_cache import ByteCache
from playground.core.prefix_tree import PrefixTree
from playground.core.quantization import Scheme, quantize, relative_error
from playground.core.trace import Trace
from playground.engine.contract.quantization import (
    Doing,
    MatrixError,
    QuantizedModel,
    Quantizing,
)
from playground.engine.contract.traces import Capture
from playground.engine.forward.scoring import TreeReading
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.models.loaded import LoadedModel, template_over
from playground.engine.quantizing.matrices import Place, bytes_of, places, put
from playground.engine.scheduling.jobs import More

TURN_WEIGHTS = 2 * 2**20  # that are quantized in one turn: some 20 ms
TURN_COST = 4  # tokens that such a turn counts as
Ids = tuple[int, ...]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """A quantization that has been checked.

    Attributes:
        loaded: The model.
        row: The sentence.
        passage_ids: The passage, () for none.
        scheme: Rules, in their one spelling.
        whole: As in the request.
        piece: Tokens of the passage that are read in one turn.
    """

    loaded: LoadedModel
    row: InputRow
    passage_ids: Ids
    scheme: Scheme
    whole: bool
    piece: int

    @property
    def key(self) -> Hashable:
        """Everything that determines the result."""
        info = self.loaded.info
        model = (info.model_id, info.revision, info.dtype)
        return ("quantize", *model, self.row, self.passage_ids, self.scheme, self.whole)

    @property
    def passage_key(self) -> Hashable:
        """Everything that determines how the model as it is reads the passage."""
        info = self.loaded.info
        return ("passage", info.model_id, info.revision, info.dtype, self.passage_ids)


@dataclass(frozen=True, slots=True, eq=False)
class KnownPassage:
    """A passage that the model as it is has read: the same for every scheme.

    Attributes:
        logprobs: Of each token after the first, nats. Shape [token - 1].
    """

    logprobs: Floats

    @property
    def size_bytes(self) -> int:
        """Bytes it keeps alive, roughly."""
        return self.logprobs.nbytes + 32 * len(self.logprobs) + 1_000


Known = ByteCache[QuantizedModel | KnownPassage]


class QuantizingWork:
    """Payload of the job; what it gives is progress, and at last the result, which is known from then on.

    Args:
        asked: The quantization.
        known: Cache of results, and of passages that models as they are have read.
    """

    def __init__(self, asked: Asked, known: Known) -> None:
        self._key, self._known = asked.key, known
        self._turns = _turns(asked, known)  # knows nothing of this object: a circle would keep the copy alive
        self._spent_s = 0.0
        self.n_forwards = 1

    def run(self) -> More | QuantizedModel:
        """One turn."""
        begun = time.monotonic()
        try:
            told, n_tokens = next(self._turns)
        except StopIteration as end:
            result: QuantizedModel = replace(end.value, elapsed_s=self._spent_s + time.monotonic() - begun)
            self._known.put(self._key, result)
            return result
        self._spent_s += time.monotonic() - begun
        self.n_forwards = int(told.doing != "weights")
        return More(told, n_tokens)


Turns = Generator[tuple[Quantizing, int], None, QuantizedModel]


def _turns(asked: Asked, known: Known) -> Turns:
    """(progress, cost of the next turn) after each turn, at last the result."""
    loaded, found = asked.loaded, list[MatrixError]()
    passage = known.get(asked.passage_key)
    shares = _Shares(asked, n_readers=1 if passage else 2)
    bytes_before = bytes_of(loaded)
    copied = replace(loaded, model=template_over(loaded.model))
    told = places(loaded, whole=asked.whole)
    n_turn = 0
    for place in told:
        found.append(_quantized(place, copied.model, asked.scheme))
        n_turn += place.parameter.numel()
        if n_turn >= TURN_WEIGHTS:
            yield shares.told("weights", n_turn / TURN_WEIGHTS), TURN_COST
            n_turn = 0
    before, after = (_read(one, asked) for one in (loaded, copied))
    yield shares.told("sentence", 1), asked.piece
    logprobs = np.zeros((2, max(0, len(asked.passage_ids) - 1)))
    if isinstance(passage, KnownPassage):
        logprobs[0] = passage.logprobs
    for which, model in list(enumerate((loaded, copied)))[1 if passage else 0 :]:
        for first, values in _passage(model, asked):
            logprobs[which, first : first + len(values)] = values
            yield shares.told("passage", 1), asked.piece
    known.put(asked.passage_key, KnownPassage(logprobs[0].copy()))
    if asked.loaded.info.kind == "encoder-decoder":
        moved_target = _moved(before.decoder_hidden_states, after.decoder_hidden_states)
    else:
        moved_target = None
    n_quantized = sum(place.parameter.numel() * place.parameter.element_size() for place in told)
    return QuantizedModel(
        scheme=asked.scheme,
        whole=asked.whole,
        matrices=tuple(found),
        n_weights=sum(place.parameter.numel() for place in told),
        bytes_before=bytes_before,
        bytes_after=bytes_before - n_quantized + sum(-(-one.n_bits // 8) for one in found),
        input_ids=asked.row.input_ids,
        logits=_logits(before, after),
        moved=_moved(before.hidden_states, after.hidden_states),
        moved_target=moved_target,
        passage_ids=asked.passage_ids,
        logprobs=logprobs,
        elapsed_s=0.0,
        revision=loaded.info.revision,
        dtype=loaded.info.dtype,
        device=loaded.info.device,
    )


class _Shares:
    """Progress of the work, counted in turns."""

    def __init__(self, asked: Asked, n_readers: int) -> None:
        n_weights = sum(one.parameter.numel() for one in places(asked.loaded, whole=asked.whole))
        n_pieces = n_readers * -(-max(0, len(asked.passage_ids) - 1) // asked.piece)
        self._n, self._done = n_weights / TURN_WEIGHTS + 1 + n_pieces, 0.0

    def told(self, doing: Doing, n_turns: float) -> Quantizing:
        """Progress after so many turns more."""
        self._done += n_turns
        return Quantizing(doing, min(1.0, self._done / self._n))


def _quantized(place: Place, tree: Any, scheme: Scheme) -> MatrixError:  # noqa: ANN401  (transformers)
    """Quantize one matrix of the copy."""
    weights = place.read()
    made = quantize(weights, scheme)
    read = made.weights()
    put(tree, place.parameter, place.written(read))
    return MatrixError(place.matrix, relative_error(weights, read), made.n_bits)


def _read(loaded: LoadedModel, asked: Asked) -> Trace:
    """The sentence, read by one of the two."""
    gives_logits = "logits" in loaded.info.capabilities
    capture = Capture(hidden_states="all", logits="last" if gives_logits else None)
    (trace,) = run_traces(loaded, [asked.row], capture)
    return trace


def _logits(before: Trace, after: Trace) -> NDArray[np.float32] | None:
    if before.logits is None or after.logits is None:
        return None
    return np.stack([before.logits[-1], after.logits[-1]])


def _moved(before: NDArray[np.float32] | None, after: NDArray[np.float32] | None) -> Floats:
    """Way of states [layer, position, d_model] over their own length, mean over positions. Shape [layer]."""
    assert before is not None
    assert after is not None
    lengths = np.linalg.norm(before.astype(np.float64), axis=-1)
    way = np.linalg.norm(after.astype(np.float64) - before, axis=-1)
    found: Floats = (way / np.maximum(lengths, np.finfo(np.float32).tiny)).mean(-1)
    return found


def _passage(loaded: LoadedModel, asked: Asked) -> Iterator[tuple[int, list[float]]]:
    """(place, log-probabilities) of the passage's tokens after the first, piece by piece."""
    ids = asked.passage_ids
    if len(ids) < 2:
        return
    tree = PrefixTree()
    nodes = tree.add(ids[:-1])
    reading = TreeReading(loaded, tree, {node: [ids[node + 1]] for node in nodes})
    for start in range(0, len(tree), asked.piece):
        stop = min(start + asked.piece, len(tree))
        known = reading.read(start, stop)
        yield start, [known[node, ids[node + 1]] for node in range(start, stop)]

"""Inside the models of this process: the lens, ablated heads, weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from playground.core.positions import PositionScheme
from playground.core.residual import Lens, Unembedding, joined
from playground.engine.contract.inside import Ablated, AblationsRequest, LensRequest, Part
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.waiting import OnWait
from playground.engine.forward import lens
from playground.engine.forward.ablations import ablations
from playground.engine.forward.positions import position_scheme
from playground.engine.forward.weights import final_norm, head_output, parts, unembedding
from playground.engine.local.ask import Ask, Backend
from playground.engine.models.continuations import Ids
from playground.engine.models.loaded import LoadedModel


class LocalInside:
    """The part of `LocalEngine` that looks inside. See `contract.inside.Inside` for the contract."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def lens(self, request: LensRequest, on_wait: OnWait | None = None) -> Lens:
        """The logit lens: the model's answer if it stopped after each layer."""
        with self._backend.ask(request, "trace", on_wait, supersedes=True) as ask:
            final_norm(ask.loaded)  # refuses a model without one before anything is computed
            return self._read_lens(ask, request, self._backend.checks.lens(request, ask.loaded))

    def _read_lens(self, ask: Ask, request: LensRequest, ids: Ids) -> Lens:
        """The columns that are asked for, in that order."""
        wanted = _wanted_positions(request, len(ids))
        keep_logits = request.position is not None
        columns = lens.Columns(
            ask.loaded, ids, request.n_top, keep_logits=keep_logits, cache=self._backend.cache
        )
        found = {position: column for position in wanted if (column := columns.get(position)) is not None}
        missing = [position for position in wanted if position not in found]
        if missing and not request.known_only:
            states = self._states(ask, ids)
            later = self._backend.settings.later_tokens if request.later else 0
            for chunk in lens.chunks(missing, len(states)):
                key = (columns.key, chunk, request.n_top, keep_logits)
                work = lens.LensWork(ask.loaded, states, chunk, columns)
                read = ask.compute(work, len(states) * len(chunk), key=key, later=later)
                found |= {column.positions[0]: column for column in read}
        made = [found[position] for position in wanted if position in found]
        return joined(made, request.n_top) if made else _nothing(request.n_top)

    def _states(self, ask: Ask, ids: Ids) -> NDArray[np.float32]:
        """All hidden states of a text. Shape [layer + 1, position, d_model]."""
        tells_outputs = "query_key" in ask.loaded.info.capabilities
        capture = Capture(hidden_states="all", block_outputs=tells_outputs)
        trace = ask.trace(TraceRequest(ask.loaded.info.model_id, input_ids=ids, capture=capture))
        assert trace.hidden_states is not None
        return trace.hidden_states

    def ablations(self, request: AblationsRequest, on_wait: OnWait | None = None) -> Iterator[Ablated]:
        """Every head switched off alone, chunk by chunk."""
        with self._backend.ask(request, "trace", on_wait) as ask:
            loaded, settings = ask.loaded, self._backend.settings
            final_norm(loaded)
            ids = ask.ids(request)
            self._backend.checks.check_all_heads(len(ids))
            trace = ask.trace(
                TraceRequest(request.model, input_ids=ids, capture=Capture(hidden_states="all"))
            )
            n_heads = loaded.info.n_layer * loaded.info.n_head
            for work in ablations(loaded, trace, request.ablation, settings.prefill_chunk_tokens):
                yield Ablated(work.heads, ask.compute(work, len(ids) * len(work.heads)), n_heads)

    def unembedding(self, model: str, token_ids: tuple[int, ...]) -> Unembedding:
        """The final norm, and the head's rows of these tokens."""
        return unembedding(self._loaded(model), token_ids)

    def head_output(self, model: str, layer: int, head: int) -> NDArray[np.float32]:
        """The head's part of W_O, from its mixed values to the residual stream. Shape [d_head, d_model]."""
        return head_output(self._loaded(model), layer, head)

    def parts(self, model: str) -> tuple[Part, ...]:
        """The parts of a model, in the order a token meets them."""
        return parts(self._loaded(model))

    def positions(self, model: str) -> PositionScheme:
        """The position encoding of a model."""
        return position_scheme(self._loaded(model))

    def _loaded(self, model: str) -> LoadedModel:
        return self._backend.models.load(model).result()


def _wanted_positions(request: LensRequest, n: int) -> tuple[int, ...]:
    """The positions that a request names, all of the text if it names none."""
    if request.position is not None:
        return (request.position,)
    return tuple(range(n)) if request.positions is None else request.positions


def _nothing(n_top: int) -> Lens:
    """A lens of no position."""
    ids = np.zeros((0, 0, n_top), dtype=np.int64)
    probs = ids.astype(np.float32)
    return Lens((), ids, probs, probs[..., 0], ids[..., 0])

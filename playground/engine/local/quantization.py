"""Quantized copies of the models of this process: one at a time, results kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from playground.core.byte_cache import ByteCache
from playground.core.quantization import GRANULARITIES
from playground.engine.contract.limits import check_limits
from playground.engine.contract.quantization import (
    Matrix,
    MatrixWeights,
    QuantizedModel,
    QuantizeRequest,
    Quantizing,
)
from playground.engine.contract.traces import TraceRequest
from playground.engine.contract.waiting import OnWait, Waiting
from playground.engine.forward.traces import InputRow
from playground.engine.local.ask import Ask, Backend
from playground.engine.models.continuations import Ids
from playground.engine.models.loaded import LoadedModel
from playground.engine.quantizing.line import Line
from playground.engine.quantizing.matrices import Place, places
from playground.engine.quantizing.work import TURN_COST, Asked, Known, QuantizingWork
from playground.engine.scheduling.waiting import POLL_S
from playground.errors import BadValue, PassageTooShort, TextTooLong, TimedOut, TooLargeToCopy

MOST_OUTLIERS = 0.05
MOST_GROUP = 4_096


class LocalQuantization:
    """The `Quantization` of this process. See `contract.quantization.Quantization` for the contract."""

    def __init__(self, backend: Backend) -> None:
        self._backend, self._settings = backend, backend.settings
        self._known: Known = ByteCache(backend.settings.quantized_cache_bytes)
        self._line = Line()

    def matrices(self, model: str, whole: bool = False) -> tuple[Matrix, ...]:
        """The matrices of a model that a request would quantize, in the model's order."""
        loaded = self._backend.models.load(model).result()
        return tuple(one.matrix for one in places(loaded, whole=whole))

    def weights(self, model: str, name: str) -> MatrixWeights:
        """Weights of a matrix, its first rows."""
        loaded = self._backend.models.load(model).result()
        place = _named(loaded, name)
        n_rows = max(1, self._settings.max_shown_weights // place.matrix.shape[1])
        values = place.read(0, n_rows)
        values.flags.writeable = False
        return MatrixWeights(place.matrix, values, loaded.info.revision)

    def quantize(
        self, request: QuantizeRequest, on_wait: OnWait | None = None
    ) -> Iterator[Quantizing | QuantizedModel]:
        """Progress, and at last the result."""
        with self._backend.ask(request, "trace", on_wait, supersedes=True) as ask:
            asked = self._checked(request, ask)
            key = asked.key
            with self._line.standing(key) as n_before:
                begun = time.monotonic()
                while (known := self._known.get(key)) is None and (position := n_before()):
                    self._wait(ask, position, time.monotonic() - begun)
                if isinstance(known, QuantizedModel):
                    yield replace(known, cached=True)
                    return
                work = QuantizingWork(asked, self._known)
                steps = ask.steps(work, TURN_COST, key=key)
                del work, asked  # the job's, which drops it at its end
                yield from cast("Iterator[Quantizing | QuantizedModel]", steps)

    def _wait(self, ask: Ask, position: int, waited_s: float) -> None:
        """Others have their copies first."""
        ask.waits(Waiting(position, waited_s, "ready"))
        if waited_s > self._settings.queue_timeout_s:
            raise TimedOut(seconds=self._settings.queue_timeout_s)
        time.sleep(POLL_S)

    def _checked(self, request: QuantizeRequest, ask: Ask) -> Asked:
        """The request for the loaded model; refuses what cannot be, and a copy that has no room."""
        scheme, loaded = request.scheme, ask.loaded
        if scheme.granularity not in GRANULARITIES:
            raise BadValue(
                name="granularity", value=repr(scheme.granularity), allowed=", ".join(GRANULARITIES)
            )
        check_limits(
            {
                "bits": (scheme.bits, 2, 8),
                "group": (scheme.group if scheme.granularity == "group" else 1, 1, MOST_GROUP),
                "outliers": (scheme.outliers, 0.0, MOST_OUTLIERS),
            }
        )
        n_bytes = sum(
            one.parameter.numel() * loaded.dtype.itemsize for one in places(loaded, whole=request.whole)
        )
        limit = self._settings.max_quantized_bytes
        if n_bytes > limit:
            raise TooLargeToCopy(model_id=loaded.info.name, got_gb=n_bytes / 1e9, limit_gb=limit / 1e9)
        target = self._backend.checks.decoder_ids(TraceRequest(request.model), loaded)
        row = InputRow(ask.ids(request), target)
        piece, whole = self._settings.prefill_chunk_tokens, bool(request.whole)
        return Asked(loaded, row, self._passage(request, loaded), scheme.spelled(), whole, piece)

    def _passage(self, request: QuantizeRequest, loaded: LoadedModel) -> Ids:
        """Token ids of the passage, as many as fit; none of a model that is no decoder."""
        if loaded.info.kind != "decoder" or not request.passage:
            return ()
        if len(request.passage) > self._settings.max_prompt_chars:
            raise TextTooLong(limit=self._settings.max_prompt_chars, got=len(request.passage))
        limit = min(self._settings.max_tokens, loaded.info.n_ctx or self._settings.max_tokens)
        ids = loaded.tokenizer.encode(request.passage)[:limit]
        if len(ids) < 2:
            raise PassageTooShort(got=len(ids))
        return tuple(ids)


def _named(loaded: LoadedModel, name: str) -> Place:
    """The matrix of this path.

    Raises:
        BadValue: There is none.
    """
    for place in places(loaded, whole=True):
        if place.matrix.name == name:
            return place
    allowed = places(loaded, whole=False)[0].matrix.name
    raise BadValue(name="matrix", value=name, allowed=f"{allowed}, ...")

"""Many texts, one forward pass for each: in chunks, so that a file of 500 sentences holds nobody up.

Every chunk is a job of its own: between two chunks whoever paid least is next, and whoever leaves, leaves
within one chunk. Texts that are equal are read once; a text read before comes from the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from playground.core.residual import Lens
from playground.core.trace import Trace
from playground.engine.contract.scores import Scores
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.vectors import TextRead, TracesRequest
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.scheduling.jobs import Job
from playground.errors import BadValue, InputError, Message, Unsupported

if TYPE_CHECKING:
    from playground.engine.models.loaded import LoadedModel
    from playground.engine.scheduling.cache import ByteCache
    from playground.settings import Settings


@dataclass(frozen=True)
class TextsWork:
    """Payload of the job of one chunk; its result is a list of traces."""

    loaded: LoadedModel
    rows: tuple[InputRow, ...]
    capture: Capture
    n_forwards: int = 1

    def run(self) -> list[Trace]:
        """One forward of all rows."""
        return run_traces(self.loaded, self.rows, self.capture)


def trace_key(loaded: LoadedModel, row: InputRow, capture: Capture) -> tuple[object, ...]:
    """What a trace is determined by: the key under which it is cached."""
    return (loaded.info.model_id, loaded.info.revision, loaded.info.dtype, row, capture)


def read_texts(
    request: TracesRequest,
    loaded: LoadedModel,
    capture: Capture,
    settings: Settings,
    cache: ByteCache[Trace | Lens | Scores],
    input_ids: Callable[[TraceRequest], tuple[int, ...]],
    result: Callable[[Job], object],
) -> Iterator[TextRead]:
    """Give every text its trace, or the error that refuses it; see `VectorEngine.traces`.

    Args:
        request: The texts.
        loaded: A decoder or an encoder.
        capture: What to keep.
        settings: How many texts, how long a chunk.
        cache: Where traces are found and left.
        input_ids: Token ids of one text, or an `InputError`.
        result: Queues a job and waits for what it gives.
    """
    if len(request.texts) > settings.max_upload_rows:
        raise BadValue(name="texts", value=len(request.texts), allowed=f"0-{settings.max_upload_rows}")
    if loaded.info.kind == "encoder-decoder":
        raise Unsupported(model_id=loaded.info.model_id, capability=Message("sentence vectors"))
    places: dict[InputRow, list[int]] = {}
    for place, text in enumerate(request.texts):
        try:
            asked = _beginning(TraceRequest(request.model, text), loaded, request.max_tokens, settings)
            places.setdefault(InputRow(input_ids(asked)), []).append(place)
        except InputError as error:
            yield place, error
    known = {row: cache.get(trace_key(loaded, row, capture)) for row in places}
    for row, trace in known.items():
        if isinstance(trace, Trace):
            yield from ((place, replace(trace, cached=True)) for place in places[row])
    unknown = [row for row, trace in known.items() if trace is None]
    del known  # a big file would keep alive what the cache wants to drop
    for rows in chunks(unknown, settings.prefill_chunk_tokens):
        key = object()
        made = result(Job("trace", key, key, n_tokens(rows), TextsWork(loaded, rows, capture)))
        assert isinstance(made, list)
        for row, trace in zip(rows, made, strict=True):
            cache.put(trace_key(loaded, row, capture), trace)
            yield from ((place, trace) for place in places[row])


def _beginning(asked: TraceRequest, loaded: LoadedModel, max_tokens: int, settings: Settings) -> TraceRequest:
    """The same text, of a long one its first tokens."""
    if not max_tokens or len(asked.text) > settings.max_text_chars:
        return asked
    return replace(asked, input_ids=loaded.tokenizer.beginning(asked.text, max_tokens))


def chunks(rows: Iterable[InputRow], max_tokens: int) -> Iterator[tuple[InputRow, ...]]:
    """Put rows of similar length together, at most `max_tokens` with the padding; a longer row goes alone."""
    chunk: list[InputRow] = []
    for row in sorted(rows, key=lambda row: len(row.input_ids)):
        if chunk and len(row.input_ids) * (len(chunk) + 1) > max_tokens:
            yield tuple(chunk)
            chunk = []
        chunk.append(row)
    if chunk:
        yield tuple(chunk)


def n_tokens(rows: Sequence[InputRow]) -> int:
    """Tokens of all rows together, without padding."""
    return sum(len(row.input_ids) for row in rows)

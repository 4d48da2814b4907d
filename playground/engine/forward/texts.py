"""Many texts, one forward pass for each: in chunks, so that a file of 500 sentences holds nobody up.

Every chunk is a job of its own: between two chunks whoever paid least is next, and whoever leaves, leaves
within one chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.models.loaded import LoadedModel


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

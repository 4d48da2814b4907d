"""Rows of a log of prompts: request, settings, text, cost; filtered, sorted, written as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from playground.core.canonical import canonical

Measure = Literal["number", "bits", "metric", "n_tokens", "elapsed_s"]
MEASURES: tuple[Measure, ...] = ("number", "bits", "metric", "n_tokens", "elapsed_s")


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run, in plain values.

    Attributes:
        number: Number in the session.
        page: Name of the page that asked.
        model, adapter: Ids; "" for no adapter.
        prompt: The text that was continued.
        output: The text that came.
        settings: Name -> value of every setting of the draw, seed included.
        finish: Why it ended, "" where the reader ended it.
        n_tokens: Tokens that were written.
        bits: Surprisal per token, under the model itself.
        metric: The reader's own figure, None where there is none.
        begun_at: Seconds since the epoch.
        first_s, elapsed_s: Seconds until the first token, and until the last.
        thumb: up, down, or "".
        repeats: Number of the run that it repeats, 0 for none.
    """

    number: int
    page: str
    model: str
    adapter: str
    prompt: str
    output: str
    settings: Mapping[str, object]
    finish: str
    n_tokens: int
    bits: float
    metric: float | None
    begun_at: float
    first_s: float
    elapsed_s: float
    thumb: str = ""
    repeats: int = 0


def filtered(
    rows: Iterable[RunRow], *, words: str = "", page: str = "", model: str = "", thumb: str = ""
) -> list[RunRow]:
    """The rows that fit all of these; "" fits every row.

    Args:
        rows: Any rows.
        words: Stands in prompt or output, whatever its case and form.
        page: Name of the page.
        model: Id of the model, with its adapter as `base+adapter`.
        thumb: up, down, or "none" for rows without an opinion.
    """
    wanted = canonical(words).casefold().strip()
    return [
        row
        for row in rows
        if (not page or row.page == page)
        and (not model or named(row) == model)
        and (not thumb or (row.thumb or "none") == thumb)
        and (not wanted or wanted in canonical(f"{row.prompt}\n{row.output}").casefold())
    ]


def named(row: RunRow) -> str:
    """The model of a row with its adapter, one id."""
    return f"{row.model}+{row.adapter}" if row.adapter else row.model


def ordered(rows: Iterable[RunRow], measure: Measure, *, falling: bool) -> list[RunRow]:
    """Rows by a figure; those that have none come last, equal ones by number."""
    known = sorted(rows, key=lambda row: row.number)
    missing = [row for row in known if getattr(row, measure) is None]
    found = [row for row in known if getattr(row, measure) is not None]
    return sorted(found, key=lambda row: float(getattr(row, measure)), reverse=falling) + missing


def before(rows: Sequence[RunRow], row: RunRow) -> RunRow | None:
    """The run to compare with: the one it repeats, else the latest before it, of the same prompt if any."""
    older = [one for one in rows if one.number < row.number]
    repeated = [one for one in older if one.number == row.repeats]
    same = [one for one in older if one.prompt == row.prompt]
    return next(iter([*reversed(repeated), *reversed(same), *reversed(older)]), None)


def jsonl(rows: Iterable[RunRow]) -> str:
    """The rows as lines of JSON, one a run; `jsonl_rows` reads them.

    Example:
        >>> row = RunRow(1, "p", "m", "", "A", " b", {"seed": 0}, "length", 1, 2.0, None, 0.0, 0.1, 0.1)
        >>> jsonl_rows(jsonl([row])) == [row]
        True
    """
    fields = RunRow.__dataclass_fields__
    return "".join(
        json.dumps({name: getattr(row, name) for name in fields}, ensure_ascii=False) + "\n" for row in rows
    )


def jsonl_rows(text: str) -> list[RunRow]:
    """The rows of such lines."""
    return [RunRow(**json.loads(line)) for line in text.split("\n") if line]

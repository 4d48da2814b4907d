"""Tables of the page lifecycle; the column names are written here and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from playground.core.drift import Shift
from playground.core.lifecycle import BRANCHES, Branch, Decision, Evidence
from playground.core.metrics.intervals import wilson_interval
from playground.core.run_rows import RunRow, named
from playground.core.word_changes import Changes

_RUNS = (
    "number", "page", "model", "prompt", "output", "temperature", "seed", "tokens", "bits", "metric",
    "first_s", "seconds", "finish", "thumb", "repeats",
)  # fmt: skip


class StationRow(NamedTuple):
    """A station of the map: its group, page, state, and the facts of the session."""

    group: str
    station: str
    page: str
    state: str
    facts: str


def stations(rows: Iterable[StationRow]) -> pd.DataFrame:
    """The map as a table."""
    return pd.DataFrame(list(rows), columns=[*StationRow._fields])


def evidence(
    measured: Mapping[Branch, Evidence], decision: Decision, names: Mapping[Branch, str]
) -> pd.DataFrame:
    """The measured shares of the branches, with their intervals.

    Args:
        measured: Branch -> its measurement.
        decision: From `core.lifecycle.decide`.
        names: Branch -> its name in the reader's language.
    """
    rows = [
        (names[branch], one.share, *one.interval, one.n, one.before, one.is_own, decision.verdicts[branch])
        for branch in BRANCHES
        if (one := measured.get(branch)) is not None
    ]
    return pd.DataFrame(rows, columns=["branch", "share", "low", "high", "n", "before", "is_own", "verdict"])


def runs(rows: Iterable[RunRow]) -> pd.DataFrame:
    """Runs of the log, one a row, in the order given."""
    return pd.DataFrame(
        [
            (
                row.number, row.page, named(row), row.prompt, row.output, row.settings.get("temperature"),
                row.settings.get("seed"), row.n_tokens, row.bits, row.metric, row.first_s, row.elapsed_s,
                row.finish, row.thumb, row.repeats or None,
            )
            for row in rows
        ],
        columns=list(_RUNS),
    )  # fmt: skip


def changes(found: Changes) -> pd.DataFrame:
    """Two texts word by word: who says each run of words."""
    return pd.DataFrame([(part.kind, part.text) for part in found.parts], columns=["said_by", "words"])


def shifts(rows: Sequence[Shift]) -> pd.DataFrame:
    """Drift between two models, a row a text; `shift` is what the other model needs more, bits per byte."""
    return pd.DataFrame(
        [
            (number, *row, (row.bits_b - row.bits_a) * (1 if row.written_by == "a" else -1))
            for number, row in enumerate(rows, 1)
        ],
        columns=["number", *Shift._fields, "shift"],
    )


def signs(counts: Mapping[str, tuple[str, int, int]]) -> pd.DataFrame:
    """Signs that are watched: how many of the runs show each, with the 95 % interval of the share.

    The share is NaN where no run was looked at.

    Args:
        counts: Sign -> its name, runs that show it, runs that were looked at.
    """
    rows = [
        (name, n_true / n if n else math.nan, *wilson_interval(n_true, n), n_true, n)
        for name, n_true, n in counts.values()
    ]
    return pd.DataFrame(rows, columns=["sign", "share", "low", "high", "n_true", "n"])

"""The tasks of the page lifecycle, checked against the session's own log."""

from __future__ import annotations

import math

from playground.ui import run_log
from playground.ui.lifecycle import stations
from playground.ui.state import PageContext
from playground.ui.try_this import Task


def tasks(context: PageContext) -> list[Task]:
    """The part with the missing station, the most surprising run, and a run that repeats word by word."""
    names = {heading[0]: heading for heading in stations.groups()}
    return [
        Task("missing", "choice", lambda: _missing(context), names),
        Task("surprising", "number", _surprising),
        Task("repeated", "goal", _repeated),
    ]


def _missing(context: PageContext) -> str | float:
    found = stations.first_missing(context)
    every = stations.groups().items()
    return math.nan if found is None else next(heading[0] for heading, own in every if found in own)


def _surprising() -> float:
    """Number of the run with the most bits per token; nan while there are fewer than two."""
    runs = run_log.log().runs
    return float(max(runs, key=lambda run: run.bits).number) if len(runs) > 1 else math.nan


def _repeated() -> bool:
    """True if a run of temperature above 0 was repeated, and gave the same text."""
    log = run_log.log()
    return any(
        first.text == run.text and run.request.sampling.temperature > 0
        for run in log.runs
        if run.repeats and (first := log.of(run.repeats)) is not None
    )

"""The tasks of the page Agents, checked against the run on the screen."""

from __future__ import annotations

import math

from playground.core.agents.record import total
from playground.core.agents.recorded import has_loop
from playground.ui.agents import loop
from playground.ui.try_this import Task


def tasks() -> list[Task]:
    """Add up a bill, find who could not call a tool, bring a run to an answer with two tools."""
    return [
        Task("again", "number", _again),
        Task("trouble", "goal", _has_trouble),
        Task("grounded", "goal", _is_grounded),
    ]


def _again() -> float:
    """Percent of the tokens read that were read again."""
    run = loop.shown()
    if run is None or not run.turns:
        return math.nan
    cost = total(run.turns)
    return 100 * cost.n_again / cost.n_prompt


def _has_trouble() -> bool:
    run = loop.shown()
    return run is not None and (has_loop(run) or any(turn.trouble == "unknown_tool" for turn in run.turns))


def _is_grounded() -> bool:
    run = loop.shown()
    return run is not None

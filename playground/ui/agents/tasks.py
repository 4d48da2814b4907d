"""The tasks of the page Agents, checked against the run on the screen and the shipped measurement."""

from __future__ import annotations

import math

from playground.core.agents.record import total
from playground.core.agents.recorded import has_loop, shipped, table
from playground.ui.agents import loop
from playground.ui.agents.world import measured_language, names_of_strategies
from playground.ui.try_this import Task


def tasks() -> list[Task]:
    """Add up a bill, find a run that goes wrong, weigh strategies by what a solved problem costs."""
    return [
        Task("again", "number", _again, tolerance=0.5),
        Task("trouble", "goal", _has_trouble),
        Task("value", "choice", _cheapest, options=names_of_strategies()),
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


def _cheapest() -> str:
    """The strategy with the fewest tokens for a solved problem."""
    free = [one for one in table(shipped(), measured_language()) if not one.constrained and one.n_right]
    return str(min(free, key=lambda one: one.tokens * one.n / one.n_right).strategy)

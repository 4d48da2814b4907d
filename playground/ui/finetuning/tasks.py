"""Try this, checked against the runs of this session."""

from __future__ import annotations

from math import nan

from playground.engine.contract.training import TrainingState
from playground.ui.finetuning import live, weights
from playground.ui.finetuning.controls import TrainingSettings
from playground.ui.state import PageContext
from playground.ui.try_this import Task

FORGOTTEN = 0.05


def make(context: PageContext, chosen: TrainingSettings | None) -> list[Task]:
    """The three tasks of the page.

    Args:
        context: From `frame.page`.
        chosen: Settings of the widgets, None where there is no data.
    """
    state = live.shown(context)
    return [
        Task("best", "number", lambda: nan if state is None or state.best_step is None else state.best_step),
        Task("forget", "goal", lambda: any(map(has_forgotten, live.runs(context)))),
        Task("share", "number", lambda: 100 * weights.share(chosen) if chosen else 0.0, tolerance=0.1),
    ]


def has_forgotten(state: TrainingState) -> bool:
    """True if the loss on general text rose by 5 % in a run."""
    losses = [loss for _step, loss in state.general]
    return bool(losses) and max(losses) >= (1 + FORGOTTEN) * losses[0]

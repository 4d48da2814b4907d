"""The tasks of the page Evaluation, checked against what the models really gave."""

from __future__ import annotations

import math

from playground.core.metrics.perplexity import exp2
from playground.ui.evaluation.court import Shown
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.try_this import Task

N_WINDOWS = 2
CLOSE = 1.1  # times the perplexity with the whole context


def tasks(_context: PageContext, shown: Shown) -> list[Task]:
    """Let windows overlap, make bits a perplexity by the character, tell the better model."""
    return [
        Task("overlap", "goal", lambda: float(_is_close(shown))),
        Task("character", "number", lambda: _by_character(shown), tolerance=0.05),
        Task(
            "better",
            "choice",
            lambda: shown.better or math.nan,
            _models(),
        ),
    ]


def _models() -> dict[str, str]:
    return {"first": _("the first"), "second": _("the second")}


def _is_close(shown: Shown) -> bool:
    """True if several windows give nearly the perplexity of the whole context."""
    one, whole = shown.cost, shown.whole
    if one is None or whole is None or shown.n_windows < N_WINDOWS:
        return False
    return one.perplexity <= CLOSE * whole


def _by_character(shown: Shown) -> float:
    return math.nan if shown.cost is None else exp2(shown.cost.bits_per_character)

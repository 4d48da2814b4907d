"""The tasks of the page Evaluation, checked against what the models really gave."""

from __future__ import annotations

import math

from playground.core.metrics.perplexity import exp2
from playground.ui.evaluation.court import Shown
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.try_this import Task

TIMES = 3  # that the perplexity of one text has to grow


def tasks(_context: PageContext, shown: Shown) -> list[Task]:
    """Make a text look worse than it is, make bits a perplexity by the character, tell the better model."""
    return [
        Task("worse", "goal", lambda: float(_is_worse(shown))),
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


def _is_worse(shown: Shown) -> bool:
    return shown.cost is not None and shown.whole is not None and shown.cost.perplexity >= TIMES * shown.whole


def _by_character(shown: Shown) -> float:
    return math.nan if shown.cost is None else exp2(shown.cost.bits_per_character)

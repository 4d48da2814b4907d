"""The tasks of the page Evaluation, checked against what the models really gave."""

from __future__ import annotations

import math

from playground.ui.evaluation.shown import Shown
from playground.ui.text import _
from playground.ui.try_this import Task

N_WINDOWS = 2
CLOSE = 1.1  # times the perplexity with the whole context


def tasks(shown: Shown) -> list[Task]:
    """Let windows overlap, tell the better of two models, take the order out of a verdict."""
    return [
        Task("overlap", "goal", lambda: float(_is_close(shown))),
        Task("better", "choice", lambda: shown.better or math.nan, _models()),
        Task("mean", "number", lambda: _mean(shown), tolerance=1.0),
    ]


def _models() -> dict[str, str]:
    return {"first": _("the first"), "second": _("the second")}


def _is_close(shown: Shown) -> bool:
    """True if several windows give nearly the perplexity of the whole context."""
    if shown.perplexity is None or shown.whole is None or shown.n_windows < N_WINDOWS:
        return False
    return shown.perplexity <= CLOSE * shown.whole


def _mean(shown: Shown) -> float:
    """The share of the better answer in the mean of both orders, in per cent."""
    return math.nan if shown.verdict is None else 100 * shown.verdict.mean

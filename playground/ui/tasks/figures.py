"""The picture that all jobs share: figures of the set with their intervals, the model beside a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd

from playground.charts import tasks as charts
from playground.core.jobs.scoring import Figure
from playground.core.tables import tasks as frames
from playground.ui import show
from playground.ui.text import N_, _

METRICS = {
    "accuracy": N_("Accuracy"), "precision": N_("Precision"), "recall": N_("Recall"),
    "F1 (macro)": N_("F1 (macro)"), "exact match": N_("Exact match"),
    "sentence": N_("Sentence with the answer"),
}  # fmt: skip


def draw(
    of: Mapping[str, Sequence[Figure]], names: Mapping[str, str], language: str, key: str
) -> pd.DataFrame:
    """Draw the figures; their table.

    Args:
        of: Who ("model", "baseline") -> figures, the model first.
        names: Who -> the words in the reader's language.
        language: The reader's.
        key: Of the picture.
    """
    table = frames.figures(of)
    metrics = tuple(dict.fromkeys(table["metric"]))
    alt = _("Figures of the set with their 95 % intervals, the model beside the baseline")
    spec = _picture(language, metrics, tuple((who, names[who]) for who in of))
    show.show_chart(spec, key, alt, data=table)
    return table


def said(figure: Figure) -> str:
    """A figure in words: its name, value and interval."""
    told = _("{metric} {value:.1f} (95 % interval {low:.0f} to {high:.0f})")
    return told.format(metric=named(figure.metric), value=figure.value, low=figure.low, high=figure.high)


def named(metric: str) -> str:
    """The name of a metric in the reader's language."""
    return _(METRICS[metric]) if metric in METRICS else metric


def compared(model: Figure, baseline: Figure) -> str:
    """One sentence on what the intervals tell about the model and the baseline."""
    if model.low > baseline.high:
        return _("The model's interval lies above the baseline's: the difference is more than chance.")
    if baseline.low > model.high:
        return _("The baseline's interval lies above the model's: this model is worse than that.")
    return _("The two intervals overlap: so few items cannot tell the two apart for sure.")


@lru_cache
def _picture(language: str, metrics: tuple[str, ...], who: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    words = {"value": _("Figure, 0 to 100"), "low": _("95 % interval from"), "high": _("to")}
    words |= {metric: named(metric) for metric in metrics} | dict(who)
    return charts.figures(words, who=[one for one, _words in who], metrics=metrics)

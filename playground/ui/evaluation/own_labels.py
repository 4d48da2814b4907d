"""The reader's own predicted labels: confusion, accuracy, F1, Matthews' correlation, each against chance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import streamlit as st

from playground.charts import metrics as charts
from playground.core.files.prediction_rows import Prediction
from playground.core.metrics.classification import Classification, classification
from playground.core.metrics.intervals import includes
from playground.core.tables import own_predictions as frames
from playground.ui import show, state
from playground.ui.text import _, ngettext, strong

LONGEST = 40  # characters of what is taken for a label


def are_labels(predictions: Sequence[Prediction]) -> bool:
    """True if the rows look like labels: few different short texts, most of them more than once."""
    right = {one.references[0] for one in predictions}
    every = right | {one.candidate for one in predictions}
    return (
        all(len(one.references) == 1 for one in predictions)
        and max(map(len, every)) <= LONGEST
        and len(every) <= state.settings().max_predicted_labels
        and 2 * len(right) <= len(predictions)
    )


def draw(predictions: Sequence[Prediction]) -> None:
    """Draw the confusion matrix, and what it says."""
    right = [one.references[0] for one in predictions]
    predicted = [one.candidate or _("(nothing)") for one in predictions]
    n_labels, most = len({*right, *predicted}), state.settings().max_predicted_labels
    if n_labels > most:
        told = _("The rows have {n:,} different labels, and a matrix can show {limit}: score them as texts.")
        st.info(told.format(n=n_labels, limit=most))
        return
    found = classification(right, predicted)
    table = frames.confusion(found)
    alt = _("Confusion matrix: right labels down, predicted labels across")
    show.show_chart(_picture(state.language()), "ev_confusion", alt, data=table)
    st.markdown(_told(found))
    never = sorted({*predicted} - {*right})
    if never:
        words = ngettext(
            "{n} predicted label is never right in this file: {labels}.",
            "{n} predicted labels are never right in this file: {labels}.",
            len(never),
        )
        st.markdown(words.format(n=len(never), labels=", ".join(map(strong, never[:10]))))
    code = show.code("own_labels", right=right, predicted=predicted)
    show.under_picture("own_labels", frame=table, code=code, picture="ev_confusion")
    columns = {
        "label": _("Label"), "n": _("Items"), "n_predicted": _("Predicted"), "precision": _("Precision"),
        "recall": _("Recall"), "f1": "F1",
    }  # fmt: skip
    st.dataframe(frames.by_label(found).rename(columns=columns).round(3), hide_index=True, key="ev_by_label")


def _told(found: Classification) -> str:
    """Accuracy against always the commonest label, macro F1 and Matthews, with intervals, in words."""
    if found.confusion.sum(1).astype(bool).sum() == 1:
        told = _(
            "Every item has the same right label, so that whoever always guesses it is never wrong: an "
            "accuracy of {accuracy:.1%} says nothing, and Matthews' correlation is 0."
        )
        return told.format(n=found.n, accuracy=found.accuracy)
    told = _(
        "Accuracy {accuracy:.1%} (95 % from {low:.1%} to {high:.1%}); always the commonest label would have "
        "{chance:.1%}."
    ).format(
        accuracy=found.accuracy, low=found.accuracy_interval[0], high=found.accuracy_interval[1],
        chance=found.majority,
    )  # fmt: skip
    if includes(found.accuracy_interval, found.majority):
        told += " " + _(
            "The interval includes that: these items do not show that more than guessing is at work."
        )
    figures = _(
        "Macro F1 {f1:.3f} ({f1_low:.3f} to {f1_high:.3f}), Matthews {mcc:.3f} ({low:.3f} to {high:.3f})."
    )
    told += " " + figures.format(
        f1=found.f1, f1_low=found.f1_interval[0], f1_high=found.f1_interval[1], mcc=found.matthews,
        low=found.matthews_interval[0], high=found.matthews_interval[1],
    )  # fmt: skip
    if includes(found.matthews_interval, 0):
        told += " " + _("Matthews' interval includes 0, which is chance.")
    return told


@lru_cache
def _picture(language: str) -> dict[str, Any]:
    words = {
        "right": _("Right label"), "predicted": _("Predicted label"), "n": _("Items"),
        "share": _("share of the right label's items"),
    }  # fmt: skip
    return charts.confusion(words)

"""The reader's own predicted labels: confusion, accuracy, F1, Matthews' correlation, each against chance."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.core.files.prediction_rows import Prediction
from playground.core.metrics.classification import Classification, classification
from playground.core.metrics.intervals import includes
from playground.core.tables import own_predictions as frames
from playground.ui import show, state
from playground.ui.components.confusion import Cell, confusion
from playground.ui.text import _, ngettext, strong

LONGEST = 40  # characters of what is taken for a label
MOST_ROWS = 50
CELL = "ev_confusion_cell"


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
    selected = _selected(found)
    confusion(
        found.confusion.tolist(), found.labels, selected=selected, key="ev_confusion", on_select=_select
    )
    if selected is not None:
        _cell(predictions, right, predicted, (found.labels[selected[0]], found.labels[selected[1]]))
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
    show.under_picture("own_labels", frame=frames.confusion(found), code=code)
    columns = {
        "label": _("Label"), "n": _("Items"), "n_predicted": _("Predicted"), "precision": _("Precision"),
        "recall": _("Recall"), "f1": "F1",
    }  # fmt: skip
    st.dataframe(frames.by_label(found).rename(columns=columns).round(3), hide_index=True, key="ev_by_label")


def _selected(found: Classification) -> Cell | None:
    """The chosen cell, while it has items."""
    cell: Cell | None = st.session_state.get(CELL)
    if cell is None or max(cell) >= len(found.labels) or not found.confusion[cell]:
        return None
    return cell


def _select(cell: Cell) -> None:
    st.session_state[CELL] = None if st.session_state.get(CELL) == cell else cell


def _cell(
    predictions: Sequence[Prediction], right: Sequence[str], predicted: Sequence[str], labels: tuple[str, str]
) -> None:
    """The rows of the file that stand in one cell."""
    rows = [
        str(one.row)
        for one, *both in zip(predictions, right, predicted, strict=True)
        if tuple(both) == labels
    ]
    told = _("Right {right}, predicted {predicted}: rows of the file {rows}.")
    shown = ", ".join([*rows[:MOST_ROWS], *(["…"] if len(rows) > MOST_ROWS else [])])
    st.markdown(told.format(right=strong(labels[0]), predicted=strong(labels[1]), rows=shown))


def _told(found: Classification) -> str:
    """Accuracy against always the commonest label, macro F1 and Matthews, with intervals, in words."""
    if found.confusion.sum(1).astype(bool).sum() == 1:
        told = _(
            "Every item has the same right label: whoever always guesses it reaches 100 %. The accuracy "
            "here is {accuracy:.1%}; whether it tells the labels apart cannot be seen, and Matthews' "
            "correlation is 0."
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

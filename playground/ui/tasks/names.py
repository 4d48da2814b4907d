"""Names in a text: BIO labels of the tokens, spans over the text, F1 over names, the errors to click."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from playground.core.jobs.items import NamesItem, NameSpan
from playground.core.jobs.names import (
    OUTSIDE,
    Span,
    bio_labels,
    confused,
    known_names,
    labels_of_words,
    names_of_labels,
    words_of_tokens,
)
from playground.core.jobs.scoring import Figure, name_figures
from playground.core.metrics.entities import entity_scores
from playground.core.tables import tasks as frames
from playground.engine.contract.task_heads import Prediction, TaskHeadInfo
from playground.ui import compute, show
from playground.ui.components.confusion import Cell, confusion
from playground.ui.components.tagged_text import LabelledToken, Mark, View, tagged_text
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.task_heads import predictions
from playground.ui.tasks import chosen, figures, heads
from playground.ui.tasks.measured import Measurement, complete, measurement
from playground.ui.tasks.sets import KINDS, OWN, choose_language, named
from playground.ui.text import N_, _, strong

CELLS = (*KINDS, OUTSIDE)
NOTHING = N_("no name")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text with the label of each of its tokens.

    Attributes:
        words: Characters of each token.
        labels: The label that is most probable for each.
        shares: Its probability.
    """

    words: tuple[Span, ...]
    labels: tuple[str, ...]
    shares: tuple[float, ...]

    @property
    def names(self) -> tuple[NameSpan, ...]:
        """The names that the labels mark."""
        return names_of_labels(self.words, self.labels)


def shipped() -> TaskHeadInfo:
    """The head that does this job."""
    return heads.shipped("words", bio_labels(tuple(KINDS)))


def panel(context: PageContext) -> Later | None:
    """Draw the job; what measures the set once the page is drawn."""
    head = shipped()
    if not heads.ready(head):
        return None
    language, cell = choose_language(context), _cell()
    text = chosen.own_text("tsk_own_ner", _("Your own text: which names does it hold?"), OWN["ner"][language])
    (labelled,) = [one for _at, one in _asked(context, head, [text])] or [Labelled((), (), ())]
    _draw(text, labelled, None, "tsk_own_tags")
    st.markdown(_told(text, labelled.names))
    items = named("held_out", language)
    found = _measurement(head, language)
    place = st.empty()
    if len(found.answers) < len(items):
        return partial(_measure, context, head, language, place)
    answered = tuple(found.answers[number] for number in range(len(items)))
    with place.container():
        _matrix(language, answered, cell)
        told = _(
            "A name that is marked with other borders counts twice: as missed, and as marked where none is."
        )
        st.caption(told)
        _errors(context, head, language, answered, cell)
        _figures(context, head, language, answered, found.seconds)
    return None


# ---------------------------------------------------------------- asking


def _words(head: TaskHeadInfo, text: str) -> tuple[Span, ...]:
    tokens = compute.cut(head.settings.model, text)
    spans = [(0, 0) if mark else span for span, mark in zip(tokens.offsets, tokens.special, strict=True)]
    return words_of_tokens(text, spans)


def _asked(context: PageContext, head: TaskHeadInfo, texts: Sequence[str]) -> Generator[tuple[int, Labelled]]:
    words = [_words(head, text) for text in texts]
    some = [at for at, each in enumerate(words) if each]  # a text of odd characters may have no token
    read = [(texts[at],) for at in some]
    for place, answer in predictions(context, head, read, [words[at] for at in some]):
        yield some[place], _labelled(head, words[some[place]], answer)


def _labelled(head: TaskHeadInfo, words: tuple[Span, ...], answer: Prediction) -> Labelled:
    values = np.nan_to_num(answer.values, nan=-1.0)  # a word that the tokenizer left out
    best = values.argmax(1)
    labels = tuple(
        head.settings.labels[at] if row[at] >= 0 else OUTSIDE
        for at, row in zip(best.tolist(), values, strict=True)
    )
    return Labelled(words, labels, tuple(np.maximum(values.max(1), 0.0).tolist()))


def _measurement(head: TaskHeadInfo, language: str) -> Measurement[Labelled]:
    return measurement("ner", language, head.head_id)


def _measure(context: PageContext, head: TaskHeadInfo, language: str, place: Any) -> None:  # noqa: ANN401
    """Ask about the whole set, then draw the page anew."""
    items = named("held_out", language)

    def ask(missing: Sequence[int]) -> Generator[tuple[int, Labelled]]:
        for at, one in _asked(context, head, [items[number].text for number in missing]):
            yield missing[at], one

    with place.container():
        words = _("{done} of {total} items answered")
        bar = Progress("head", head.settings.model, len(items), words.format(done=0, total=len(items)))
        whole = complete(_measurement(head, language), range(len(items)), bar, words, ask)
    if whole:
        st.rerun()


def truth(item: NamesItem, words: Sequence[Span]) -> tuple[str, ...]:
    """The right label of each token of an item."""
    return labels_of_words(words, item.names)


# ---------------------------------------------------------------- drawing


def _draw(text: str, labelled: Labelled, right: Sequence[NameSpan] | None, key: str) -> None:
    views = [View(_("The model"), [Mark(one.start, one.end, one.kind) for one in labelled.names])]
    if right is not None:
        views.append(View(_("Right answer"), [Mark(one.start, one.end, one.kind) for one in right]))
    tokens = [
        LabelledToken(text[start:end], label, p)
        for (start, end), label, p in zip(labelled.words, labelled.labels, labelled.shares, strict=True)
    ]
    tagged_text(text, views, {kind: _(name) for kind, name in KINDS.items()}, key=key, tokens=tokens)


def _told(text: str, names: Sequence[NameSpan]) -> str:
    if not names:
        return _("The model marks no name.")
    told = ", ".join(f"{strong(text[one.start : one.end])} ({_(KINDS[one.kind])})" for one in names)
    return _("The model marks: {names}.").format(names=told)


def _pairs(language: str, answered: Sequence[Labelled]) -> list[tuple[tuple[str, str], ...]]:
    """(right kind, answered kind) of every name of each text; the borders are those of tokens."""
    items = named("held_out", language)
    return [
        confused(names_of_labels(one.words, truth(item, one.words)), one.names)
        for item, one in zip(items, answered, strict=True)
    ]


def overlooked(language: str) -> float:
    """Names whose borders the model marks as no name; NaN while the set is not measured."""
    items, found = named("held_out", language), _measurement(shipped(), language)
    if len(found.answers) < len(items):
        return math.nan
    counts = _counted(language, [found.answers[number] for number in range(len(items))])
    return sum(counts[kind, OUTSIDE] for kind in KINDS)


def _counted(language: str, answered: Sequence[Labelled]) -> Counter[tuple[str, str]]:
    return Counter(pair for each in _pairs(language, answered) for pair in each)


def _matrix(language: str, answered: Sequence[Labelled], cell: Cell | None) -> None:
    counts = _counted(language, answered)
    confusion(
        [[counts[row, column] for column in CELLS] for row in CELLS],
        [*KINDS, _(NOTHING)],
        selected=cell, key="tsk_confusion_names", on_select=_choose,
    )  # fmt: skip


def _choose(cell: Cell) -> None:
    chosen.choose_cell(f"{CELLS[cell[0]]}-{CELLS[cell[1]]}")


def _cell() -> Cell | None:
    right, _dash, answered = chosen.chosen_cell().partition("-")
    return (CELLS.index(right), CELLS.index(answered)) if {right, answered} <= {*CELLS} else None


@lru_cache(maxsize=32)
def _scored(language: str, answered: tuple[Labelled, ...]) -> tuple[tuple[Figure, ...], tuple[Figure, ...]]:
    """Figures of the model and of the baseline."""
    items, train = named("held_out", language), named("train", language)
    right = [truth(item, one.words) for item, one in zip(items, answered, strict=True)]
    known = [
        labels_of_words(one.words, known_names(train, item.text))
        for item, one in zip(items, answered, strict=True)
    ]
    return name_figures(right, [one.labels for one in answered]), name_figures(right, known)


def _figures(
    context: PageContext, head: TaskHeadInfo, language: str, answered: tuple[Labelled, ...], seconds: float
) -> None:
    items = named("held_out", language)
    model, known = _scored(language, answered)
    names = {"model": _("encoder and head"), "baseline": _("names known from training")}
    figures.draw({"model": model, "baseline": known}, names, context.language, "tsk_figures_names")
    told = _("Over all names of {n} held-out texts: {f1}. Marking what the training texts had: {known}.")
    said = told.format(n=len(items), f1=figures.said(model[-1]), known=figures.said(known[-1]))
    said += " " + figures.compared(model[-1], known[-1])
    if n_cut := sum(_is_cut(item, one.words) for item, one in zip(items, answered, strict=True)):
        told = _("Texts in which a name ends within a token, so that the token counts as the name's: {n}.")
        said += " " + told.format(n=n_cut)
    st.markdown(said)
    _kinds(language, answered)
    heads.provenance(head, f"{seconds:.1f} s")
    right = [truth(item, one.words) for item, one in zip(items, answered, strict=True)]
    table = frames.tagged([item.text for item in items], right, [one.labels for one in answered])
    show.under_picture(
        "tasks_names", frame=table, code=partial(_code, head, language), picture="tsk_figures_names"
    )


def _is_cut(item: NamesItem, words: Sequence[Span]) -> bool:
    return tuple(names_of_labels(words, truth(item, words))) != item.names


def _kinds(language: str, answered: Sequence[Labelled]) -> None:
    """Precision, recall and F1 of each kind of name, by seqeval."""
    items = named("held_out", language)
    right = [truth(item, one.words) for item, one in zip(items, answered, strict=True)]
    found = entity_scores(right, [one.labels for one in answered])
    rows = [
        (_(KINDS[one.label]), one.n, one.n_predicted, 100 * one.precision, 100 * one.recall, 100 * one.f1)
        for one in found.by_kind
    ]
    columns = [_("Kind"), _("right ones"), _("marked"), _("Precision"), _("Recall"), "F1"]
    st.dataframe(
        pd.DataFrame(rows, columns=columns), hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="%.0f") for name in columns[3:]},
    )  # fmt: skip


def _errors(
    context: PageContext, head: TaskHeadInfo, language: str, answered: Sequence[Labelled], cell: Cell | None
) -> None:
    """The texts of the chosen cell, and the names of the chosen one as the reader edits it."""
    if cell is None:
        st.info(_("Click or tap a cell of the matrix: its texts stand here, and you can edit one."))
        return
    items, pair = named("held_out", language), (CELLS[cell[0]], CELLS[cell[1]])
    mine = [at for at, each in enumerate(_pairs(language, answered)) if pair in each]
    kinds = {**KINDS, OUTSIDE: NOTHING}
    told = _("Right: {right}, answered: {answered}. Choose a text:")
    label = told.format(right=_(kinds[pair[0]]), answered=_(kinds[pair[1]]))
    texts = {chosen.item_id(items[at]): (items[at].text, items[at].text) for at in mine[: chosen.N_SHOWN]}
    item = chosen.pick_item(texts, label)
    if item is None:
        return
    at = next(number for number in mine if chosen.item_id(items[number]) == item)
    text = chosen.edited(items[at].text)
    (labelled,) = [one for _at, one in _asked(context, head, [text])] or [Labelled((), (), ())]
    _draw(text, labelled, items[at].names if text == items[at].text else None, "tsk_edit_tags")
    st.markdown(_told(text, labelled.names))
    if text != items[at].text:
        if labelled.names != answered[at].names:
            chosen.turn()
        st.markdown(_("Before your edit: {told}").format(told=_told(items[at].text, answered[at].names)))


def _code(head: TaskHeadInfo, language: str) -> str:
    parts = {
        "training": [*named("train", "en"), *named("train", "ko")],
        "test": [*named("held_out", language)],
    }
    rows = {
        name: [(one.text, [(each.start, each.end, each.kind) for each in one.names]) for one in items]
        for name, items in parts.items()
    }
    return show.code("tasks_names", **heads.read_from(head), **rows)

"""Sentiment: the reader's own text, the set in a confusion matrix, the items of a cell, their text edited."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
import streamlit as st

from playground.charts import tasks as charts
from playground.core.bag_of_words import bag_of_words
from playground.core.jobs.scoring import Figure, label_figures, share_figure
from playground.core.metrics.classification import classification
from playground.core.tables import tasks as frames
from playground.engine.contract.task_heads import Prediction, TaskHeadInfo
from playground.ui import show
from playground.ui.components.confusion import Cell, confusion
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.task_heads import predictions
from playground.ui.tasks import chosen, figures, heads
from playground.ui.tasks.measured import Measurement, complete, measurement
from playground.ui.tasks.sets import LABELS, OWN, choose_language, classified, language_of
from playground.ui.text import N_, _, share, strong

NAMES = {"negative": N_("negative"), "positive": N_("positive")}
CHANCE = 50.0
Probs = tuple[float, ...]


def shipped() -> TaskHeadInfo:
    """The head that does this job."""
    return heads.shipped("label", LABELS)


def panel(context: PageContext) -> Later | None:
    """Draw the job; what measures the set once the page is drawn."""
    head = shipped()
    if heads.encoder(head).state != "ready":
        _as_shipped(context, head)
    if not heads.ready(head):
        return None
    language, cell = choose_language(context), _cell()
    found = _measurement(head, language)
    items = classified("held_out", language)
    own, matrix = st.columns([1, 1], gap="medium")
    with own:
        usual = OWN["classification"][language]
        text = chosen.own_text("tsk_own_classification", _("Your own text: what does the model say?"), usual)
        probs = _asked(context, head, text)
        _bars(context, {"now": probs}, "tsk_own_bars")
        best = int(np.argmax(probs))
        told = _("The model finds it {label}, with a probability of {share}.")
        st.markdown(told.format(label=strong(_(NAMES[LABELS[best]])), share=share(probs[best], ".1%")))
    with matrix:
        if len(found.answers) < len(items):
            place = st.empty()
            return partial(_measure, context, head, language, place)
        answered = _answered(found)
        _matrix(language, answered, cell)
    _errors(context, head, language, found, cell)
    _figures(context, head, language, found)
    return None


def _as_shipped(context: PageContext, head: TaskHeadInfo) -> None:
    """Draw what our script measured when it made the head, until the encoder is in memory."""
    language, facts = language_of(context), dict(head.figures)
    n = int(facts[f"n_{language}"])
    n_right = round(facts[f"accuracy_{language}"] * n)
    model = (share_figure("accuracy", [at < n_right for at in range(n)]),)
    names = {"model": _("encoder and head")}
    table = figures.draw({"model": model}, names, context.language, "tsk_figures_shipped")
    told = _("Measured by our script when it made the head, on {n} held-out reviews: {figure}.")
    st.markdown(told.format(n=n, figure=figures.said(model[0])))
    code = partial(_code, head, language)
    show.under_picture("tasks_shipped", frame=table, code=code, picture="tsk_figures_shipped")


def _measurement(head: TaskHeadInfo, language: str) -> Measurement[Probs]:
    return measurement("classification", language, head.head_id)


def _asked(context: PageContext, head: TaskHeadInfo, text: str) -> Probs:
    """Probability of each of `LABELS`."""
    ((_place, answer),) = predictions(context, head, [(text,)])
    return _probs(head, answer)


def _probs(head: TaskHeadInfo, answer: Prediction) -> Probs:
    """Probabilities in the order of `LABELS`."""
    by_label = dict(zip(head.settings.labels, answer.values[0].tolist(), strict=True))
    return tuple(by_label[label] for label in LABELS)


def _measure(context: PageContext, head: TaskHeadInfo, language: str, place: Any) -> None:  # noqa: ANN401
    """Ask about the whole set, then draw the page anew."""
    items = classified("held_out", language)

    def ask(missing: Sequence[int]) -> Generator[tuple[int, Probs]]:
        texts = [items[number].texts for number in missing]
        for at, answer in predictions(context, head, texts):
            yield missing[at], _probs(head, answer)

    with place.container():
        words = _("{done} of {total} items answered")
        bar = Progress("head", head.settings.model, len(items), words.format(done=0, total=len(items)))
        whole = complete(_measurement(head, language), range(len(items)), bar, words, ask)
    if whole:
        st.rerun()


def _answered(found: Measurement[Probs]) -> tuple[str, ...]:
    return tuple(LABELS[int(np.argmax(found.answers[number]))] for number in sorted(found.answers))


def _right(language: str) -> tuple[str, ...]:
    return tuple(str(one.label) for one in classified("held_out", language))


@lru_cache(maxsize=64)
def _counts(right: tuple[str, ...], answered: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(map(tuple, classification(right, answered, LABELS).confusion.tolist()))


@lru_cache(maxsize=64)
def _scored(right: tuple[str, ...], answered: tuple[str, ...]) -> tuple[Figure, ...]:
    return label_figures(right, answered, LABELS)


@lru_cache
def baseline(language: str) -> tuple[str, ...]:
    """The answers of a bag of words that was fitted on the training items of the language."""
    asked = classified("held_out", language)
    return tuple(map(str, bag_of_words(classified("train", language), asked)))


def _matrix(language: str, answered: tuple[str, ...], cell: Cell | None) -> None:
    confusion(
        _counts(_right(language), answered), [_(NAMES[label]) for label in LABELS],
        selected=cell, key="tsk_confusion", on_select=_choose,
    )  # fmt: skip


def _choose(cell: Cell) -> None:
    chosen.choose_cell(f"{LABELS[cell[0]]}-{LABELS[cell[1]]}")


def _cell() -> Cell | None:
    right, _dash, answered = chosen.chosen_cell().partition("-")
    return (LABELS.index(right), LABELS.index(answered)) if {right, answered} <= {*LABELS} else None


def missed(language: str) -> float:
    """Positive reviews that are answered negative; NaN while the set is not measured."""
    found = _measurement(shipped(), language)
    if len(found.answers) < len(classified("held_out", language)):
        return math.nan
    return _counts(_right(language), _answered(found))[1][0]


def _figures(context: PageContext, head: TaskHeadInfo, language: str, found: Measurement[Probs]) -> None:
    items, right = classified("held_out", language), _right(language)
    answered = _answered(found)
    model, words = _scored(right, answered), _scored(right, baseline(language))
    names = {"model": _("encoder and head"), "baseline": _("bag of words")}
    figures.draw({"model": model, "baseline": words}, names, context.language, "tsk_figures")
    n_right = sum(map(str.__eq__, right, answered))
    told = _("{n_right} of {n} held-out reviews are answered right: {accuracy}. A bag of words: {words}.")
    said = told.format(
        n_right=n_right, n=len(items), accuracy=figures.said(model[0]), words=figures.said(words[0])
    )
    if model[0].includes(CHANCE):
        said += " " + _("The interval includes guessing, 50: this could be chance.")
    st.markdown(f"{said} {figures.compared(model[0], words[0])}")
    heads.provenance(head, _("held-out items: {n}").format(n=len(items)), f"{found.seconds:.1f} s")
    probs = np.array([found.answers[number] for number in range(len(items))])
    table = frames.labelled([one.texts[0] for one in items], right, answered, probs.max(1).tolist())
    show.under_picture(
        "tasks_labels", frame=table, code=partial(_code, head, language), picture="tsk_figures"
    )


def _errors(
    context: PageContext, head: TaskHeadInfo, language: str, found: Measurement[Probs], cell: Cell | None
) -> None:
    """The items of the chosen cell, and the answer to the chosen one as the reader edits it."""
    if cell is None:
        st.info(_("Click or tap a cell of the matrix: its items stand here, and you can edit one."))
        return
    items = classified("held_out", language)
    answered, right = _answered(found), _right(language)
    mine = [at for at in range(len(items)) if (right[at], answered[at]) == (LABELS[cell[0]], LABELS[cell[1]])]
    words = {}
    for at in mine[: chosen.N_SHOWN]:
        text, p = items[at].texts[0], max(found.answers[at])
        words[chosen.item_id(items[at])] = (f"{text} · {share(p, '.0%')}", text)
    told = _("Right: {right}, answered: {answered}. Choose an item (behind it, how sure the model is):")
    label = told.format(right=_(NAMES[LABELS[cell[0]]]), answered=_(NAMES[LABELS[cell[1]]]))
    item = chosen.pick_item(words, label)
    if item is None:
        return
    at = next(number for number in mine if chosen.item_id(items[number]) == item)
    text = chosen.edited(items[at].texts[0])
    before, after = found.answers[at], _asked(context, head, text)
    _bars(context, {"before": before, "after": after}, "tsk_edit_bars")
    old, new = (LABELS[int(np.argmax(one))] for one in (before, after))
    if text == items[at].texts[0]:
        st.markdown(_("Nothing is changed yet."))
    elif old == new:
        told = _("It stays {label}: from {before} to {after}.")
        place = LABELS.index(old)
        shares = {"before": share(before[place], ".1%"), "after": share(after[place], ".1%")}
        st.markdown(told.format(label=strong(_(NAMES[old])), **shares))
    else:
        chosen.turn()
        told = _("The answer has turned from {old} to {new}.")
        st.markdown(told.format(old=strong(_(NAMES[old])), new=strong(_(NAMES[new]))))


def _bars(context: PageContext, probs: dict[str, Probs], key: str) -> None:
    spec, table = _bars_picture(context.language, tuple(probs)), frames.shares(probs, LABELS)
    show.show_chart(spec, key, _("Probability of each label"), data=table)


@lru_cache
def _bars_picture(language: str, times: tuple[str, ...]) -> dict[str, Any]:
    words = {"share": _("Probability"), "now": _("now"), "before": _("before"), "after": _("after")}
    words |= {label: _(name) for label, name in NAMES.items()}
    return charts.shares(words, labels=LABELS, times=times)


def _code(head: TaskHeadInfo, language: str) -> str:
    parts = {"training": [*classified("train", "en"), *classified("train", "ko")]}
    parts["test"] = [*classified("held_out", language)]
    rows = {name: [(one.texts[0], one.label) for one in each] for name, each in parts.items()}
    return show.code("tasks_labels", **heads.read_from(head), **rows)

"""One of the nine tasks: what it asks, its items, and every way's answer to them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from playground.core.glue import TASKS, data_of, prompt
from playground.core.glue_answers import Told, Way, held_out
from playground.core.tables import glue as frames
from playground.ui.choose import choose, choose_from_list
from playground.ui.state import PageContext
from playground.ui.text import N_, _

QUESTIONS: Mapping[str, str] = {
    "cola": N_("is the sentence correct?"),
    "sst2": N_("is the review positive or negative?"),
    "mrpc": N_("do two sentences of news say the same?"),
    "stsb": N_("how similar are two sentences, from 0 to 5?"),
    "qqp": N_("do two questions ask the same?"),
    "mnli": N_("does the second sentence follow, contradict, or neither?"),
    "qnli": N_("does the sentence answer the question?"),
    "rte": N_("does the second sentence follow from the first?"),
    "wnli": N_("is that what the pronoun stands for?"),
}
MEANINGS: Mapping[str, str] = {
    "matthews": N_(
        "Matthews correlation: 1 all right, 0 no better than guessing, -1 all wrong; it needs both labels "
        "to be found."
    ),
    "f1": N_(
        "F1: the harmonic mean of precision and recall of *yes*. Who always says *yes* gets {chance:.2f}."
    ),
    "spearman": N_("Spearman correlation: do the answers rank the pairs as people do? At 0 they do not."),
    "accuracy": N_("Accuracy: the share of right answers. Guessing gets {chance:.2f}."),
}
LABELS: Mapping[str, str] = {
    "acceptable": N_("well-formed"), "unacceptable": N_("ill-formed"), "positive": N_("positive"),
    "negative": N_("negative"), "paraphrase": N_("same"), "duplicate": N_("same"),
    "different": N_("different"), "entailment": N_("follows"), "not_entailment": N_("does not follow"),
    "neutral": N_("neither"), "contradiction": N_("contradicts"),
}  # fmt: skip
SHORT: Mapping[str, str] = {
    "head": N_("head"), "zero": N_("prompt"), "few": N_("examples"), "adapter": N_("adapter"),
    "words": N_("bag of words"),
}  # fmt: skip


def draw(
    context: PageContext,
    told: Mapping[Way, Mapping[str, Told]],
    table: pd.DataFrame,
    languages: tuple[str, ...],
) -> str:
    """Draw the picker of the task, and the task; gives its id.

    Args:
        context: From `frame.page`.
        told: Each way's answers.
        table: From `tables.glue.figures`.
        languages: Codes of the languages that count.
    """
    names = {task: f"{about.name}: {_(QUESTIONS[task])}" for task, about in TASKS.items()}
    with st.container(key="below_picture_glue"):
        task = choose_from_list("ev_glue_task", names, _("One task"))
    row = table[(table["task"] == task) & (table["way"] == "chance")].iloc[0]
    st.markdown(_(MEANINGS[data_of(task).metric]).format(chance=row["value"]))
    names = {"wrong": _("Items that some way gets wrong"), "all": _("All items")}
    which = choose("ev_glue_items", names, _("Which items"))
    answers = frames.answers(task, told, languages)
    ways = [way for way in SHORT if way in answers]
    _items(answers, ways, only_wrong=which == "wrong", has_labels=bool(data_of(task).labels))
    with st.expander(_("The prompt that a decoder reads")):
        item = next(one for one in held_out(task) if one.language in languages)
        st.code(prompt(task, item, few_shot=True), language=None, wrap_lines=True)
        st.caption(_("Without examples, and with the adapter, only the first line and the last block."))
    return task


def _items(answers: pd.DataFrame, ways: list[str], *, only_wrong: bool, has_labels: bool) -> None:
    if has_labels:
        right = answers[ways].eq(answers["label"], axis=0)
    else:
        right = answers[ways].sub(answers["label"], axis=0).abs() <= 1
    kept = ~right.all(axis=1) if only_wrong else right.all(axis=1) | True
    shown = pd.DataFrame({_("Text"): answers["text"]})
    if "text_2" in answers:
        shown[_("Second text")] = answers["text_2"]
    shown[_("Right answer")] = answers["label"].map(_label)
    for way in ways:
        marks = right[way].map({True: "✓ ", False: "✗ "})
        shown[_(SHORT[way])] = marks + answers[way].map(_label)
    st.dataframe(shown[kept], hide_index=True)
    if not has_labels:
        st.caption(_("✓: at most one grade away from the right one. The metric looks at the order alone."))


def _label(label: str | float) -> str:
    return _(LABELS[label]) if isinstance(label, str) else f"{label:.1f}"

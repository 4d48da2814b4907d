"""The prompt that the reader builds, and what the model answers to it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, cast

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts import prompting as charts
from playground.core import pieces
from playground.core.demonstrations import Condition, split
from playground.core.few_shot import FORMATS, Example, Format, PromptTask, is_nested
from playground.core.tables import prompting as frames
from playground.errors import PlaygroundError, TextTooLong, TooManyTokens
from playground.ui import show, state
from playground.ui.choose import choose_from_list
from playground.ui.components.prompt_blocks import PromptToken, prompt_blocks
from playground.ui.number import number_field, slider
from playground.ui.panels import Later
from playground.ui.prompting import code, continuing, own, task_files
from playground.ui.prompting.asking import Answer, answer, lengths
from playground.ui.prompting.prompt import Prompt, window
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, sentence, strong
from playground.ui.url import setting

MAX_SHOTS = 16
N_TEST = 20
N_SHOWN = 8  # answers in the picture


def read(context: PageContext) -> Prompt:
    """Draw the controls in one row; give the prompt they make.

    Args:
        context: From `frame.page`.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", key="below_picture_pro"):
        task_id, task = _task(context)
        style = cast("Format", choose_from_list("pro_format", _formats(context), _("Format")))
        n_shot = slider(_("Examples in the prompt"), range(MAX_SHOTS + 1), 4, key="pro_shots", width=195)
        seed = number_field(
            _("Choice of examples"), 0, 999, 0, key="pro_draw", width=165,
            help=_("Every number is another choice and order of the examples."),
        )  # fmt: skip
        with st.popover(_("More"), icon=":material/tune:"):
            task, condition, by_length, is_calibrated = _more(task_id, task)
            split_seed = number_field(
                _("Which examples are test items"), 0, 999, 0, key="pro_split",
                help=_("They are never shown in the prompt."),
            )  # fmt: skip
    pool, test = split(task.examples, N_TEST, seed=int(split_seed))
    query = _query(context, task, test)
    prompt = Prompt(
        context, task_id, task, tuple(pool), tuple(test), style, min(n_shot, len(pool)), int(seed), condition,
        query, by_length, is_calibrated,
    )  # fmt: skip
    if n_shot > len(pool):
        told = ngettext(
            "The task has {n} example beside its test items: it is in the prompt.",
            "The task has {n} examples beside its test items: all of them are in the prompt.",
            len(pool),
        )
        st.caption(told.format(n=len(pool)))
    return prompt


def _task(context: PageContext) -> tuple[str, PromptTask]:
    names = task_files.names() | {own.ID: _("my own task")}
    task_id = choose_from_list("pro_task", names, _("Task"))
    if task_id != own.ID:
        return task_id, task_files.task(task_id, context.language)
    task = own.task()
    if task is None:
        st.info(
            _("Upload your examples under *My prompts and data* below; until then this is the first task.")
        )
        return next(iter(names)), task_files.task(next(iter(names)), context.language)
    return task_id, task


def _formats(context: PageContext) -> dict[str, str]:
    names = {
        "labelled": _("Name: text"),
        "arrow": _("text -> label"),
        "qa": _("Question, answer"),
        "chat": _("Chat"),
    }
    has_chat = "chat_template" in context.model.capabilities
    return {style: names[style] for style in FORMATS if style != "chat" or has_chat}


def _more(task_id: str, task: PromptTask) -> tuple[PromptTask, Condition, bool, bool]:
    """The instruction, the labels of the examples, how labels are compared."""
    written = st.text_input(
        _("Instruction"), max_chars=300, **setting("pro_instruction", ""),
        placeholder=task.instruction, help=_("Empty: the one of the task. A dash: none."),
    )  # fmt: skip
    instruction = task.instruction if not written.strip() else written.strip().removeprefix("-").strip()
    names = {"true": _("the right ones"), "flipped": _("flipped"), "random": _("random")}
    condition = cast("Condition", choose_from_list("pro_labels", names, _("Labels of the examples")))
    by_length = st.toggle(
        _("Mean over the tokens of a label"), **setting("pro_length", False),
        help=_("A label of several tokens multiplies several probabilities; the mean makes up for it."),
    )  # fmt: skip
    is_calibrated = st.toggle(
        _("Calibrate"), **setting("pro_calibrate", False),
        help=_("Divide by what the model says to “N/A”, “[MASK]” and an empty query (Zhao et al. 2021)."),
    )  # fmt: skip
    return replace(task, instruction=instruction), condition, by_length, is_calibrated


def _query(context: PageContext, task: PromptTask, test: list[Example]) -> Example:
    """A test item, or the reader's sentence where its answer is one of not too many."""
    names = {str(place): one.text for place, one in enumerate(test)}
    if context.text and len(task.labels) <= state.settings().max_candidates:
        names["mine"] = _("my sentence: {text}").format(text=context.text[:60])
    chosen = choose_from_list("pro_query", names, _("Query"))
    return Example(context.text, "") if chosen == "mine" else test[int(chosen)]


# ---------------------------------------------------------------- the picture


def draw(prompt: Prompt) -> tuple[Answer | None, Later | None]:
    """Draw the prompt beside the answer, one sentence, and what stands under a picture.

    Args:
        prompt: From `read`.

    Returns:
        The model's answer, None where the prompt cannot be asked, which is said in a sentence; and what is
        to be called once the page is drawn, if anything.
    """
    left, right = st.columns([1.15, 1])
    try:
        with left:
            _draw_blocks(prompt)
        with right:
            found = answer(prompt)
            table = _table(prompt, found)
            _draw_answer(state.language(), table)
    except (TooManyTokens, TextTooLong) as error:
        st.error(f"{sentence(error)} {_('Use fewer or shorter examples.')}")
        return None, None
    except PlaygroundError as error:
        st.error(sentence(error))
        return None, None
    st.markdown(_reading(prompt, found))
    go_on = continuing.draw(prompt)
    if is_nested(prompt.options):
        plain_format = _(
            "One label is the beginning of another: each is scored with the line break after it."
        )
        chat = _(
            "One label is the beginning of another and so can never seem less probable: choose "
            "another format."
        )
        st.caption(chat if prompt.style == "chat" else plain_format)
    whose = _("your file") if prompt.task_id == own.ID else _("examples of ours")
    show.source(prompt.context.model, whose)
    show.under_picture(
        "prompt", frame=table, code=partial(code.few_shot, prompt, [(), prompt.demos]), picture="pro_answer"
    )
    return found, go_on


def _draw_blocks(prompt: Prompt) -> None:
    made = prompt.tokens
    labels = pieces.labels(made)
    parts = prompt.blocks()
    each: list[list[PromptToken]] = [[] for _part in parts]
    ends = np.cumsum([len(part.text) for part in parts])
    for label, token_id, (start, _stop) in zip(labels, made.input_ids, made.offsets, strict=True):
        place = min(int(np.searchsorted(ends, start, side="right")), len(parts) - 1)
        each[place].append(PromptToken(label, token_id))
    prompt_blocks(parts, each, limit=window(prompt), key="pro_blocks")


def _table(prompt: Prompt, found: Answer) -> pd.DataFrame:
    probs = {"none": found.none, "shots": found.shots}
    logprobs = {"none": found.none_scores.logprobs, "shots": found.scores.logprobs}
    right = prompt.task.right(prompt.query)
    return frames.labels(prompt.options, probs, logprobs, lengths(found.scores), right)


@lru_cache
def _picture(language: str) -> dict[str, Any]:
    """The constant part of the picture; `language` is the session's."""
    words = {
        "label": _("Label"), "probability": _("Probability among the labels (▸ = right)"),
        "logprob": _("Log-probability"), "tokens": _("Tokens"), "none": _("without examples"),
        "shots": _("with the examples"), "prompt": _("Prompt"),
    }  # fmt: skip
    return charts.label_bars(words)


def _draw_answer(language: str, table: pd.DataFrame) -> None:
    shown = frames.most_probable(table, N_SHOWN)
    alt = _("The probability of each label without and with the examples")
    show.show_chart(_picture(language), "pro_answer", alt, data=shown)


def _reading(prompt: Prompt, found: Answer) -> str:
    """One computed sentence."""
    best = int(np.argmax(found.shots))
    told = ngettext(
        "With {n} example {label} gets {p:.1%} of what the model gives to the labels, without {before:.1%}.",
        "With {n} examples {label} gets {p:.1%} of what the model gives to the labels, without {before:.1%}.",
        prompt.n_shot,
    )
    label = prompt.options[best]
    if prompt.by_length or prompt.is_calibrated:
        told = _("With the examples the adjusted share of {label} is {p:.1%}, without them {before:.1%}.")
    elif not prompt.demos:
        told = _("Without examples {label} gets {p:.1%} of what the model gives to the labels.")
    said = told.format(
        n=prompt.n_shot, label=strong(label), p=float(found.shots[best]), before=float(found.none[best])
    )
    if prompt.is_calibrated:
        before = float(found.uncalibrated[best])
        said += " " + _("Before calibration it was {p:.1%}.").format(p=before)
    if not prompt.query.label:
        return said
    if label == prompt.task.right(prompt.query):
        return said + " " + _("That is right.")
    return said + " " + _("The right label is {label}.").format(label=strong(prompt.query.label))

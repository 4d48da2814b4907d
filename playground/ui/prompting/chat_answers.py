"""Answers of a chat model with its template and without it, and of a base model beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from playground.core import pieces
from playground.core.sampling import GREEDY
from playground.core.tables import chat as frames
from playground.core.tables.chat import ChatAnswer, ChatReading
from playground.engine.contract.generation import GenerateStep
from playground.engine.contract.models import CatalogueEntry
from playground.ui import compute, frame, show, stepwise, warming
from playground.ui.choose import choose_from_list
from playground.ui.number import number_field
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain, strong
from playground.ui.throttle import Throttle

KEY = "pro_chat_answers"
BASE = "HuggingFaceTB/SmolLM2-135M"
BOX_HEIGHT = 160
SHOWN_CHARS = 40  # of what two answers have in common

ChatMessage = dict[str, str]


@dataclass(frozen=True)
class Chat:
    """Messages, and the ways in which the model can read them.

    Attributes:
        context: From `frame.page`.
        messages: `role` and `content` of each.
        readings: "template", where the model has one, and "plain": the messages joined by line breaks.
        marks: Ids of special tokens, which are not text.
    """

    context: PageContext
    messages: list[ChatMessage]
    readings: dict[str, ChatReading]
    marks: frozenset[int]


@dataclass
class ChatAnswers:
    """The last answers.

    Attributes:
        chat: To what.
        base: Context of the base model that goes on from the joined messages too, or None.
        n_max: Tokens at most.
        given: "template", "plain", "base" -> the answer, as far as it is written.
        elapsed_ms: Until now.
    """

    chat: Chat
    base: PageContext | None
    n_max: int
    given: dict[str, ChatAnswer] = field(default_factory=dict)
    elapsed_ms: float = 0.0

    @property
    def asked(self) -> tuple[object, ...]:
        """Everything that the answers depend on."""
        base_id = self.base and self.base.model.model_id
        return self.chat.context.model.model_id, base_id, self.chat.messages

    @property
    def begun(self) -> bool:
        """True if any answer has a token."""
        return any(answer.token_ids for answer in self.given.values())

    def title(self, name: str) -> str:
        """The title of an answer: its model and reading."""
        return self.base.model.name if name == "base" and self.base else name_of(name)


def name_of(name: str) -> str:
    """A reading in words."""
    return _("With the template") if name == "template" else _("Without the template")


def draw(chat: Chat, go_on: Callable[..., None] | None) -> Later | None:
    """Draw the controls, the last answers, and the lines under them.

    Args:
        chat: The messages to answer.
        go_on: Takes the messages that come next into the conversation; None when there is no room.

    Returns:
        A function that writes, to be called once the page is drawn; None when nothing is asked.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n_max = number_field(_("Tokens at most"), 8, 64, 40, key="pro_chat_tokens", width=160)
        bases = _bases(chat)
        entry = _chosen(bases) if bases else None
        start = st.button(_("Let it answer"), type="primary", key="pro_chat_answer", icon=":material/chat:")
        st.button(_("Stop"), key="pro_chat_stop", icon=":material/stop:", disabled=not start)
    info = warming.model_when_ready(entry) if entry else None
    fresh = ChatAnswers(chat, replace(chat.context, model=info) if info else None, n_max)
    place = st.empty()
    if start:
        return partial(_write, place, fresh)
    known: ChatAnswers | None = st.session_state.get(KEY)
    answers = known if known is not None and known.begun and known.asked == fresh.asked else fresh
    if answers.begun:
        _draw_answers(answers, go_on)
    else:
        st.caption(_("Greedy: always the most probable token, so that nothing but the prompt differs."))
    if not bases and "template" in chat.readings:
        told = _("A base model would be compared here once it is installed: {command}")
        st.caption(told.format(command=f"`llm-playground pull {BASE}`"))
    _under(answers)
    return None


def _bases(chat: Chat) -> dict[str, CatalogueEntry]:
    """Decoders of this machine without a chat template; none where the model itself has none."""
    if "template" not in chat.readings:
        return {}
    here = {one.model_id for one in compute.models() if one.state in ("waiting", "loading", "ready")}
    return {
        model_id: entry
        for model_id, entry in frame.models().items()
        if model_id in here and "generate" in entry.capabilities and "chat_template" not in entry.capabilities
    }


def _chosen(bases: dict[str, CatalogueEntry]) -> CatalogueEntry | None:
    names = {"none": _("none")} | {model_id: entry.name for model_id, entry in bases.items()}
    return bases.get(choose_from_list("pro_chat_base", names, _("Base model beside it")))


# ---------------------------------------------------------------- writing


def _write(place: Any, answers: ChatAnswers) -> None:  # noqa: ANN401  (Streamlit's container)
    """Write to the end; any click of the reader stops it within one step, what is written stays."""
    chat, began = answers.chat, time.monotonic()
    st.session_state[KEY] = answers
    runs = [(chat.context, {name: one.tokens for name, one in chat.readings.items()})]
    if answers.base is not None:
        text = chat.readings["plain"].tokens.text
        runs.append(
            (
                answers.base,
                {"base": compute.cut(answers.base.model.model_id, text)},
            )
        )
    answers.given = {name: ChatAnswer() for _context, prompts in runs for name in prompts}
    with place.container():
        pace, progress = Throttle(), _ChatProgress(answers)
        for context, prompts in runs:
            settings = [{"sampling": GREEDY, "input_ids": one.input_ids} for one in prompts.values()]
            steps = stepwise.generate_many(context, settings, max_new_tokens=answers.n_max)
            given = [answers.given[name] for name in prompts]
            with closing(steps):
                for row, step in steps:
                    _take(given[row], step)
                    answers.elapsed_ms = 1_000 * (time.monotonic() - began)
                    pace(progress.draw)
    st.rerun()


def _take(answer: ChatAnswer, step: GenerateStep) -> None:
    answer.token_ids.append(step.token_id)
    answer.tokens.append(step.token)
    answer.logprobs.append(step.logprob)
    answer.text += step.text
    answer.finish = step.finish_reason


class _ChatProgress:
    """Progress of the answers, with their text so far."""

    def __init__(self, answers: ChatAnswers) -> None:
        self._answers = answers
        self._places = _boxes(answers)
        self._total = answers.n_max * len(answers.given)
        model_id = answers.chat.context.model.model_id
        # where the facts will stand: nothing jumps
        self._bar = Progress("chat", model_id, self._total, _("The model writes"))

    def draw(self) -> None:
        given, n_max = self._answers.given, self._answers.n_max
        done = sum(n_max if answer.finish else len(answer.token_ids) for answer in given.values())
        self._bar.draw(done, _("{done} of {total} tokens").format(done=done, total=self._total))
        for name, place in self._places.items():
            place.text(given[name].text)


def _boxes(answers: ChatAnswers) -> dict[str, Any]:
    """A place of fixed height for each answer, side by side, under its title."""
    places = {}
    for column, name in zip(st.columns(len(answers.given)), answers.given, strict=True):
        with column:
            st.markdown(f"**{plain(answers.title(name))}**")
            places[name] = st.container(border=True, height=BOX_HEIGHT).empty()
    return places


# ---------------------------------------------------------------- what was written


def _draw_answers(answers: ChatAnswers, go_on: Callable[..., None] | None) -> None:
    places = _boxes(answers)
    for column, (name, answer) in zip(st.columns(len(places)), answers.given.items(), strict=True):
        places[name].text(answer.text)
        column.caption(_facts(answer))
    st.markdown(told(answers))
    framed = answers.given.get("template")
    if framed is not None and framed.text.strip():
        st.button(
            _("Continue the conversation"), key="pro_chat_continue", icon=":material/forum:",
            disabled=go_on is None, on_click=go_on, args=(framed.text, ""),
        )  # fmt: skip


def _facts(answer: ChatAnswer) -> str:
    words = [_n_tokens(len(answer.token_ids))]
    if answer.token_ids:
        bits = float(np.mean(answer.surprisal_bits))
        words.append(_("mean surprisal {bits:.2f} bits").format(bits=bits))
    ends = {"end_of_text": _("ended by itself"), "length": _("cut at the limit"),
            "context_full": _("cut: the context is full")}  # fmt: skip
    return " · ".join([*words, ends.get(answer.finish or "", _("stopped by a click"))])


def told(answers: ChatAnswers) -> str:
    """A sentence on the effect of the template, Markdown."""
    words = [_how_it_ended(answers, name, answer) for name, answer in answers.given.items()]
    framed, joined = (answers.given.get(name) for name in ("template", "plain"))
    if framed is not None and joined is not None:
        if framed.token_ids == joined.token_ids:
            words.append(_("Both say the same, token for token: here the template makes no difference."))
        else:
            words.append(_difference(framed, joined))
    return " ".join(words)


def _difference(framed: ChatAnswer, joined: ChatAnswer) -> str:
    """The place where two answers part, with the tokens that come there."""
    alike = frames.common_start(framed.token_ids, joined.token_ids)
    with_template, without = (
        strong(pieces.sequence_labels(one.tokens)[alike]) if alike < len(one.tokens) else _("nothing more")
        for one in (framed, joined)
    )
    if alike:
        told = ngettext(
            "They begin with the same token; then comes {framed} with the template, {joined} without it.",
            "They begin with the same {n} tokens; then comes {framed} with the template, {joined} without "
            "it.",
            alike,
        )
        return told.format(n=alike, framed=with_template, joined=without)
    said = _("The first token is {framed} with the template, {joined} without it.").format(
        framed=with_template, joined=without
    )
    letters, others = (pieces.characters(one.text.strip()) for one in (framed, joined))
    start = "".join(letters[: min(SHOWN_CHARS, frames.common_start(letters, others))]).strip()
    if start:
        told = _(
            "As texts both begin with “{text}”: only the white space before it differs, or how it is cut."
        )
        said += " " + told.format(text=plain(start))
    return said


def _how_it_ended(answers: ChatAnswers, name: str, answer: ChatAnswer) -> str:
    by_itself, n = answer.finish == "end_of_text", len(answer.token_ids)
    if name == "template":
        words = (
            _("With the template the model ended by itself after {n_tokens}, the end token included.")
            if by_itself
            else _("With the template the model had not ended after {n_tokens}.")
        )
    elif name == "plain":
        words = (
            _("Without the template the model ended by itself after {n_tokens}, the end token included.")
            if by_itself
            else _("Without the template the model had not ended after {n_tokens}.")
        )
    else:
        words = (
            _("The base model {name} ended by itself after {n_tokens}, the end token included.")
            if by_itself
            else _("The base model {name} had not ended after {n_tokens}.")
        )
    return words.format(name=plain(answers.title(name)), n_tokens=_n_tokens(n))


def _n_tokens(n: int) -> str:
    return ngettext("{n:,} token", "{n:,} tokens", n).format(n=n)


# ---------------------------------------------------------------- what stands under it


def _under(answers: ChatAnswers) -> None:
    """Draw the source of the numbers, values, CSV and code."""
    chat, base, model = answers.chat, answers.base, answers.chat.context.model
    show.source(model, *([f"{answers.elapsed_ms:.0f} ms"] if answers.begun else []))
    code = show.code(
        "chat_xray",
        folder=show.model_folder(model.model_id),
        base_folder=show.model_folder(base.model.model_id) if base else "",
        messages=chat.messages,
        n_tokens=answers.n_max,
    )
    table = partial(frames.chat, chat.readings, answers.given)
    show.under_picture("chat_xray", frame=table, code=code)

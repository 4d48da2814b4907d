"""Steps that follow once the page is drawn: an answer that is written, a set that is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from playground.core.jobs.prompts import WritingJob
from playground.ui.panels import Later
from playground.ui.state import PageContext
from playground.ui.tasks.writer import answer_own, known, refusal
from playground.ui.text import _, plain, sentence

Step = Callable[[], bool]


def all_of(steps: Sequence[Step | None]) -> Later | None:
    """These one after the other; then the page once more, if one of them has found something."""
    wanted = [one for one in steps if one is not None]
    if not wanted:
        return None

    def later() -> None:
        found = [step() for step in wanted]
        if any(found):
            st.rerun()

    return later


def say_left_out(n: int) -> None:
    """Say how many items of the set the model cannot read; nothing where it can read all."""
    if n:
        st.caption(_("Left out, as they are too long for this model: {n}.").format(n=n))


def answer_line(
    context: PageContext,
    job: WritingJob,
    text: str,
    words: str,
    place: Any,  # noqa: ANN401
) -> tuple[Step | None, str]:
    """Draw the answer to a text as far as it is known; the step that writes it, and the answer.

    Args:
        context: With the model that writes.
        job: Its kind.
        text: As the model reads it.
        words: Before the answer.
        place: Streamlit's element for the line.
    """

    def draw(answer: str) -> None:
        place.markdown(f"{words} **{plain(answer.strip()) or '…'}**")

    model = context.model
    if (error := refusal(model.model_id, model.n_ctx, job, text)) is not None:
        place.error(sentence(error))
        return None, ""
    answer = known(context, text)
    draw(answer or "")
    return (partial(answer_own, context, job, text, draw) if answer is None else None), answer or ""

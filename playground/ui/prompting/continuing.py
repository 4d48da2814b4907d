"""The model's continuation of the prompt: the text beneath the labels."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import Any

import streamlit as st

from playground.core.sampling import GREEDY
from playground.errors import TooManyTokens
from playground.ui import state, stepwise
from playground.ui.panels import Later
from playground.ui.prompting.prompt import Prompt
from playground.ui.text import _, sentence

N_TOKENS = 8


def draw(prompt: Prompt) -> Later | None:
    """Draw what is known of it.

    Args:
        prompt: The prompt that it continues.

    Returns:
        What writes it, to be called once the page is drawn; None when it is known or cannot be.
    """
    n, limit = len(prompt.tokens), state.settings().max_tokens
    with st.container(horizontal=True, vertical_alignment="center", key="pro_continuation"):
        told = _("Its next {n} tokens, always the most probable one:")
        st.markdown(told.format(n=N_TOKENS), width="content")
        place = st.empty()
    if n > limit:
        place.caption(sentence(TooManyTokens(limit=limit, got=n)))
        return None
    known = _known(prompt.context.model.model_id, prompt.tokens.input_ids)
    if known:
        place.text(known[0])
        return None
    place.text("…")
    return partial(_write, prompt, place, known)


@st.cache_resource(max_entries=1_000, show_spinner=False)  # eight tokens each
def _known(model_id: str, input_ids: tuple[int, ...]) -> list[str]:
    """The text, as soon as one page has written it whole: for a class that opens the same prompt."""
    return []


def _write(prompt: Prompt, place: Any, known: list[str]) -> None:  # noqa: ANN401  (Streamlit's container)
    settings = {"input_ids": prompt.tokens.input_ids, "sampling": GREEDY}
    written = ""
    with place.container():  # the waiting line stands here too
        steps = stepwise.generate_many(prompt.context, [settings], max_new_tokens=N_TOKENS)
        shown, is_whole = st.empty(), False
        with closing(steps):
            for _row, step in steps:
                written += step.text
                shown.text(_visible(written))
                is_whole = step.finish_reason is not None
    if is_whole:
        known[:] = [_visible(written)]


def _visible(written: str) -> str:
    """On one line."""
    return written.replace("\n", "⏎")

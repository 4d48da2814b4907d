"""A poll on two continuations that the model really wrote: two seeds, or two models."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from string import ascii_uppercase

import streamlit as st

from playground.core.classroom.polls import Poll
from playground.core.sampling import Sampling
from playground.ui import frame, stepwise, warming
from playground.ui.choose import choose_from_list
from playground.ui.frame import has_sentence
from playground.ui.number import number_field
from playground.ui.panels import Later
from playground.ui.polls import one_line
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.text import _, plain

N_TOKENS = 32
_WRITTEN = "poll_written"
SETTINGS = Sampling(temperature=0.8, top_p=0.95)


@dataclass(eq=False)
class _Written:
    """Two continuations of a text.

    Attributes:
        asked: Text, models and seeds.
        texts: The continuations, as far as they are written.
        is_done: True once both are.
    """

    asked: tuple[object, ...]
    texts: list[str] = field(default_factory=lambda: ["", ""])
    is_done: bool = False


def prepare(context: PageContext, open_button: Callable[[Poll], None]) -> Later | None:
    """Draw seeds and models, and what they wrote last.

    Args:
        context: From `frame.page`.
        open_button: Draws the button that opens a poll.
    """
    if "generate" not in context.model.capabilities or context.model.kind != "decoder":
        st.info(_("This model predicts no next token: pick a decoder."))
        return None
    if not has_sentence(context):
        return None
    st.markdown(_("After: {text} …").format(text=plain(context.text)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seeds = (
            number_field(_("Seed of A"), 0, 2**32 - 1, 0, key="class_seed_a", width=130),
            number_field(_("Seed of B"), 0, 2**32 - 1, 1, key="class_seed_b", width=130),
        )
        other = _model_of_b(context)
        writes = st.button(_("Write both"), key="poll_write", icon=":material/edit:", disabled=other is None)
    if other is None:
        return None
    asked = (context.text, context.model.model_id, other.model.model_id, *seeds)
    place = st.empty()
    if writes:
        return partial(_write, place, context, other, seeds, asked)
    written: _Written | None = st.session_state.get(_WRITTEN)
    if written is None or written.asked != asked or not written.is_done:
        st.caption(
            _("Both are drawn at temperature {t:g} and top-p {p:g}.").format(
                t=SETTINGS.temperature, p=SETTINGS.top_p
            )
        )
        return None
    for name, text in zip(ascii_uppercase, written.texts, strict=False):
        st.markdown(f"**{name}** · {plain(one_line(text))}")
    if written.texts[0] == written.texts[1]:
        st.warning(_("Both wrote the same: take another seed."))
        return None
    open_button(Poll("better", context.text, tuple(written.texts), model=context.model.model_id))
    return None


def _model_of_b(context: PageContext) -> PageContext | None:
    """The context with the model of B; None while that is not ready (what it is doing is drawn)."""
    known = {
        model_id: entry
        for model_id, entry in frame.choices().items()
        if {"generate", "logits"} <= set(entry.capabilities) and model_id != context.model.model_id
    }
    names = {"same": _("the same model")} | {model_id: entry.name for model_id, entry in known.items()}
    model_id = choose_from_list("class_model_b", names, _("Model of B"))
    if model_id == "same":
        return context
    info = warming.model_when_ready(known[model_id])
    return None if info is None else replace(context, model=info)


def _write(
    place: object, context: PageContext, other: PageContext, seeds: tuple[int, int], asked: tuple[object, ...]
) -> None:
    """Write both to the end; a click of the teacher ends it."""
    written = st.session_state[_WRITTEN] = _Written(asked)
    with place.container():  # type: ignore[attr-defined]
        bar = Progress("poll texts", context.model.model_id, 2 * N_TOKENS, _("The model writes"))
        for side, (one, seed) in enumerate(zip((context, other), seeds, strict=True)):
            settings = [{"sampling": SETTINGS, "seed": seed}]
            with closing(stepwise.generate_many(one, settings, max_new_tokens=N_TOKENS)) as steps:
                for _row, step in steps:
                    written.texts[side] += step.text
                    done = side * N_TOKENS + step.index + 1
                    bar.draw(done, _("{done} of {total} tokens").format(done=done, total=2 * N_TOKENS))
    written.is_done = True
    st.rerun()

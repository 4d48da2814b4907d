"""Answers that the class's model writes to the reader's own prompt, to be voted on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from itertools import combinations

import streamlit as st

from playground.core.canonical import is_same
from playground.core.preferences.pair import PreferencePair
from playground.core.sampling import Sampling
from playground.errors import InputError
from playground.ui import preferences, stepwise
from playground.ui.number import number_field, slider
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _, ngettext, sentence
from playground.ui.url import setting

ANSWERS = "al_written"  # prompt -> the answers to it, of no widget
outlives_reload(ANSWERS)
N_ANSWERS, N_TOKENS = 4, 48
MOST_PROMPTS, MOST_CHARS = 20, 500
TEMPERATURES = (0.3, 0.6, 0.8, 1.0, 1.3)


def pairs() -> tuple[PreferencePair, ...]:
    """Each two different answers to a prompt, in the order in which they were written."""
    return tuple(
        PreferencePair(prompt, first, second)
        for prompt, answers in _kept().items()
        for first, second in combinations(answers, 2)
    )


def ask(context: PageContext) -> Later | None:
    """Draw prompt, temperature and seed; gives what writes the answers once the reader has asked for it."""
    default = _("Write one sentence about autumn.")
    prompt = st.text_input(
        _("Your own prompt"),
        default,
        max_chars=MOST_CHARS,
        **setting(f"al_prompt_{context.language}", default),
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        temperature = slider(_("Temperature"), TEMPERATURES, 1.0, key="al_temperature", width=240)
        seed = number_field(_("Seed"), 0, 9_999, 0, key="al_seed", width=120)
        is_asked = st.button(
            _("Write four answers"), key="al_write", icon=":material/edit:", disabled=not prompt.strip()
        )
        if _kept():
            st.button(_("Forget all answers"), key="al_write_clear", on_click=_clear)
    n = len(_kept())
    told = ngettext("Answers to {n} prompt are kept.", "Answers to {n} prompts are kept.", n).format(n=n)
    if n < 2:
        told += " " + _("A model needs pairs of two prompts at least: one to learn from, one to test on.")
    st.caption(told)
    place = st.empty()
    if not is_asked:
        return None
    return partial(_write, place, context, prompt.strip(), float(temperature), int(seed))


def _write(place: object, context: PageContext, prompt: str, temperature: float, seed: int) -> None:
    """Write all four to the end; a click ends it, and nothing is kept."""
    with place.container():  # type: ignore[attr-defined]
        try:
            (example,) = preferences.prompts(context, [prompt])
        except InputError as error:
            st.error(sentence(error))
            return
        texts, n_done = [""] * N_ANSWERS, [0] * N_ANSWERS
        bar = Progress(
            "preference answers", context.model.model_id, N_ANSWERS * N_TOKENS, _("The model writes")
        )
        sampling = Sampling(temperature=temperature, top_p=0.95)
        settings = [
            {"input_ids": example.prompt_ids, "sampling": sampling, "seed": N_ANSWERS * seed + row}
            for row in range(N_ANSWERS)
        ]
        with closing(stepwise.generate_many(context, settings, max_new_tokens=N_TOKENS)) as steps:
            for row, step in steps:
                texts[row] += step.text
                n_done[row] = N_TOKENS if step.finish_reason is not None else step.index + 1
                told = _("{done} of {total} tokens")
                bar.draw(sum(n_done), told.format(done=sum(n_done), total=N_ANSWERS * N_TOKENS))
    if sum(n_done) < N_ANSWERS * N_TOKENS:  # a click ended it
        return
    different = _different(texts)
    if len(different) < 2:
        st.warning(_("All four answers are the same or empty: take a higher temperature or another seed."))
        return
    keep(prompt, different)
    st.session_state.pop("al_pair", None)
    st.rerun()


def keep(prompt: str, answers: Sequence[str]) -> None:
    """Keep answers to a prompt instead of earlier ones; of too many prompts the oldest goes."""
    kept = _kept()
    kept.pop(prompt, None)
    kept[prompt] = tuple(answers)
    while len(kept) > MOST_PROMPTS:
        del kept[next(iter(kept))]


def _different(texts: Sequence[str]) -> list[str]:
    found: list[str] = []
    for text in (one.strip() for one in texts):
        if text and not any(is_same(text, other) for other in found):
            found.append(text)
    return found


def _clear() -> None:
    _kept().clear()
    st.session_state.pop("al_pair", None)


def _kept() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = st.session_state.setdefault(ANSWERS, {})
    return found

"""The granularity ladder: the reader's text in letters, characters, subwords and words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import streamlit as st

from playground.charts import tokenization as charts
from playground.core import tokenization
from playground.core.canonical import canonical
from playground.core.tables import tokenization as frames
from playground.core.tokenization import Rung, Typo
from playground.paths import site_root
from playground.ui import show
from playground.ui.frame import has_sentence
from playground.ui.state import PageContext
from playground.ui.text import N_, _, ngettext, plain

_UNITS = {
    "jamo": N_("letters (jamo)"),
    "syllable": N_("characters (syllables)"),
    "subword": N_("subwords (BPE)"),
    "word": N_("words (spaces)"),
}
_SAMPLES = {"en": N_("English"), "ko": N_("Korean")}


@st.fragment
def ladder_panel(context: PageContext) -> None:
    """The reader's text in letters, characters, subwords and words, and what one typing error costs."""
    st.markdown(f"## {_('How large should a token be?')}")
    if not has_sentence(context):
        return
    code = "ko" if tokenization.is_hangul(context.text) else "en"
    text = canonical(context.text)
    rungs, wrong = _ladder(text, code), tokenization.typo(text, corpus(code))
    frame = frames.ladder(rungs)
    alt = _("Vocabulary size, length, unknown units and units lost for four sizes of tokens")
    show.show_chart(
        _ladder_picture(context.language, st.context.theme.type == "dark"), "tok_ladder", alt, data=frame
    )
    st.markdown(_ladder_reading(rungs, wrong))
    st.caption(
        _("Vocabularies: the units of our {language} sample text ({n:,} characters); subwords: {m:,} merges")
        .format(language=_(_SAMPLES[code]), n=len(corpus(code)), m=tokenization.N_SUBWORD_MERGES)
    )  # fmt: skip
    values = {"text": text, "with_typo": wrong.text if wrong else text}
    path = str(_corpus_path(code))
    show.under_picture(
        "ladder",
        frame=frame,
        code=partial(show.code, "ladder", reference_file=path, **values),
        picture="tok_ladder",
    )


@st.cache_data(max_entries=100, show_spinner=False)
def _ladder(text: str, code: str) -> tuple[Rung, ...]:
    return tokenization.ladder(text, corpus(code))


def _ladder_reading(rungs: Sequence[Rung], wrong: Typo | None) -> str:
    of = {rung.granularity: rung for rung in rungs}
    word, jamo = of["word"], of["jamo"]
    parts = [
        ngettext(
            "As words the text has {n} unit, {unknown} of them unknown.",
            "As words the text has {n} units, {unknown} of them unknown.",
            word.n_units,
        ).format(n=word.n_units, unknown=word.n_unknown),
        (
            _("As letters, spaces not counted, it has {n}, {unknown} of them unknown.")
            if jamo.n_unknown
            else _("As letters, spaces not counted, it has {n}, all of them known.")
        ).format(n=jamo.n_units, unknown=jamo.n_unknown),
    ]
    if wrong is not None:
        told = (
            _(
                "One typo, **{word}** → **{wrong}**, loses {lost} of {n} known words, "
                "but {few} of {m} letters."
            )
            if word.n_lost
            else _(
                "**{word}** → **{wrong}** loses no known word: it was unknown before. "
                "Of {m} letters it loses {few}."
            )
        )
        parts.append(
            told.format(word=plain(wrong.word), wrong=plain(wrong.wrong), lost=word.n_lost,
                        n=word.n_units - word.n_unknown, few=jamo.n_lost, m=jamo.n_units)
        )  # fmt: skip
    return " ".join(parts)


@lru_cache
def _ladder_picture(language: str, dark: bool) -> dict[str, Any]:
    words = {name: _(msgid) for name, msgid in _UNITS.items()}
    return charts.ladder(
        words
        | {
            "granularity": _("Unit"),
            "d_vocab": _("Vocabulary size"),
            "n_units": _("Length of your text"),
            "oov_rate": _("Unknown (OOV)"),
            "lost": _("Lost by one typo"),
        },
        ink="#fafafa" if dark else "#31333f",
    )


@lru_cache
def corpus(code: str) -> str:
    """Our sample text in English or Korean."""
    return _corpus_path(code).read_text("utf-8")


def _corpus_path(code: str) -> Path:
    return site_root() / "assets" / "samples" / f"corpus_{code}.txt"

"""The language bill: the same sentence in ten languages, counted by each tokenizer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import pandas as pd
import streamlit as st

from playground.charts import tokenization as charts
from playground.core.tables import tokenization as frames
from playground.paths import site_root
from playground.ui import show
from playground.ui.state import PageContext
from playground.ui.text import N_, _, plain
from playground.ui.tokenization.rows import cut, provenance, sources

_LANGUAGES = {
    "en": N_("English"),
    "ko": N_("Korean"),
    "ja": N_("Japanese"),
    "zh": N_("Chinese"),
    "de": N_("German"),
    "fr": N_("French"),
    "es": N_("Spanish"),
    "ru": N_("Russian"),
    "ar": N_("Arabic"),
    "hi": N_("Hindi"),
}


@st.fragment
def bill_panel(context: PageContext, tokenizer_ids: Sequence[str]) -> None:
    """The same sentence in ten languages, counted by each tokenizer."""
    st.markdown(f"## {_('How many tokens does one sentence take in ten languages?')}")
    frame = bill(tuple(tokenizer_ids))
    alt = _("Tokens of the same sentence in ten languages, relative to English, for each tokenizer")
    picture = _bill_picture(context.language, tuple(tokenizer_ids))
    show.show_chart(picture, "tok_bill", alt, data=frame)
    st.markdown(_bill_reading(frame))
    provenance(tokenizer_ids)
    show.under_picture("language_bill", frame=frame, code=partial(_code, tokenizer_ids), picture="tok_bill")


def _code(tokenizer_ids: Sequence[str]) -> str:
    return show.code("language_bill", texts=_sentences(), **sources(tokenizer_ids))


@lru_cache(maxsize=64)
def bill(tokenizer_ids: tuple[str, ...]) -> pd.DataFrame:
    """The rows of the language bill: our own sentences, so they are counted once for all readers."""
    texts = _sentences()
    counts = {name: {code: len(cut(name, text)) for code, text in texts.items()} for name in tokenizer_ids}
    return frames.language_bill(counts, texts)


def dearest(tokenizer_id: str) -> str:
    """The language whose sentence needs most tokens."""
    return max(_sentences(), key=lambda code: len(cut(tokenizer_id, _sentences()[code])))


def languages() -> dict[str, str]:
    """Language code -> its name in the reader's language."""
    return {code: _(name) for code, name in _LANGUAGES.items()}


def _bill_reading(frame: pd.DataFrame) -> str:
    bills = frame.to_dict("records")
    high = max(bills, key=lambda row: row["ratio_to_english"])
    same = [row for row in bills if row["language"] == high["language"]]
    low = min(same, key=lambda row: row["ratio_to_english"])
    return _(
        "The same sentence in {language} costs **{high:.1f} times** as many tokens as in English "
        "with {name}, {low:.1f} times with {other}."
    ).format(
        language=_(_LANGUAGES[high["language"]]),
        high=high["ratio_to_english"],
        name=plain(high["tokenizer"]),
        low=low["ratio_to_english"],
        other=plain(low["tokenizer"]),
    )


@lru_cache
def _sentences() -> dict[str, str]:
    path = site_root() / "assets" / "samples" / "languages.json"
    found: dict[str, str] = json.loads(path.read_text("utf-8"))
    return found


@lru_cache(maxsize=64)
def _bill_picture(language: str, tokenizer_ids: tuple[str, ...]) -> dict[str, Any]:
    words = {
        "tokenizer": _("Tokenizer"),
        "ratio": _("Tokens, relative to English"),
        "tokens": _("Tokens"),
        "characters": _("Characters"),
        "per_character": _("Tokens per character"),
    }
    names = {f"language_{code}": name for code, name in languages().items()}
    return charts.language_bill(words | names, tokenizer_ids)

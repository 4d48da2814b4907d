"""A candidate and its references: the fields that BLEU and ROUGE share, and examples of ours."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from playground.core.canonical import canonical
from playground.core.files.encoding import readable_text
from playground.ui import state
from playground.ui.text import N_, _
from playground.ui.translations import localized
from playground.ui.url import put, setting

MAX_CHARS = 300
LIVE = "250ms"  # after the last key
CANDIDATE, FIRST, SECOND = "ev_candidate", "ev_reference", "ev_reference_2"
_NAMES = {
    "translation": N_("A translation"),
    "repeated": N_("One word again and again"),
    "few_words": N_("“a, the” only"),
    "other_words": N_("Right, in other words"),
    "order": N_("The words in a wrong order"),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """Texts that a metric compares.

    Attributes:
        candidate: The text that is scored, in its canonical form; may be empty.
        references: The right texts that are not empty.
    """

    candidate: str
    references: tuple[str, ...]


def examples() -> None:
    """Draw a button for each of our examples."""
    with st.popover(_("Examples"), icon=":material/format_quote:", key="ev_examples"):
        for name, words in _NAMES.items():
            st.button(_(words), key=f"ev_example_{name}", on_click=_load, args=(name,), width="stretch")


def fields() -> Compared | None:
    """Draw the fields; the texts, None (and says so) where there is no reference."""
    at_first = _examples(state.language())["translation"]
    with st.container(key="below_picture_ev"):
        left, middle, right = st.columns([5, 4, 4])
    with left:
        candidate = _field(_("Candidate: the text that is scored"), CANDIDATE, at_first.candidate)
    with middle:
        first = _field(_("Reference: a right text"), FIRST, at_first.references[0])
    with right:
        second = _field(_("Another reference, or nothing"), SECOND, at_first.references[1])
    references = tuple(text for text in (first, second) if text.strip())
    if not references:
        st.info(_("There is no reference: write a right text that the candidate is compared with."))
        return None
    return Compared(candidate, references)


@contextmanager
def reading_libraries() -> Iterator[None]:
    """Say that rouge-score is being imported, which takes seconds, the first time in this process."""
    if "rouge_score.rouge_scorer" in sys.modules:
        yield
        return
    with st.spinner(_("The libraries are being read")):
        yield


def titles(references: tuple[str, ...]) -> list[str]:
    """Titles of the references in a picture."""
    if len(references) == 1:
        return [_("Reference")]
    return [_("Reference {n}").format(n=n) for n in range(1, len(references) + 1)]


def _field(label: str, key: str, default: str) -> str:
    typed = st.text_input(label, default, max_chars=MAX_CHARS, live=LIVE, **setting(key, default))
    return canonical(readable_text(typed)[0])[:MAX_CHARS]


def _load(name: str) -> None:
    """Put an example into the fields; a callback."""
    example = _examples(state.language())[name]
    for key, text in zip((CANDIDATE, FIRST, SECOND), (example.candidate, *example.references), strict=True):
        put(key, text)


@lru_cache
def _examples(language: str) -> dict[str, Compared]:
    rows = json.loads(localized(language, "samples", "compared.json").read_text("utf-8"))
    return {row["id"]: Compared(row["candidate"], tuple(row["references"])) for row in rows}

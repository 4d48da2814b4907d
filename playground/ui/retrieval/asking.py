"""The question that is looked up, how, and what is found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import get_args

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.core import shipped_documents as shipped
from playground.engine.contract.retrieval import (
    METRICS,
    ChunkFilter,
    EncodeRequest,
    Found,
    Hit,
    Metric,
    SearchRequest,
    Way,
)
from playground.errors import PlaygroundError
from playground.ui import collections, state
from playground.ui.choose import choose, choose_from_list
from playground.ui.number import slider
from playground.ui.retrieval.collection import Current
from playground.ui.state import PageContext
from playground.ui.text import N_, _, plain, sentence
from playground.ui.url import hidden, put, setting

EXAMPLE = "ret_example"
ASKED = "ret_asked"
N_HITS = 5
_FIRST = ("small_hours", "too_far_down", "comet")  # ids of questions
_METRICS = {"cosine": N_("cosine"), "l2": N_("Euclidean distance"), "dot": N_("dot product")}
_LANGUAGES = {"all": N_("all languages"), "en": "English", "ko": "한국어"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and how it is looked up.

    Attributes:
        question: The question.
        metric: Similarity of vectors.
        n: Chunks of each list.
        where: Metadata filter.
    """

    question: str
    metric: Metric
    n: int
    where: ChunkFilter


@cache
def examples(language: str) -> tuple[str, ...]:
    """Questions about the shipped documents, those first in which the ways of searching differ."""
    code = language if language in shipped.languages() else "en"
    found = [one for name in shipped.names() for one in shipped.questions(name, code)]
    kinds = ("paraphrase", "rare", "plain", "none")
    numbered = {kind: [one for one in found if one.kind == kind] for kind in kinds}
    order = sorted(found, key=lambda one: (numbered[one.kind].index(one), kinds.index(one.kind)))
    first = [one for name in _FIRST for one in found if one.question_id == name]
    return tuple(dict.fromkeys(one.text for one in (*first, *order)))


def question() -> str:
    """The question that is looked up now: the typed one, otherwise an example in the reader's language."""
    return str(st.session_state.get("ret_query", "")).strip() or _example()


def _example() -> str:
    every = examples(state.language())
    number = str(st.session_state.get(EXAMPLE, ""))
    return every[int(number) % len(every) if number.isdecimal() and len(number) < 4 else 0]


def _another() -> None:
    number = str(st.session_state.get(EXAMPLE, ""))
    put(EXAMPLE, str(int(number) + 1 if number.isdecimal() and len(number) < 4 else 1))
    st.session_state["ret_query"] = ""


def controls(now: Current) -> Asked:
    """Draw the field of the question and the settings of the search."""
    hidden(EXAMPLE)
    field_at, another_at, language_at, more_at = st.columns([4, 2, 2, 2], vertical_alignment="bottom")
    with field_at:
        st.text_input(
            _("Question"), max_chars=400, placeholder=_example(), **setting("ret_query", ""),
        )  # fmt: skip
    another_at.button(_("Another example"), key="ret_another", icon=":material/casino:", on_click=_another)
    with language_at:
        names = {code: _(name) for code, name in _LANGUAGES.items()}
        language = choose_from_list("ret_language", names, _("Documents in"))
    with more_at, st.popover(_("More"), icon=":material/tune:"):
        metric = choose("ret_metric", {one: _(_METRICS[one]) for one in METRICS}, _("Similarity of vectors"))
        n = slider(_("Chunks in each list"), range(1, 11), N_HITS, key="ret_n")
        where, wrong = _more(now, language)
    for written in wrong:
        told = _("{value} is not a day: write it as {example}, or leave the field empty.")
        st.error(told.format(value=plain(written), example="1958-01-31"))
    return Asked(question(), _metric(metric), int(n), where)


def _metric(name: str) -> Metric:
    return next(one for one in get_args(Metric) if one == name)


def _more(now: Current, language: str) -> tuple[ChunkFilter, list[str]]:
    """The rest of the filter, and what was typed for a day and is none."""
    names = [one.name for one in now.documents]
    before = [one for one in st.session_state.get("ret_sources", []) if one in names]
    st.session_state["ret_sources"] = before
    sources = st.multiselect(
        _("Only these documents"), names, key="ret_sources", persist_state="session",
        placeholder=_("all documents"),
    )  # fmt: skip
    first = st.text_input(
        _("From this day"), placeholder="1958-01-31", max_chars=10, **setting("ret_from", "")
    )
    last = st.text_input(
        _("Until this day"), placeholder="2031-12-31", max_chars=10, **setting("ret_until", "")
    )
    typed = [first.strip(), last.strip()]
    wrong = [one for one in typed if one and not _is_day(one)]
    languages = () if language == "all" else (language,)
    return ChunkFilter(tuple(sources), languages, *("" if one in wrong else one for one in typed)), wrong


def _is_day(written: str) -> bool:
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True


def search(context: PageContext, now: Current, asked: Asked, way: Way) -> Found | None:
    """Everything that a way of searching finds; None, and one sentence, where it cannot."""
    request = SearchRequest(
        now.model, now.collection_id, asked.question, way, asked.metric, asked.n, asked.where,
        topic=f"search {way}",
    )  # fmt: skip
    try:
        return collections.search(context, request)
    except PlaygroundError as error:
        st.error(sentence(error))
        return None


def hits(context: PageContext, now: Current, way: Way, *, n: int, source: str) -> tuple[Hit, ...]:
    """Chunks of one document that the question finds; () where it cannot be asked."""
    where = ChunkFilter(sources=(source,))
    found = search(context, now, Asked(question(), "cosine", n, where), way)
    return () if found is None else found.hits


def vector(context: PageContext, now: Current) -> NDArray[np.float32] | None:
    """The question's vector [d_vector]; None, and one sentence, where there is none."""
    try:
        request = EncodeRequest(now.model, (question(),), are_queries=True)
        found: NDArray[np.float32] = collections.encode(context, request)[0]
    except PlaygroundError as error:
        st.error(sentence(error))
        return None
    return found


def in_words(asked: Asked, found: Found) -> str:
    """The question, and the filter as the database got it."""
    words = _("Asked: {question}").format(question=plain(asked.question))
    if found.sql:
        words += " · " + _("filter in SQL:") + f" `{found.sql.replace('`', 'ˋ')}`"
    return words

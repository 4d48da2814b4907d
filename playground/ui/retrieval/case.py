"""A question with the chunks it is asked with: the controls that choose them, and the prompts they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import streamlit as st

from playground.core import shipped_documents as shipped
from playground.core.documents import Question
from playground.core.files.encoding import readable_text
from playground.core.grounding import WAYS, WORDINGS, Picked, Way, Wording, pick, shuffled
from playground.core.scripts import script_of
from playground.engine.contract.retrieval import Chunk, ChunkFilter, SearchRequest
from playground.ui import collections, roles
from playground.ui.choose import choose, choose_from_list
from playground.ui.number import slider
from playground.ui.retrieval.collection import Current
from playground.ui.retrieval.grounded import N_NEW, Grounded, grounded
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.translations import language_name
from playground.ui.url import setting

OWN = "own"
MAX_QUESTION_CHARS = 400
MOST_CHUNKS = 3
N_FOUND = 50
SEED = 0  # of the words of shuffled chunks


@dataclass(frozen=True, eq=False)
class Case:
    """A question and the chunks it is asked with.

    Attributes:
        context: Page context with the model that answers.
        current: The collection that is searched.
        name, language: The shipped document, and the language of documents and right answers; name "" for
            the reader's own question.
        question: The question about the document; None for the reader's own.
        text: The question as it is asked.
        chunks: Chunks that were searched, best found first.
        picked: Places among them of the chunks that the question is asked with.
    """

    context: PageContext
    current: Current
    name: str
    language: str
    question: Question | None
    text: str
    chunks: tuple[Chunk, ...]
    picked: Picked

    @property
    def answers(self) -> tuple[str, ...]:
        """Right answers, () where none is known."""
        return self.question.answers if self.question else ()

    @property
    def words(self) -> Wording:
        """The words around chunks and question, in the question's language."""
        return WORDINGS["ko" if script_of(self.text) == "HANGUL" else "en"]

    def texts(self, way: Way) -> tuple[str, ...]:
        """Texts of the chunks that the question is asked with."""
        if way == "closed":
            return ()
        places = self.picked.wrong if way == "wrong" else self.picked.right
        texts = [self.chunks[place].text.strip() for place in places]
        if way == "shuffled":
            return tuple(shuffled(text, SEED) for text in texts)
        return tuple(texts)

    @cached_property
    def prompts(self) -> Mapping[Way, Grounded]:
        """The prompt of each way."""
        return {way: self.prompt(self.texts(way)) for way in WAYS}

    def prompt(self, chunks: tuple[str, ...], n_new: int = N_NEW) -> Grounded:
        """The prompt that asks the question with other chunks, with room for so many tokens behind it."""
        return grounded(self.context, self.text, chunks, self.words, n_new)

    def about(self, question: Question) -> Case:
        """Another question about the same document, in the documents' language, with as many chunks."""
        chunks = search(self.context, self.current, question.text, self.language)
        picked = pick([one.text for one in chunks], question, len(self.picked.right))
        return replace(self, question=question, text=question.text, chunks=chunks, picked=picked)


def way_names() -> dict[str, str]:
    """Ways of asking, in words."""
    return {
        "closed": _("Closed book"), "right": _("Right chunks"), "wrong": _("Wrong chunks"),
        "shuffled": _("Words shuffled"),
    }  # fmt: skip


def choose_case(context: PageContext, current: Current) -> Case | None:
    """Draw the controls; the question they choose, with its chunks, None where there is none yet.

    Args:
        context: Page context with the model that answers.
        current: The collection that is searched.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", key="ret_case"):
        name, language = _document(context)
        if name == OWN:
            typed = st.text_input(
                _("Your question"), max_chars=MAX_QUESTION_CHARS, placeholder=_("Type it and press Enter"),
                **setting("ret_query", ""),
            )  # fmt: skip
            question, text = None, readable_text(typed or "")[0].strip()
        else:
            question = _question(name, language)
            text = question.text
        n = slider(_("Chunks in the prompt"), range(1, MOST_CHUNKS + 1), 1, key="ret_n_chunks", width=180)
    if question is not None and _in_other_language(language):
        (other,) = (code for code in shipped.languages() if code != language)
        text = next(q.text for q in shipped.questions(name, other) if q.question_id == question.question_id)
    if not text:
        st.info(_("Type a question: it is looked up in all documents of this page, yours included."))
        return None
    chunks = search(context, current, text, language)
    if not chunks:
        return None
    picked = pick([one.text for one in chunks], question, n)
    return Case(context, current, "" if name == OWN else name, language, question, text, chunks, picked)


def _document(context: PageContext) -> tuple[str, str]:
    """The document that is asked about and its language; ("own", "") for the reader's own question."""
    reads_korean = roles.reads(context.model, "한")
    codes = [code for code in shipped.languages() if code != "en"]
    order = [*codes, "en"] if reads_korean and context.language in codes else ["en", *codes]
    names = {
        f"{name}-{code}": f"{shipped.document(name, code).title} · {language_name(code)}"
        for code in order
        for name in shipped.names()
    }
    chosen = choose_from_list("ret_about", names | {OWN: _("My own question")}, _("Questions about"))
    name, _dash, language = chosen.partition("-")
    return name, language


def _question(name: str, language: str) -> Question:
    asked = {one.question_id: one for one in shipped.questions(name, language)}
    first = "ticket" if "ticket" in asked else next(iter(asked))
    ids = [first, *(one for one in asked if one != first)]
    kinds = {
        "plain": "", "paraphrase": _("other words than the text"), "rare": _("a rare name or number"),
        "none": _("not answered by the text"),
    }  # fmt: skip
    words = {one: " · ".join(filter(None, (asked[one].text, kinds[asked[one].kind]))) for one in ids}
    return asked[choose_from_list("ret_question", words, _("Question"))]


def _in_other_language(language: str) -> bool:
    (other,) = (code for code in shipped.languages() if code != language)
    told = _("Ask in {language}")
    words = {
        "same": told.format(language=language_name(language)),
        "other": told.format(language=language_name(other)),
    }
    return choose("ret_asked_in", words, _("Language of the question")) == "other"


def search(context: PageContext, current: Current, text: str, language: str) -> tuple[Chunk, ...]:
    """Chunks of the documents in a language, best found first, then those that were not found.

    Args:
        context: Page context.
        current: The collection.
        text: The question.
        language: Code of the documents' language; "" searches all.

    Raises:
        PlaygroundError: As the engine raises it.
    """
    where = ChunkFilter(languages=(language,)) if language else ChunkFilter()
    request = SearchRequest(
        current.model, collection=current.collection_id, query=text, n=N_FOUND, where=where,
        topic="ret_answers",
    )  # fmt: skip
    found = collections.search(context, request)
    numbers = [hit.number for hit in found.hits]
    chunks = current.content.chunks
    others = set(range(len(chunks))) - set(numbers)
    rest = [number for number in sorted(others) if not language or chunks[number].language == language]
    return tuple(chunks[number] for number in (*numbers, *rest))

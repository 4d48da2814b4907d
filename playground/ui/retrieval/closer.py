"""A closer look at the answers: the literal prompt, and what supports each sentence."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from playground.core import pieces
from playground.core.grounding import WAYS, Way
from playground.core.support import MIN_COSINE, MIN_OVERLAP, Supported, sentences, support
from playground.core.tables import grounding as frames
from playground.engine.contract.retrieval import EncodeRequest
from playground.errors import PlaygroundError
from playground.ui import collections, frame, show
from playground.ui.choose import choose
from playground.ui.components.marked_sentences import MarkedSentence, marked_sentences
from playground.ui.components.prompt_blocks import prompt_blocks
from playground.ui.retrieval.case import Case, way_names
from playground.ui.retrieval.grounded import N_NEW, Grounded, window
from playground.ui.retrieval.written import Written
from playground.ui.text import _, sentence, share

OPEN_FIRST: Way = "right"


def prompt(case: Case) -> None:
    """Draw the prompt of one way word for word, with the part that each token belongs to."""
    way = _choose_way("ret_prompt_of")
    asked = case.prompts[way]
    tokens = asked.tokens_of_blocks()
    prompt_blocks(asked.blocks, tokens, limit=window(case.context) + N_NEW, key="ret_prompt")
    counts = {"chunk": 0, "query": 0}
    for block, its_tokens in zip(asked.blocks, tokens, strict=True):
        if block.kind in counts:
            counts[block.kind] += len(its_tokens)
    n = len(asked.tokens)
    told = _(
        "Tokens: {n:,} in all, {n_chunk:,} of the chunks ({share}), {n_query:,} of the question, {n_rest:,} "
        "of the words and marks around them."
    )
    st.markdown(
        told.format(
            n=n, n_chunk=counts["chunk"], share=share(counts["chunk"] / n), n_query=counts["query"],
            n_rest=n - sum(counts.values()),
        )
    )  # fmt: skip
    model = case.context.model
    show.source(model)
    code = partial(
        show.code, "grounded_prompt", folder=show.model_folder(model.model_id),
        message="".join(block.text for block in asked.blocks if block.kind != "template"),
        is_chat="chat_template" in model.capabilities,
    )  # fmt: skip
    show.under_picture("grounded_prompt", frame=partial(_tokens, asked), code=code)


def _tokens(asked: Grounded) -> pd.DataFrame:
    labels = iter(pieces.labels(asked.tokens))
    rows = [
        (block.kind, block.number, next(labels), token.token_id)
        for block, tokens in zip(asked.blocks, asked.tokens_of_blocks(), strict=True)
        for token in tokens
    ]
    return pd.DataFrame(rows, columns=["part", "number", "token", "token_id"])


def _choose_way(key: str) -> Way:
    names = way_names()
    order = (OPEN_FIRST, *(way for way in WAYS if way != OPEN_FIRST))
    wanted = choose(key, {way: names[way] for way in order}, _("Answer"))
    return next(way for way in WAYS if way == wanted)


def supported(case: Case, answers: Mapping[Way, Written]) -> None:
    """Draw the sentences of an answer, marked by what in the chunks supports them."""
    way = _choose_way("ret_support_of")
    answer, chunks = answers[way].text.strip(), case.texts("right" if way == "closed" else way)
    said = [answer[start:stop] for start, stop in sentences(answer)]
    sources = [text[start:stop] for text in chunks for start, stop in sentences(text)]
    if not said:
        st.info(_("The answer is empty: there is nothing to support."))
        return
    try:
        cosines = _cosines(case, said, sources)
    except PlaygroundError as error:
        st.error(sentence(error))
        return
    found = support(answer, case.text, chunks, cosines)
    marked = [
        MarkedSentence(text, one.verdict, _figures(one), "" if one.source is None else sources[one.source])
        for text, one in zip(said, found, strict=True)
    ]
    marked_sentences(marked, key="ret_support")
    if way == "closed":
        st.caption(_("The model did not see these chunks: any likeness is chance or knowledge."))
    n = sum(one.verdict == "both" for one in found)
    told = _(
        "Sentences with both signs: {n} of {all}. That is, at least {overlap} of the words that are not in "
        "the question stand in the chunks, and the vector has a cosine of {cosine:.2f} or more with a "
        "sentence of them. This is a likeness, no proof: a wrong number in the right words looks almost the "
        "same to the vector."
    )
    st.markdown(told.format(n=n, all=len(found), overlap=share(MIN_OVERLAP), cosine=MIN_COSINE))
    show.source(case.context.model, case.current.model)
    code = partial(
        show.code, "support", folder=show.model_folder(case.current.model), said=said, sources=sources,
        prefix=frame.choices()[case.current.model].prefixes.query,
    )  # fmt: skip
    table = partial(frames.supported, answer, found, sources)
    show.under_picture("support", frame=table, code=code)


def _cosines(case: Case, said: list[str], sources: list[str]) -> NDArray[np.float32] | None:
    """Cosines of sentences, all with the prefix of queries, as the encoder's makers say for likeness."""
    if not sources:
        return None
    request = EncodeRequest(
        case.current.model, texts=(*said, *sources), are_queries=True, topic="ret_support"
    )
    vectors = collections.encode(case.context, request)
    return vectors[: len(said)] @ vectors[len(said) :].T


def _figures(one: Supported) -> str:
    words = []
    if one.overlap is None:
        words.append(_("It has no word that is not in the question."))
    else:
        words.append(_("{overlap} of its new words stand in the chunks.").format(overlap=share(one.overlap)))
    if one.missing:
        words.append(_("Not there: {words}.").format(words=", ".join(one.missing)))
    if one.cosine is not None:
        words.append(_("Largest cosine: {cosine:.2f}.").format(cosine=one.cosine))
    return " ".join(words)

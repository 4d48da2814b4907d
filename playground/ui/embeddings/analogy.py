"""a - b + c: with and without the input words, and how often it works at all."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from playground.charts import embeddings as charts
from playground.core.embeddings import (
    EmbeddingTable,
    Neighbours,
    analogy_query,
    nearest,
    rank_of,
    similarities,
)
from playground.core.tables import embeddings as frames
from playground.ui import show
from playground.ui.embeddings.choosing import (
    labels,
    samples,
    say_unknown,
    script,
    table_provenance,
    word_token,
)
from playground.ui.embeddings.neighbours import bar_words, baseline
from playground.ui.state import PageContext
from playground.ui.text import N_, _, plain, strong
from playground.ui.url import setting

N = 10
_NAMES = ("a", "b", "c", "d")
_KINDS = {
    "royal": N_("King and queen"),
    "family": N_("Family"),
    "capital": N_("Capital"),
    "past": N_("Past tense"),
    "plural": N_("Plural"),
    "degree": N_("Comparative"),
    "opposite": N_("Opposite"),
}


class Analogy(NamedTuple):
    """a is to b as d is to c; token ids, d may be unknown."""

    a: int
    b: int
    c: int
    d: int | None

    @property
    def inputs(self) -> tuple[int, int, int]:
        """The three input words."""
        return self.a, self.b, self.c


class AnalogyAnswer(NamedTuple):
    """The nearest tokens to the vector of an analogy.

    Attributes:
        everything: Nearest tokens to a - b + c.
        without: The nearest tokens, input words left out.
        rank: Place of d among all tokens, None where d is unknown.
        rank_without: Rank of the expected token, input words left out.
    """

    everything: Neighbours
    without: Neighbours
    rank: int | None
    rank_without: int | None


def answer(table: EmbeddingTable, analogy: Analogy) -> AnalogyAnswer:
    """Ask the table, by cosine."""
    cosines = similarities(table, analogy_query(table, *analogy.inputs))["cosine"]
    return AnalogyAnswer(
        nearest(cosines, "cosine", N),
        nearest(cosines, "cosine", N, without=analogy.inputs),
        None if analogy.d is None else rank_of(cosines, analogy.d),
        None if analogy.d is None else rank_of(cosines, analogy.d, without=analogy.inputs),
    )


def draw(context: PageContext, table: EmbeddingTable) -> None:
    """The words, the two answers, and the score over all samples."""
    st.pills(
        _("Examples"),
        tuple(_KINDS),
        key="emb_kind",
        format_func=lambda kind: _(_KINDS[kind]),
        label_visibility="collapsed",
        on_change=_take,
    )
    words = _ask()
    ids = [word_token(context.model.model_id, word) if word else None for word in words]
    say_unknown(context.model.model_id, [w for w, i in zip(words, ids, strict=True) if w and i is None])
    a, b, c, d = ids
    if a is None or b is None or c is None:
        st.info(_("Enter three words, each a single token of this model."))
    else:
        _one(context, table, Analogy(a, b, c, d), words)
    _many(context, table)


def _ask() -> list[str]:
    start = samples()["analogies"]["royal"][0]
    captions = ("a", "− b", "+ c", _("expected"))
    words = []
    for column, name, caption, first in zip(st.columns(4), _NAMES, captions, start, strict=True):
        word = column.text_input(caption, first, max_chars=40, **setting(f"emb_{name}", first))
        words.append(word.strip())
    return words


def _take() -> None:
    """Put the next example of the chosen kind into the boxes."""
    kind = st.session_state["emb_kind"]
    if kind is None:
        return
    known = samples()["analogies"][kind]
    now = [st.session_state.get(f"emb_{name}") for name in _NAMES]
    place = known.index(now) + 1 if now in known else 0
    for name, word in zip(_NAMES, known[place % len(known)], strict=True):
        st.session_state[f"emb_{name}"] = word
    st.session_state["emb_kind"] = None


def _one(context: PageContext, table: EmbeddingTable, analogy: Analogy, words: list[str]) -> None:
    found = answer(table, analogy)
    both = [*found.everything.token_ids.tolist(), *found.without.token_ids.tolist()]
    names = labels(table.model_id, [*both, *(i for i in analogy if i is not None)])
    st.markdown("## " + plain(f"{words[0]} − {words[1]} + {words[2]} = ?"))
    parts = [
        frames.neighbours([one], names, baseline(table)).assign(measure=name)
        for name, one in (("everything", found.everything), ("without", found.without))
    ]
    rows = pd.concat(parts, ignore_index=True)
    shown = rows.assign(
        row=[f"{place}. {token}" for place, token in zip(rows["place"], rows["token"], strict=True)]
    )
    alt = _("Tokens nearest to a − b + c, with and without the input words")
    show.show_chart(_bars(context.language), "emb_analogy", alt, data=shown)
    st.caption(_("Grey: random pairs of tokens (dashed: their average; band: two standard deviations)."))
    st.markdown(_reading(found, analogy, names))
    table_provenance(table)
    code = script("embeddings_analogy", table.model_id, quadruples=[words])
    show.under_picture("embeddings_analogy", frame=rows, code=code, picture="emb_analogy")


def _reading(found: AnalogyAnswer, analogy: Analogy, names: dict[int, str]) -> str:
    first, second = int(found.everything.token_ids[0]), int(found.without.token_ids[0])
    told = [
        _("The nearest token of all is {first}.").format(first=strong(names[first])),
    ]
    if first in analogy.inputs:
        near = _("It is one of the input words, at a cosine of {cosine:.2f} to the answer.")
        told.append(near.format(cosine=float(found.everything.similarities[0])))
    told.append(_("With the input words left out it is {second}.").format(second=strong(names[second])))
    if analogy.d is not None and found.rank is not None:
        told.append(
            _(
                "The expected {word} ranks {rank:,} among all tokens, {without:,} without the input words."
            ).format(word=strong(names[analogy.d]), rank=found.rank, without=found.rank_without)
        )
    return " ".join(told)


def scores(table: EmbeddingTable) -> pd.DataFrame:
    """Every sample analogy of which this model has all four words as tokens.

    Returns:
        kind, a, b, c, expected, first (nearest of all), first_without (input words left out), rank,
        rank_without.
    """
    return _scores(table.model_id, table.revision, table)


@st.cache_data(max_entries=8, show_spinner=False)
def _scores(model_id: str, revision: str, _table: EmbeddingTable) -> pd.DataFrame:
    rows = []
    for kind, quadruples in samples()["analogies"].items():
        for words in quadruples:
            a, b, c, d = (word_token(model_id, word) for word in words)
            if a is None or b is None or c is None or d is None:
                continue
            found = answer(_table, Analogy(a, b, c, d))
            firsts = int(found.everything.token_ids[0]), int(found.without.token_ids[0])
            names = labels(model_id, firsts)
            rows.append((kind, *words, *(names[i] for i in firsts), found.rank, found.rank_without))
    columns = ["kind", "a", "b", "c", "expected", "first", "first_without", "rank", "rank_without"]
    return pd.DataFrame(rows, columns=columns)


def _many(context: PageContext, table: EmbeddingTable) -> None:
    st.markdown(f"## {_('How often does it work?')}")
    rows = scores(table)
    if rows.empty:
        st.info(_("None of the sample words is one token of this model."))
        return
    words = _(
        "Of {n} sample analogies the table answers {right} with the input words left out, and {all} when "
        "they may be the answer. Most examples in textbooks leave them out without saying so."
    )
    hits = {"right": int((rows["rank_without"] == 1).sum()), "all": int((rows["rank"] == 1).sum())}
    st.markdown(words.format(n=len(rows), **hits))
    told = {
        "kind": _("Kind"),
        "expected": _("Expected"),
        "first": _("First of all"),
        "first_without": _("First, inputs left out"),
        "rank": _("Rank"),
        "rank_without": _("Rank, inputs left out"),
    }
    kinds = {kind: _(name) for kind, name in _KINDS.items()}
    st.dataframe(
        rows.assign(kind=rows["kind"].map(kinds)), hide_index=True, height=248, column_config=dict(told)
    )
    table_provenance(table)
    quadruples = rows[["a", "b", "c", "expected"]].to_numpy().tolist()
    code = script("embeddings_analogy", table.model_id, quadruples=quadruples)
    show.under_picture("embeddings_analogies", frame=rows, code=code)


@lru_cache
def _bars(language: str) -> dict[str, Any]:
    measures = {"everything": _("All tokens"), "without": _("Input words left out")}
    return charts.neighbour_bars(measures, bar_words(), width=245)

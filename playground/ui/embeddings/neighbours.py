"""The table: the vector of one token, its nearest neighbours, and what random pairs tell about cosine."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st

from playground.charts import embeddings as charts
from playground.core.embeddings import (
    MEASURES,
    Baseline,
    EmbeddingTable,
    Measure,
    Neighbours,
    nearest,
    random_pairs,
    similarities,
)
from playground.core.pieces import labels as piece_labels
from playground.core.tables import embeddings as frames
from playground.core.tokens import Tokenization
from playground.ui import compute, show, unread_language
from playground.ui.components.token_chips import selected_token, token_chips
from playground.ui.embeddings.choosing import (
    labels,
    samples,
    say_unknown,
    script,
    table_provenance,
    word_token,
)
from playground.ui.frame import has_sentence
from playground.ui.state import PageContext
from playground.ui.text import N_, _, plain, strong
from playground.ui.url import setting

N = 10
PAIR_SEED = 0
MUCH = 0.1  # mean cosine of random pairs from which on a cosine is said to be large already by chance
_TITLES: dict[Measure, str] = {
    "cosine": N_("Cosine"),
    "centred": N_("Cosine, mean subtracted"),
    "dot": N_("Dot product"),
}


@lru_cache(maxsize=2)
def baseline(table: EmbeddingTable) -> Baseline:
    """Random pairs of a table, the same for every reader."""
    return random_pairs(table, PAIR_SEED)


def titles() -> dict[Measure, str]:
    """The measures in the reader's language."""
    return {measure: _(title) for measure, title in _TITLES.items()}


def chosen_token(context: PageContext, tokens: Tokenization | None, selected: int | None) -> tuple[int, str]:
    """The typed word if it is one token, otherwise the selected chip, or the longest token of the text.

    Without a text an everyday word.

    Returns:
        Its id, and its label in the text; "" where it stands in none.
    """
    word = st.session_state.get("emb_word", "").strip("\n\r\t")
    if word.strip():
        token_id = word_token(context.model.model_id, word)
        if token_id is not None:
            return token_id, ""
        say_unknown(context.model.model_id, [word])
    if tokens is None:
        return everyday_token(context.model.model_id), ""
    if selected is None:
        own = [i for i, added in enumerate(tokens.special) if not added] or list(range(len(tokens)))
        selected = max(own, key=lambda i: (len(tokens.token_bytes[i]), i))
    return tokens.input_ids[selected], piece_labels(tokens)[selected]


def everyday_token(model_id: str) -> int:
    """An everyday word that is one token of most models."""
    token_id = word_token(model_id, samples()["words"][1][0])
    return 0 if token_id is None else token_id


def draw(context: PageContext, table: EmbeddingTable) -> None:
    """Neighbours under three measures, the vector itself, random pairs, lengths."""
    tokens = compute.tokenize(context) if context.text else None
    if tokens is not None:
        unread_language.say(context.text, context.model, {"hidden_states"})
        _forget_word(len(tokens))
    left, right = st.columns([3, 1])
    right.text_input(
        _("Or another token"),
        **setting("emb_word", ""),
        max_chars=60,
        placeholder=_("one word"),
    )
    with left:
        selected = token_chips(tokens) if has_sentence(context) and tokens is not None else None
    token_id, label = chosen_token(context, tokens, selected)
    found = all_nearest(table, token_id)
    names = labels(table.model_id, [token_id, *(i for one in found for i in one.token_ids.tolist())])
    names[token_id] = label or names[token_id]
    pairs = baseline(table)

    rows = frames.neighbours(found, names, pairs)
    shown = rows.assign(
        row=[f"{place}. {token}" for place, token in zip(rows["place"], rows["token"], strict=True)]
    )
    alt = _("The most similar tokens under three measures")
    st.markdown(f"## {_('Which tokens are closest to {token}?').format(token=plain(names[token_id]))}")
    show.show_chart(_bars(context.language), "emb_neighbours", alt, data=shown)
    st.caption(_("Grey: random pairs of tokens (dashed: their average; band: two standard deviations)."))
    st.markdown(_reading(found, names, pairs, token_id))
    _under("embeddings_neighbours", table, rows, "emb_neighbours", token_id)

    _vector(context, table, token_id, names[token_id])
    _pairs(context, table, token_id)
    _lengths(context, table, token_id, names[token_id])


def _forget_word(n_tokens: int) -> None:
    """A click on the ribbon counts more than a word typed before it."""
    selected = selected_token(n_tokens)
    if st.session_state.get("emb_seen_token", selected) != selected:
        st.session_state["emb_word"] = ""
    st.session_state["emb_seen_token"] = selected


def all_nearest(table: EmbeddingTable, token_id: int) -> list[Neighbours]:
    """The nearest tokens under each measure, the token itself left out."""
    values = similarities(table, table.vectors[token_id])
    return [nearest(values[measure], measure, N, without=(token_id,)) for measure in MEASURES]


def _reading(found: list[Neighbours], names: dict[int, str], pairs: Baseline, token_id: int) -> str:
    """The picture in words."""
    cosine, centred, dot = found
    beside = (
        _(
            "By cosine {first} is closest to {token} ({value:.3f}); but two random tokens already have "
            "{mean:.3f}."
        )
        if pairs.cosine.mean() >= MUCH
        else _("By cosine {first} is closest to {token} ({value:.3f}); two random tokens have {mean:.3f}.")
    )
    words = _(
        "With the average vector subtracted, random pairs have {centred:.3f} and the closest is {second} "
        "({second_value:.3f}). By dot product it is {third}."
    )
    values = {
        "token": strong(names[token_id]),
        "first": strong(names[int(cosine.token_ids[0])]),
        "value": float(cosine.similarities[0]),
        "mean": float(pairs.cosine.mean()),
        "centred": float(pairs.centred.mean()),
        "second": strong(names[int(centred.token_ids[0])]),
        "second_value": float(centred.similarities[0]),
        "third": strong(names[int(dot.token_ids[0])]),
    }
    return f"{beside.format(**values)} {words.format(**values)}"


def _vector(context: PageContext, table: EmbeddingTable, token_id: int, label: str) -> None:
    st.markdown(f"## {_('What does the vector itself look like?')}")
    frame = frames.vector(table, token_id)
    alt = _("The numbers of one vector, and the average vector")
    show.show_chart(_strip(context.language), "emb_vector", alt, data=frame)
    reading = _(
        "Blue: the {n:,} numbers of {token}. Orange: the average of all {total:,} vectors, "
        "the part that most tokens share."
    )
    st.markdown(reading.format(n=len(frame), token=strong(label), total=len(table.vectors)))
    _under("embeddings_vector", table, frame, "emb_vector", token_id)


def _pairs(context: PageContext, table: EmbeddingTable, token_id: int) -> None:
    st.markdown(f"## {_('How similar are two tokens that have nothing in common?')}")
    pairs = baseline(table)
    frame = frames.histogram({"cosine": pairs.cosine, "centred": pairs.centred})
    alt = _("Histogram of the cosine of random pairs, raw and with the mean subtracted")
    show.show_chart(_pair_picture(context.language), "emb_pairs", alt, data=frame)
    words = _(
        "{n:,} random pairs: cosine {mean:.3f} ± {spread:.3f}; with the mean subtracted {centred:.3f} ± "
        "{centred_spread:.3f}. A cosine says something only against this baseline."
    )
    st.markdown(
        words.format(
            n=len(pairs.cosine),
            mean=pairs.cosine.mean(),
            spread=pairs.cosine.std(),
            centred=pairs.centred.mean() + 0.0,
            centred_spread=pairs.centred.std(),
        )
    )
    _under("embeddings_pairs", table, frame, "emb_pairs", token_id)


def _lengths(context: PageContext, table: EmbeddingTable, token_id: int, label: str) -> None:
    st.markdown(f"## {_('How long are the vectors?')}")
    frame = frames.histogram({"norm": table.norms})
    length = float(table.norms[token_id])
    here = pd.DataFrame({"here": [length], "label": [label]})
    alt = _("Histogram of the lengths of all vectors of the table")
    data = pd.concat([frame, here], ignore_index=True)
    show.show_chart(_length_picture(context.language), "emb_norms", alt, data=data)
    longer = float((table.norms > length).mean())
    words = _(
        "{token} has length {length:.3f}; {share:.1%} of all vectors are longer. "
        "The dot product favours long ones."
    )
    st.markdown(words.format(token=strong(label), length=length, share=longer))
    _under("embeddings_norms", table, frame, "emb_norms", token_id)


def _under(name: str, table: EmbeddingTable, frame: pd.DataFrame, picture: str, token_id: int) -> None:
    table_provenance(table)
    code = script("embeddings_table", table.model_id, token_id=token_id)
    show.under_picture(name, frame=frame, code=code, picture=picture)


@lru_cache
def _bars(language: str) -> dict[str, Any]:
    return charts.neighbour_bars(
        {str(name): title for name, title in titles().items()}, bar_words(), width=175
    )


def bar_words() -> dict[str, str]:
    """The words of the bars in the reader's language."""
    return {
        "token": _("Token"),
        "id": _("Token id"),
        "similarity": _("Similarity"),
        "rank": _("Rank"),
        "random": _("Average of random pairs"),
    }


@lru_cache
def _strip(language: str) -> dict[str, Any]:
    return charts.vector_strip(
        {"dimension": _("Dimension"), "value": _("Value"), "average": _("Average of all tokens")}
    )


@lru_cache
def _pair_picture(language: str) -> dict[str, Any]:
    series = {"cosine": _("Cosine"), "centred": _("Cosine, mean subtracted")}
    return charts.histogram(series, {"value": _("Cosine"), "share": _("Share")})


@lru_cache
def _length_picture(language: str) -> dict[str, Any]:
    return charts.histogram({"norm": _("Length")}, {"value": _("Length"), "share": _("Share")})

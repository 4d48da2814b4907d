"""All heads of a model at a glance, and one head's map."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.core import attention as core
from playground.core import pieces
from playground.core.heads import SHARES, HeadScores, Score, head_scores
from playground.core.tables import ablation as frames
from playground.ui import show
from playground.ui.attention.view import Head, View, examples, shown_code
from playground.ui.attention.words import SCORE_NAMES, head_sentence, link_sentence, score_tells
from playground.ui.choose import choose_from_list, default_index, list_key
from playground.ui.components.attention_map import attention_map
from playground.ui.components.head_grid import head_grid
from playground.ui.components.token_chips import remember_token
from playground.ui.text import _, ngettext, plain
from playground.ui.url import hidden, put, setting


class MapSettings(NamedTuple):
    """Settings of the grid of heads.

    Attributes:
        score: Id of the score.
        values: NaN where the text cannot tell. Shape [layer, head].
        by_score: Best heads first instead of layers x heads.
    """

    score: str
    values: NDArray[np.floating]
    by_score: bool


def controls(view: View) -> MapSettings:
    """By what the heads are judged and sorted, and sentences in which they have something to do."""
    with st.container(key="below_picture_att"):
        score_at, link_at, sort_at, examples_at = st.columns(4, vertical_alignment="bottom")
        with score_at:
            names = {score: _(words) for score, words in SCORE_NAMES.items()}
            name = choose_from_list("att_score", names, _("Score"))
        with link_at:
            values = _link(view) if name == "link" else scores_of(view)[cast("Score", name)]
        with sort_at:
            by_score = st.toggle(_("Best heads first"), **setting("att_sort", False))
        with examples_at:
            examples()
    return MapSettings(name, values, by_score)


def grid(view: View, chosen: MapSettings) -> None:
    """All heads at a glance, coloured and sorted by a score, and what the chosen one does in words."""
    scores, small = _glance(view)
    name, values, by_score = chosen
    if np.isnan(values).all():
        st.info(
            _(
                "This text cannot show it: the score needs a token that occurs twice, or a word of "
                "several tokens."
            )
        )
    head_grid(
        small,
        np.asarray(values, dtype=np.float64),
        limits=(0.0, _largest(name, view)),
        selected=(view.layer, view.head),
        off=view.off,
        by_score=by_score,
        key="att_grid",
        words={"score": _(SCORE_NAMES[name]), "tells": score_tells(name)},
        on_select=_select,
        on_off=_switch,
    )
    st.markdown(head_sentence(scores, view.layer, view.head, view.n_keys))
    show.provenance(view.trace)
    code = shown_code("attention_heads", view)
    table = partial(frames.heads, scores, view.n_keys)
    show.under_picture("attention_heads", frame=table, code=code, picture="att_grid")


def virtual_share(view: View) -> None:
    """Say how much of the selected token's attention goes to virtual positions, where there are."""
    n = view.context.model.n_virtual
    if not n or view.stop - view.start < len(view.tokens):  # of a window it is not known
        return
    share = 1 - float(view.weights[view.layer, view.head, view.query].sum())
    told = ngettext(
        "In this head {share:.1%} of the attention of {token} goes to the {n} virtual position of the "
        "adapter. It is "
        "not a token and not drawn.",
        "In this head {share:.1%} of the attention of {token} goes to the {n} virtual positions of the "
        "adapter. They "
        "are not tokens and not drawn.",
        n,
    )
    st.caption(told.format(share=max(0.0, share), token=plain(view.labels[view.query]), n=n))


def scores_of(view: View) -> HeadScores:
    """The seven scores of every head on the window."""
    return _glance(view)[0]


def _glance(view: View) -> tuple[HeadScores, NDArray[np.uint8]]:
    """Scores and small maps of all heads, computed once for all who look at this text."""
    trace = view.trace
    return _glances((trace.model_id, trace.revision, trace.input_ids.tobytes(), view.start), view)


@st.cache_resource(max_entries=64, show_spinner=False)
def _glances(key: tuple[object, ...], _view: View) -> tuple[HeadScores, NDArray[np.uint8]]:
    ids = _view.trace.input_ids[_view.start : _view.stop]
    return head_scores(_view.weights, ids, _view.word_of), core.thumbnails(_view.weights)


def _link(view: View) -> NDArray[np.float32]:
    """Weight from the selected token to one other; at first the one that any head looks at most.

    The first token and the one right before do not count there: some head always looks at them.
    """
    rows = view.weights[:, :, view.query]
    others = [key for key in range(len(view.labels)) if key not in (0, view.query - 1, view.query)] or [0]
    strongest = others[int(rows[:, :, others].max(axis=(0, 1)).argmax())]
    options = range(view.query + 1 if view.causal else len(view.labels))
    query, dash, chosen = hidden("att_link").partition("-")  # "8-1"; another query starts anew
    wanted = strongest if strongest in options else 0
    if dash and query == str(view.query + view.start) and chosen.isascii() and chosen.isdigit():
        wanted = int(chosen[:6]) if int(chosen[:6]) in options else wanted
    names = {place: f"{place}: {view.labels[place]}" for place in options}
    drawn = list_key("att_key", names)
    st.selectbox(
        _("From {token} to").format(token=view.labels[view.query]),
        tuple(names),
        default_index(drawn, names, wanted),
        key=drawn,
        format_func=names.__getitem__,
        on_change=_keep_link,
        args=(view.query + view.start, drawn),
    )
    found: NDArray[np.float32] = rows[:, :, wanted]
    return found


def _keep_link(query: int, drawn: str) -> None:
    put("att_link", f"{query}-{st.session_state[drawn]}")


def _largest(name: str, view: View) -> float:
    if name == "entropy":
        return float(np.log2(max(view.start + len(view.labels), 2)))
    return 1.0 if name in (*SHARES, "link") else max(1.0, float(view.stop) / 2)


def _select(layer: int, head: int) -> None:
    put("att_head", f"{layer}.{head}")


def _switch(off: frozenset[Head]) -> None:
    put("att_off", " ".join(f"{layer}.{head}" for layer, head in sorted(off)))
    if off:
        put("att_panel", "off")  # what it did is shown there


# ---------------------------------------------------------------- one head


def one_head(view: View) -> None:
    """The map of the chosen head with exact values; sinks hidden and words merged on wish."""
    st.markdown(f"## {_('What does head {name} look at?').format(name=view.name)}")
    picture, options = st.container(), st.container(horizontal=True, gap="medium")
    whole = False
    with options:
        without = st.toggle(_("Hide attention sinks"), **setting("att_sink", False))
        merged = st.toggle(_("Whole words"), **setting("att_words", False))
        if view.trace.queries is not None and len(view.tokens) > len(view.labels):
            whole = st.toggle(_("All tokens of the text"), **setting("att_whole", False))
    weights, labels, query, removed = map_of(view, without=without, merged=merged, whole=whole)
    with picture:
        attention_map(
            weights.astype(np.float32),
            queries=labels,
            keys=labels,
            selected=query,
            removed=None if removed is None else removed.astype(np.float32),
            causal=view.causal,
            coverage=_coverage(),
            key="att_map",
            words={},
            on_select=_query_setter(view, merged=merged, whole=whole),
            on_coverage=_cover,
        )
    row = view.weights[view.layer, view.head, view.query]
    best = int(row.argmax())
    st.markdown(link_sentence(view.labels[view.query], view.labels[best], float(row[best])))
    if removed is not None:
        told = _("Hidden: {names}. They held {share:.1%} of this row, {mean:.1%} of all rows on average.")
        names = ", ".join(plain(view.labels[place]) for place in _sinks(view))
        st.markdown(told.format(names=names, share=float(removed[query]), mean=float(removed.mean())))
    show.provenance(view.trace, layer=view.layer + 1, head=view.head + 1)
    code = shown_code("attention_map", view, hidden=_hidden_tokens(view) if without else [])
    table = partial(frames.attention_map, weights, labels, labels)
    show.under_picture("attention_map", frame=table, code=code, picture="att_map")


def map_of(
    view: View, *, without: bool, merged: bool, whole: bool
) -> tuple[NDArray[np.float64], list[str], int, NDArray[np.float64] | None]:
    """The map to draw, its labels, the row of the selected token, and the mass that was hidden per row."""
    weights: NDArray[np.float64] = view.weights[view.layer, view.head].astype(np.float64)
    labels, query, removed = view.labels, view.query, None
    if whole:
        weights = _whole_map(view)
        labels, query = list(pieces.labels(view.tokens)), view.start + view.query
    if without:
        gone = np.zeros(len(labels), dtype=bool)
        gone[_sinks(view)] = True
        weights, removed = core.without_keys(weights, gone)
    if merged and not whole:
        word_of = view.word_of
        weights = core.merge_words(weights, word_of)
        if removed is not None:
            removed = np.array([removed[word_of == word].mean() for word in range(len(weights))])
        labels = ["".join(np.array(labels)[word_of == word]) for word in range(len(weights))]
        query = int(word_of[query])
    return weights, labels, query, removed


def _whole_map(view: View) -> NDArray[np.float64]:
    """One head's map of a longer text, worked out from the model's own queries and keys."""
    trace, model = view.trace, view.context.model
    assert trace.queries is not None
    assert trace.keys is not None
    keys = trace.keys[view.layer, view.head // (model.n_head // model.n_kv_head)]
    mask = core.causal_mask(len(view.tokens)) if view.causal else None
    return core.attention_weights(trace.queries[view.layer, view.head], keys, mask)


def _sinks(view: View) -> list[int]:
    """The attention sinks: the tokens the tokenizer added, or the first one where it added none."""
    added = [place for place, special in enumerate(view.tokens.special[view.start : view.stop]) if special]
    return added or [0]


def _hidden_tokens(view: View) -> list[int]:
    return [place + view.start for place in _sinks(view)]


def _coverage() -> float:
    text = hidden("att_cover")
    return int(text) / 100 if text.isascii() and text.isdigit() and 50 <= int(text[:3]) <= 100 else 0.8


def _cover(coverage: float) -> None:
    put("att_cover", "" if round(coverage * 100) == 80 else str(round(coverage * 100)))


def _query_setter(view: View, *, merged: bool, whole: bool) -> Callable[[int], None]:
    def put(place: int) -> None:
        if merged and not whole:
            place = int(np.flatnonzero(view.word_of == place)[-1])
        remember_token(place if whole else place + view.start)

    return put

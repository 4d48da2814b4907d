"""Panels of the positions page: four closed forms under sliders, and a model's own positions."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts import positions as charts
from playground.core import pieces
from playground.core.positions import (
    DistanceProfile,
    PositionScheme,
    alibi_slopes,
    distance_profile,
    frequencies,
)
from playground.core.tables import positions as frames
from playground.core.tokens import Tokenization
from playground.ui import compute, show
from playground.ui.components.positions import Control, panel
from playground.ui.components.token_chips import selected_token
from playground.ui.frame import has_sentence
from playground.ui.positions import word_order
from playground.ui.positions import words as position_words
from playground.ui.positions.roles import first_tokens
from playground.ui.state import PageContext
from playground.ui.text import _, plain
from playground.ui.url_settings import chosen, remember

N_CLOCK_TOKENS = 32  # tokens a query or a key can be picked from
WAVES = (
    Control("n_ctx", 2, 256, 64),
    Control("d_model", 2, 256, 64, step=2),
    Control("base", 10, 1_000_000, 10_000, log=True),
    Control("dimension", 0, 255, 8),
)


# ---------------------------------------------------------------- closed forms


@st.fragment
def waves(language: str) -> None:
    """The sinusoidal matrix of the 2017 paper, one dimension as a wave, the dot product against distance."""
    settings = chosen("pos_waves", WAVES)
    settings["dimension"] = min(settings["dimension"], settings["d_model"] - 1)
    with st.container(key="pos_waves_picture"):
        panel(
            "waves", WAVES, settings, key="pos_waves", words=position_words.waves(), language=language,
            on_release=remember("pos_waves", WAVES),
        )  # fmt: skip
    source = "Vaswani et al. 2017, arXiv:1706.03762, 3.5"
    st.caption(plain(f"{source} · {_('closed form, computed in the browser')}"))
    n_ctx, d_model = int(settings["n_ctx"]), int(settings["d_model"])
    table = partial(frames.sinusoid, n_ctx, d_model, settings["base"])
    code = partial(show.code, "sinusoidal", **settings)
    show.under_picture("sinusoidal", frame=table, code=code, picture="pos_waves_picture")


@st.fragment
def clocks(context: PageContext) -> None:
    """A real query and a real key under rotary embedding, and the score that a shift leaves as it is."""
    st.markdown(f"## {_('How does RoPE turn a query and a key?')}")
    if not has_sentence(context):
        return
    scheme, tokens = compute.positions(context), first_tokens(context, N_CLOCK_TOKENS)
    assert scheme.head is not None
    trace = word_order.first_trace(context)
    assert trace.hidden_states is not None
    vectors = np.stack(scheme.head.query_key(trace.hidden_states[0, : len(tokens)])).astype(np.float32)
    controls = _clock_controls(context, tokens, scheme.n_ctx)
    settings = chosen("pos_clocks", controls)
    facts = {"d_head": scheme.d_head, "base": scheme.base, "n_tokens": len(tokens)}
    with st.container(key="pos_clocks_picture"):
        panel(
            "clocks", controls, settings, key="pos_clocks", words=position_words.clocks(facts),
            language=context.language, facts=facts, numbers=vectors,
            on_release=remember("pos_clocks", controls),
        )  # fmt: skip
    show.provenance(trace, layer=1, head=1)
    query, key, m, n, shift = (int(settings[name]) for name in ("query", "key", "m", "n", "shift"))
    pair = (vectors[0, query].astype(np.float64), vectors[1, key].astype(np.float64))
    table = partial(frames.rotary, *pair, scheme.base, m=m, n=n, shift=shift)
    folder = show.model_folder(context.model.model_id)
    code = partial(show.code, "rotary", folder=folder, input_ids=list(tokens.input_ids), **settings)
    show.under_picture("rotary", frame=table, code=code, picture="pos_clocks_picture")


def _clock_controls(context: PageContext, tokens: Tokenization, n_ctx: int) -> tuple[Control, ...]:
    """Controls of query, key and their positions, which start at the selected token and the one before it."""
    last = len(tokens) - 1
    labels = [f"{place}: {label}" for place, label in enumerate(pieces.labels(tokens))]
    selected = selected_token(len(tokens))
    query = last if selected is None else selected
    key = max(0, query - 1)
    return (
        Control("query", 0, last, query, options=labels),
        Control("key", 0, last, key, options=labels),
        Control("m", 0, 511, query),
        Control("n", 0, 511, key),
        Control("shift", 0, 2 * n_ctx, 100),
    )


@st.fragment
def distances(learned: PageContext, rotary: PageContext) -> None:
    """All four schemes on one axis: similarity against distance."""
    st.markdown(f"## {_('How alike are two positions, by their distance?')}")
    table, turning = compute.positions(learned), compute.positions(rotary)
    profile = _profile(table.model_id, table.revision, table)
    controls = (
        Control("d_model", 2, 1024, 128, step=2),
        Control("base", 10, 1_000_000, 10_000, log=True),
        Control("head", 1, frames.N_ALIBI, 3),
        Control("reach", 16, 511, 128),
    )
    settings = chosen("pos_distances", controls)
    facts = {
        "d_head": turning.d_head,
        "base": turning.base,
        "n_alibi": frames.N_ALIBI,
        "n_learned": len(profile.mean),
    }
    names = {"learned": learned.model.name, "rotary": rotary.model.name}
    with st.container(key="pos_distances_picture"):
        panel(
            "distances", controls, settings, key="pos_distances",
            words=position_words.distances(names, facts), language=learned.language, facts=facts,
            numbers=np.stack([profile.mean, profile.low, profile.high]).astype(np.float32),
            on_release=remember("pos_distances", controls),
        )  # fmt: skip
    source(table)
    source(turning)
    whole = {name: int(settings[name]) for name in ("d_model", "head", "reach")}
    rows = partial(frames.distances, turning, profile, base=settings["base"], **whole)
    folder, rope = show.model_folder(table.model_id), show.model_folder(turning.model_id)
    rows_of = {"n_ctx": learned.model.n_ctx, **show.places(learned.model, "position_table")}
    code = partial(show.code, "distances", folder=folder, rotary_folder=rope, **rows_of, **settings)
    show.under_picture("distances", frame=rows, code=code, picture="pos_distances_picture")


def turn_of_clock(context: PageContext, pair: int) -> float:
    """After how many positions a pair of dimensions is where it was."""
    scheme = compute.positions(context)
    speeds = frequencies(scheme.d_head, scheme.base)
    return float(2 * np.pi / speeds[min(pair, len(speeds) - 1)])


def slope_of_head(head: int) -> float:
    """ALiBi slope of one of 8 heads, the first is 1."""
    return float(alibi_slopes(frames.N_ALIBI)[head - 1])


# ---------------------------------------------------------------- a learned table


@st.fragment
def table(context: PageContext) -> None:
    """A model's learned rows, every number a pixel, and the curve they lie on."""
    st.markdown(f"## {_('What did a model learn that was told no formula?')}")
    scheme = compute.positions(context)
    assert scheme.table is not None
    n_ctx, d_model = scheme.table.shape
    largest = float(np.quantile(np.abs(scheme.table), 0.995))
    with st.container(key="pos_table_picture"):
        panel(
            "learned", (), {}, key="pos_learned", language=context.language, numbers=scheme.table,
            words=position_words.learned(context.model.name, n_ctx, d_model, largest),
            facts={"n_ctx": n_ctx, "d_model": d_model, "largest": largest, "model": scheme.model_id},
        )  # fmt: skip
    source(scheme)
    code = show.code(
        "learned_positions", folder=show.model_folder(scheme.model_id), n_ctx=n_ctx,
        **show.places(context.model, "position_table"),
    )  # fmt: skip
    rows = partial(frames.table, scheme)
    show.under_picture("learned_positions", frame=rows, code=code, picture="pos_table_picture")

    curve = _curve(scheme.model_id, scheme.revision, scheme)
    explained = curve.attrs["explained"]
    spec = _curve_picture(context.language, *explained)
    alt = _("The learned positions on their first two principal components")
    show.show_chart(spec, "pos_curve", alt, data=curve)
    low, median, high = curve.attrs["degrees"]
    st.markdown(
        _(
            "Each point is one position. From one to the next it turns by {degrees:.0f}° round the middle, "
            "the median of all steps; eight of ten steps turn by {low:.0f}° to {high:.0f}°. A pair of "
            "sinusoidal dimensions turns by the same angle at every step. These two directions hold "
            "{share:.0%} of the variance."
        ).format(degrees=median, low=low, high=high, share=sum(explained[:2]))
    )
    source(scheme)
    show.under_picture("position_curve", frame=curve, code=code, picture="pos_curve")


def source(scheme: PositionScheme) -> None:
    """The source line of the numbers of a table, or of a rotation."""
    words = [scheme.model_id, _("revision {hash}").format(hash=scheme.revision[:12])]
    if scheme.table is not None:
        n_ctx, d_model = scheme.table.shape
        words.append(_("{n_ctx:,} positions × {d_model:,} numbers").format(n_ctx=n_ctx, d_model=d_model))
    else:
        told = _("RoPE: head size {d_head}, base {base:,.0f}")
        words.append(told.format(d_head=scheme.d_head, base=scheme.base))
    st.caption(plain(" · ".join([*words, _("read from the weights")])))


@st.cache_data(max_entries=8, show_spinner=False)
def _curve(model_id: str, revision: str, _scheme: PositionScheme) -> pd.DataFrame:
    return frames.principal_curve(_scheme)


@st.cache_resource(max_entries=8, show_spinner=False)
def _profile(model_id: str, revision: str, _scheme: PositionScheme) -> DistanceProfile:
    assert _scheme.table is not None
    return distance_profile(_scheme.table, len(_scheme.table) - 1)


@lru_cache
def _curve_picture(language: str, first: float, second: float, _third: float) -> dict[str, Any]:
    component = _("Component {n} ({share:.1%})")
    return charts.curve(
        {
            "position": _("Position"),
            "pc1": component.format(n=1, share=first),
            "pc2": component.format(n=2, share=second),
        }
    )

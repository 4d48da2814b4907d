"""Bytes of the KV cache against the length, with all, some or one of the key-value heads; measured too."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import streamlit as st

from playground.charts import memory as charts
from playground.core.memory import ModelSizes, cache_bytes
from playground.core.tables import memory as frames
from playground.engine.contract.memory import MeasuredCache
from playground.errors import PlaygroundError
from playground.ui import footprints, show, state
from playground.ui.footprints import told
from playground.ui.memory import code
from playground.ui.memory.shown import Shown
from playground.ui.number import slider
from playground.ui.panels import Later
from playground.ui.state import PageContext, settings
from playground.ui.text import _, sentence

MEASURED = "mem_caches"  # base of a model -> bytes of a real cache at some lengths
WANTED = "mem_cache_wanted"
DRAWN = tuple(2**power for power in range(4, 18))
TRIED = (32, 64, 128, 256)
LAST = "mem_cache_longest"


def panel(context: PageContext, shown: Shown) -> Later | None:
    """Draw the caches; gives what measures a real one, if the reader asked for it."""
    st.markdown(f"## {_('What does one more token cost?')}")
    try:
        sizes = footprints.sizes(context)
    except PlaygroundError as error:
        st.error(sentence(error))
        return None
    if sizes.kind != "decoder":
        st.info(_no_cache(sizes), icon=":material/info:")
        return None
    longest = slider(_("Longest text (tokens)"), DRAWN[4:], 8192, key=LAST)
    heads = _heads(sizes)
    measured: list[MeasuredCache] = st.session_state.get(MEASURED, {}).get(footprints.base_of(context), [])
    own = _own(sizes)
    table = frames.caches(
        sizes, heads, [one for one in DRAWN if one <= longest], sizes.number_bytes,
        [(own, one.length, one.n_bytes) for one in measured],
    )  # fmt: skip
    alt = _("Bytes of the KV cache against the length of the text")
    show.show_chart(_picture(state.language(), tuple(heads), longest), "mem_cache_picture", alt, data=table)
    st.markdown(_reading(sizes, longest, measured))
    if longest > sizes.n_ctx > 0:
        beyond = _("The model reads {n:,} tokens at most: what is longer is a thought experiment.")
        st.caption(beyond.format(n=sizes.n_ctx))
    wanted = bool(st.session_state.pop(WANTED, False))
    st.button(
        _("Measure a real cache"), key="mem_cache_measure", icon=":material/speed:", on_click=_want,
        disabled=wanted,
    )  # fmt: skip
    place = st.container()
    show.source(context.model)
    show.under_picture(
        "mem_cache", frame=table, code=lambda: code.cache(context, _tried(sizes)), picture="mem_cache_picture"
    )
    return (lambda: _measure(context, sizes, place)) if wanted else None


def _want() -> None:
    st.session_state[WANTED] = True


def _tried(sizes: ModelSizes) -> list[int]:
    return [one for one in TRIED if one <= min(sizes.n_ctx, settings().max_tokens)]


def _measure(context: PageContext, sizes: ModelSizes, place: st.delta_generator.DeltaGenerator) -> None:
    with place:
        st.button(_("Stop"), key="mem_cache_stop", icon=":material/stop:")
        try:
            found = list(footprints.caches(context, _tried(sizes)))
        except PlaygroundError as error:
            st.error(sentence(error))
            return
    st.session_state.setdefault(MEASURED, {})[footprints.base_of(context)] = found
    st.rerun()


def _no_cache(sizes: ModelSizes) -> str:
    if sizes.kind == "encoder":
        return _("An encoder reads a text in one go and writes nothing: it keeps no keys and values.")
    return _("A model with two stacks keeps two caches; this panel counts those of decoders.")


def _own(sizes: ModelSizes) -> str:
    """The model's own way among the series."""
    return next(name for name, heads in _heads(sizes).items() if heads == sizes.n_kv_head)


def _heads(sizes: ModelSizes) -> dict[str, int]:
    """Series -> heads of keys and values; between all and one the model's own number, or a quarter."""
    between = sizes.n_kv_head if 1 < sizes.n_kv_head < sizes.n_head else max(1, sizes.n_head // 4)
    names = {"MHA": sizes.n_head, "GQA": between, "MQA": 1}
    series: dict[str, int] = {}
    for name, heads in names.items():
        if heads in series.values():
            continue
        words = (
            _("{name}, {n} KV heads: this model") if heads == sizes.n_kv_head else _("{name}, {n} KV heads")
        )
        series[words.format(name=name, n=heads)] = heads
    return series


def _reading(sizes: ModelSizes, longest: int, measured: list[MeasuredCache]) -> str:
    token = cache_bytes(sizes, sizes.number_bytes)
    whole = cache_bytes(sizes, sizes.number_bytes, sizes.n_head)
    words = _(
        "One token leaves 2 · {layers} (layers) · {heads} (heads) · {width} (width) · {size} (bytes) = "
        "**{token}** in the cache, a text of length {longest:,} has {all}. With keys and values for every "
        "head ({n_head}) it would be {times:.2f} times as much."
    )
    reading = words.format(
        layers=sizes.n_layer, heads=sizes.n_kv_head, width=sizes.d_head, size=sizes.number_bytes,
        token=told(token), longest=longest, all=told(token * longest), n_head=sizes.n_head,
        times=whole / token,
    )  # fmt: skip
    if measured:
        last = measured[-1]
        beside = _("Bytes measured at length {n:,}: {bytes:,}; predicted: {predicted:,}.")
        reading += " " + beside.format(
            n=last.length, bytes=last.n_bytes, predicted=round(token * last.length)
        )
    return reading


@lru_cache
def _picture(language: str, names: tuple[str, ...], longest: int) -> dict[str, Any]:
    words = {
        "length": _("Tokens in the cache"), "n_bytes": _("Bytes of keys and values"),
        "series": _("Heads of keys and values"), "measured": _("measured"),
    }  # fmt: skip
    return charts.cache_lines(words, names, longest=longest)

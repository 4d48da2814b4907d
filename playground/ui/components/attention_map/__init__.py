"""One head: the sentence in the light of one query, and every weight of the map below it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.ui.components import packed, script, style
from playground.ui.components import synced as two_way
from playground.ui.components.token_chips import direction
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.attention_map",
    html='<div class="attention-map"></div>\n',
    css=style("keyboard", "attention_map/attention_map", "touch"),
    js=script("amounts", "attention_map/attention_map"),
)
COVERAGE = (50, 100)  # percent


class _MapView(NamedTuple):
    """The part of the map that the reader changes in the browser."""

    selected: int | None
    percent: int


def attention_map(
    weights: NDArray[np.float32],
    *,
    queries: Sequence[str],
    keys: Sequence[str],
    selected: int | None,
    removed: NDArray[np.float32] | None,
    coverage: float,
    causal: bool,
    key: str,
    words: Mapping[str, Any],
    on_select: Callable[[int], None],
    on_coverage: Callable[[float], None],
) -> None:
    """Draw the map; a callback runs once, before the rerun, when the reader changed its view.

    Args:
        weights: At most 512 x 512. Shape [query, key].
        queries, keys: Labels of the queries and of the keys.
        selected: The query whose row is shown, None for the last one.
        removed: Mass that was taken out of each row, None where nothing was. Shape [query].
        coverage: Coverage of the smallest set of keys, 0.5 to 1.
        causal: True if the mask forbids to look ahead.
        key: Widget key.
        words: Words in the reader's language that replace the default ones.
        on_select: Called with the position of a query.
        on_coverage: Called with the coverage when its slider is let go.
    """
    if weights.shape != (len(queries), len(keys)):
        raise ValueError(f"weights of shape {weights.shape} for {len(queries)} queries, {len(keys)} keys")
    before = _MapView(selected, round(100 * coverage))

    def read(view: Mapping[str, Any]) -> _MapView | None:
        return _read(view, len(queries))

    revision, view = two_way.shown(key, before, read)

    def on_view_change() -> None:
        now = two_way.changed(key, read)
        if now is not None and now.selected is not None and now.selected != before.selected:
            on_select(now.selected)
        if now is not None and now.percent != before.percent:
            on_coverage(now.percent / 100)

    head = {
        "revision": revision,
        "view": view._asdict(),
        "queries": list(queries),
        "keys": list(keys),
        "dir": direction("".join(keys)),
        "causal": causal,
        "limits": COVERAGE,
        "words": _words() | dict(words),
    }
    gone = () if removed is None else (removed.astype(np.float32),)
    _COMPONENT(
        key=key,
        data=packed(head, weights.astype(np.float32), *gone),
        default={"view": None},
        on_view_change=on_view_change,
    )


def _read(view: Mapping[str, Any], n_queries: int) -> _MapView | None:
    """The view that the browser sent, None unless it names a query of this map and a value of the slider."""
    selected, percent = view.get("selected"), view.get("percent")
    if type(percent) is not int or not COVERAGE[0] <= percent <= COVERAGE[1]:
        return None
    if selected is None:
        return _MapView(None, percent)
    is_query = type(selected) is int and 0 <= selected < n_queries
    return _MapView(selected, percent) if is_query else None


def _words() -> dict[str, Any]:
    """The words in the reader's language; the browser fills the braces."""
    return {
        "sentence": _("What {query} looks at"),
        "map": _("Attention weights: rows are queries, columns are keys"),
        "query": _("query"),
        "key": _("key"),
        "weight": _("{query} → {key}: {weight}"),
        "masked": _("{query} → {key}: hidden by the mask"),
        "largest": _("{query} looks most at {key}: {weight}"),
        "nothing": _("Nothing is left of the row of {query}."),
        "removed": _("Removed from this row: {mass}"),
        "coverage": _("Smallest set that holds"),
        "set": _("{percent} % of the weight lies on {n} of {total} tokens"),
        "scale": _("weight"),
        "legend": {
            "tokens": _("above: the same weight, 0 to 1"),
            "query": _("the query"),
            "chosen": _("the smallest set"),
            "masked": _("hidden by the mask"),
        },
    }

"""All heads of a model at once: a small map and a score for each; click to select, or to switch off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.ui.components import packed, script, style
from playground.ui.components import synced as two_way
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.head_grid",
    html='<div class="head-grid"></div>\n',
    css=style("keyboard", "amounts", "head_grid/head_grid", "touch"),
    js=script("amounts", "head_grid/layout", "head_grid/head_grid"),
)
LARGEST = 16  # pixels of a thumbnail
Head = tuple[int, int]


class _GridView(NamedTuple):
    """The part of the grid that the reader changes in the browser; heads as (layer, head)."""

    selected: Head
    off: frozenset[Head]


def head_grid(
    thumbnails: NDArray[np.uint8],
    scores: NDArray[np.float64],
    *,
    limits: tuple[float, float],
    selected: Head,
    off: frozenset[Head],
    by_score: bool,
    key: str,
    words: Mapping[str, str],
    on_select: Callable[[int, int], None],
    on_off: Callable[[frozenset[Head]], None],
) -> None:
    """Draw the grid; a callback runs once, before the rerun, when the reader changed its view.

    Args:
        thumbnails: round(255 * sqrt(weight)), at most 16 x 16 each. Shape [layer, head, query, key].
        scores: Score of each head, NaN where it is undefined on this text. Shape [layer, head].
        limits: Scores that give an empty and a full bar; fixed, so that bars do not jump.
        selected: Layer and head, counted from 0; the grid shows them from 1.
        off: Heads that are switched off.
        by_score: Highest score first instead of layers x heads.
        key: Widget key.
        words: Words in the reader's language, at least `score`, its name, and `tells`, the meaning of its
            bar; others replace the default ones.
        on_select: Called with layer and head.
        on_off: Called with all heads that are off now.
    """
    shape = scores.shape
    if thumbnails.shape[:2] != shape or max(thumbnails.shape[2:]) > LARGEST:
        raise ValueError(f"thumbnails of shape {thumbnails.shape} for scores of shape {shape}")

    def read(view: Mapping[str, Any]) -> _GridView | None:
        return _read(view, shape)

    revision, view = two_way.shown(key, _GridView(selected, off), read)

    def on_view_change() -> None:
        now = two_way.changed(key, read)
        if now is not None and now.selected != selected:
            on_select(*now.selected)
        if now is not None and now.off != off:
            on_off(now.off)

    head = {
        "revision": revision,
        "view": {"selected": view.selected, "off": sorted(view.off)},
        "shape": thumbnails.shape,
        "scores": [None if np.isnan(score) else round(score, 4) for score in scores.ravel().tolist()],
        "limits": limits,
        "by_score": by_score,
        "words": _words() | dict(words),
    }
    _COMPONENT(
        key=key,
        data=packed(head, thumbnails),
        default={"view": None},
        on_view_change=on_view_change,
    )


def _read(view: Mapping[str, Any], shape: tuple[int, ...]) -> _GridView | None:
    """The view that the browser sent, None unless it names heads of a model of this shape."""
    selected, sent = _head(view.get("selected"), shape), view.get("off")
    if selected is None or not isinstance(sent, list) or len(sent) > shape[0] * shape[1]:
        return None
    off = frozenset(head for head in (_head(each, shape) for each in sent) if head is not None)
    return _GridView(selected, off) if len(off) == len(sent) else None


def _head(sent: object, shape: tuple[int, ...]) -> Head | None:
    if not isinstance(sent, list) or len(sent) != 2 or any(type(number) is not int for number in sent):
        return None
    layer, head = sent
    return (layer, head) if 0 <= layer < shape[0] and 0 <= head < shape[1] else None


def _words() -> dict[str, str]:
    """The words in the reader's language; the browser fills the braces."""
    return {
        "grid": _("All heads: columns are layers, rows are heads"),
        "sorted": _("All heads, highest score first"),
        "layer": _("Layer"),
        "head": _("Head"),
        "click": _("What a click on a head does"),
        "look": _("Look"),
        "switch": _("Switch off"),
        "restore": _("All on again"),
        "weight": _("weight"),
        "detail": _("head {layer}.{head} · {score} {value}"),
        "off": _("switched off"),
        "hint": _("Arrow keys move, Enter selects, x switches off."),
    }

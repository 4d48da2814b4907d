"""A map of sentences in two or three dimensions: point, drag to turn it, click to select."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.charts.embedding_maps import GROUPS
from playground.ui.components import script, style
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.vector_map",
    html='<div class="map"></div>\n<div class="under"><span class="said" aria-live="polite"></span></div>\n',
    css=style("vector_map/vector_map"),
    js=script("vector_map/vector_map"),
)
HEIGHT = 400


def vector_map(
    *,
    key: str,
    points: NDArray[np.float64],
    labels: Sequence[str],
    groups: Sequence[int],
    names: Sequence[str],
    selected: int | None,
    near: Sequence[int],
    on_select: Callable[[], None] = lambda: None,
    are_numbered: bool = True,
) -> None:
    """Draw the map; a click stores `selected` under `key` in the session and runs the page.

    Args:
        key: Widget key.
        points: The points. Shape [n, 2 or 3].
        labels: Label of each point, shown when pointed at.
        groups: Group of each point, which gives its colour and shape.
        names: Group -> its name in the legend; "" draws none.
        selected: The point in focus.
        near: Points to mark and, when one is selected, to connect with it.
        on_select: Called before that run.
        are_numbered: True puts the number of a point before its label.
    """
    _COMPONENT(
        key=key,
        data={
            "points": np.round(_scaled(points), 4).tolist(),
            "labels": list(labels),
            "numbered": are_numbered,
            "groups": list(groups),
            "names": list(names),
            "colours": list(GROUPS),
            "selected": selected,
            "near": list(near),
            "height": HEIGHT,
            "words": _words(points.shape[1]),
        },
        default={"selected": None},
        on_selected_change=on_select,
    )


def _scaled(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The points, centred and scaled so that the farthest one is 1 away. Same shape."""
    centred = points - points.mean(axis=0)
    farthest = float(np.sqrt((centred**2).sum(axis=1).max(initial=0.0)))
    scaled: NDArray[np.float64] = centred / farthest if farthest > 0 else centred
    return scaled


def _words(n_dims: int) -> dict[str, str]:
    turn = _("Drag to turn, or arrow keys with Shift.") if n_dims == 3 else ""
    hint = _("Click a point, or move with the arrow keys and press Enter.")
    return {"map": _("Map of the sentences"), "hint": f"{hint} {turn}".strip()}

"""Small maps of attention weights in rows: milestones of a run, or the heads of a Transformer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.ui.components import packed, script, style
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.weight_maps",
    html='<div class="weight-maps"></div>\n',
    css=style("keyboard", "amounts", "weight_maps/weight_maps", "touch"),
    js=script("amounts", "weight_maps/weight_maps"),
)


@dataclass(frozen=True, eq=False)
class WeightMap:
    """One map.

    Attributes:
        title, text: Below it; `text` may be "".
        rows, columns: Labels.
        weights: Shape [row, column].
    """

    title: str
    text: str
    rows: Sequence[str]
    columns: Sequence[str]
    weights: NDArray[np.float32]


def weight_maps(rows: Mapping[str, Sequence[WeightMap]], *, key: str, hint: str = "") -> None:
    """Draw them.

    Args:
        rows: Title of each row -> its maps, from left to right.
        key: Widget key.
        hint: Words below the maps that replace the usual ones.
    """
    head = {
        "rows": [
            {
                "title": title,
                "maps": [
                    {
                        "title": one.title,
                        "text": one.text,
                        "rows": list(one.rows),
                        "columns": list(one.columns),
                    }
                    for one in maps
                ],
            }
            for title, maps in rows.items()
        ],
        "words": {
            "cell": _("“{row}” looks at “{column}” with {weight}"),
            "weight": _("weight"),
            "hint": hint
            or _(
                "Point at a map, or tap it, for exact values. Rows: what was written; columns: what was read."
            ),
        },
    }
    arrays = [one.weights.astype(np.float32) for maps in rows.values() for one in maps]
    _COMPONENT(key=key, data=packed(head, *arrays))

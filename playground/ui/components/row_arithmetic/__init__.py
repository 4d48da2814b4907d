"""One row of one head, from q·k to its output; the browser divides and weighs while a slider moves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.ui.components import script, style
from playground.ui.components.positions import Control, sliders

_COMPONENT = st.components.v2.component(
    "playground.row_arithmetic",
    html='<div class="positions"></div>\n',
    css=style("keyboard", "positions/positions", "row_arithmetic/row_arithmetic", "touch"),
    js=script("positions/panel", "row_arithmetic/row_arithmetic"),
)

N_SEEN = 12  # keys that are seen without scrolling, SEEN in the browser


def controls(labels: Sequence[str], d_head: int, strongest: int, orders: tuple[str, str]) -> list[Control]:
    """Controls of the row: divisor of the scores (√d_head unless moved), key shown in detail, order of keys.

    Args:
        labels: Labels of the keys.
        d_head: Size of a head.
        strongest: The key with the largest weight: shown first.
        orders: Names of reading order, and of strongest first, the default where keys have to scroll.
    """
    root = math.sqrt(d_head)
    return [
        Control("divisor", 1, 4 * root, root, log=True),
        Control("key", 0, len(labels) - 1, strongest, options=labels),
        Control("order", 0, 1, int(len(labels) > N_SEEN), options=orders),
    ]


def row_arithmetic(
    controls: Sequence[Control],
    settings: Mapping[str, float],
    facts: Mapping[str, Any],
    numbers: NDArray[np.float32],
    *,
    key: str,
    words: Mapping[str, str],
    language: str,
    on_release: Callable[[dict[str, float]], None],
) -> None:
    """Draw the row.

    Args:
        controls: From `controls`.
        settings: Values of the controls.
        facts: d_head; start (position of the first key); query (token); allowed of each key; rest: scores of
            the keys that are not drawn but have weight; overlaps: from `core.attention.overlaps`.
        numbers: The query, then the keys. Shape [1 + key, d_head].
        key: Widget key.
        words: Words in the reader's language.
        language: Language of the numbers.
        on_release: Called with the new settings.
    """
    sliders(
        _COMPONENT, controls, settings, key=key, words=words, language=language, facts=facts,
        numbers=numbers, on_release=on_release,
    )  # fmt: skip

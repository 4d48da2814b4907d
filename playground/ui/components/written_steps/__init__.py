"""A target written step by step: its cross-attention; the slider of steps moves in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.ui.components import packed, script, style
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.written_steps",
    html='<div class="written-steps"></div>\n',
    css=style("keyboard", "amounts", "written_steps/written_steps", "touch"),
    js=script("amounts", "written_steps/written_steps"),
)


class WrittenStep(NamedTuple):
    """One step of a target.

    Attributes:
        label: Label of the token that it wrote.
        prob: Probability of that token.
        others: Label and probability of the most probable tokens, best first.
    """

    label: str
    prob: float
    others: Sequence[tuple[str, float]] = ()


def written_steps(
    weights: NDArray[np.floating], source: Sequence[str], steps: Sequence[WrittenStep], *, key: str
) -> None:
    """Draw the source in the light of one step, the target so far, and the whole map.

    Args:
        weights: Cross-attention, at most 128 x 64. Shape [step, source].
        source: Label of each token of the source.
        steps: The steps.
        key: Widget key.
    """
    if weights.shape != (len(steps), len(source)):
        raise ValueError(f"weights of shape {weights.shape} for {len(steps)} steps, {len(source)} tokens")
    head = {
        "source": list(source),
        "steps": [{"label": one.label, "prob": one.prob, "others": list(one.others)} for one in steps],
        "words": _words(),
    }
    _COMPONENT(key=key, data=packed(head, weights.astype(np.float32)))


def _words() -> Mapping[str, Any]:
    """The words in the reader's language; the browser fills the braces."""
    return {
        "step": _("Step {n} of {total}"),
        "source": _("The encoder has read"),
        "target": _("The decoder writes"),
        "told": _("Step {n}: it writes {token} ({prob}) and looks most at {key}, {weight}"),
        "map": _("Cross-attention: rows are the steps of the decoder, columns are the tokens of the source"),
        "scale": _("weight"),
        "light": _("orange: weight of this step, 0 to 1"),
        "others": _("Most probable at this step"),
    }

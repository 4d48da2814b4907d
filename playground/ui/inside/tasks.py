"""The three tasks of the page, checked against the model on the screen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from playground.core import inside as core
from playground.ui import compute
from playground.ui.inside import patching
from playground.ui.inside.reading import InsideReading, first
from playground.ui.text import _
from playground.ui.try_this import Task


def make(reading: InsideReading) -> list[Task]:
    """The tasks for this model; two of them need a next token."""
    share = Task("share", "number", lambda: mlp_share(reading), tolerance=1.0)
    if reading.lens is None:
        return [share]
    ranks = reading.lens.answer_ranks[:, 0]
    return [
        Task("settled", "number", lambda: core.settled_layer(ranks)),
        share,
        Task("copy", "choice", lambda: best_copy(reading), _copies()),
    ]


def mlp_share(reading: InsideReading) -> float:
    """Percent of the parameters of the model that are in the MLPs of its blocks."""
    n = sum(part.n_parameters for part in reading.parts if part.kind == "mlp")
    return 100 * n / reading.context.model.n_parameters


def _copies() -> dict[str, str]:
    return {
        "changed_first": _("the first token that differs, block 1"),
        "last_first": _("the last token, block 1"),
        "changed_last": _("the first token that differs, last block"),
    }


def best_copy(reading: InsideReading) -> str:
    """The copy that gives A's answer the highest probability in B; three forwards, or none."""
    text = st.session_state.get("ins_b", "")
    other = first(compute.tokenize(replace(reading.context, text=text if text.strip() else "-")))
    last = len(reading.tokens) - 1, len(other) - 1
    at_end = compute.lens_of(reading.context, reading.tokens.input_ids, last[:1])
    answer = int(at_end.answer_ids[0])
    differs = patching.changed(reading.tokens, other)
    places = {
        "changed_first": (0, (differs, differs)),
        "last_first": (0, last),
        "changed_last": (reading.context.model.n_layer - 1, (differs, differs)),
    }

    def prob(layer: int, pair: tuple[int, int]) -> float:
        after = patching.copy(reading, other, layer=layer, pairs=[pair]).logits[1]
        return float(np.exp(core.log_probabilities(after)[answer]))

    found = {name: prob(*place) for name, place in places.items()}
    return max(found, key=found.__getitem__)

"""The tasks of the attention page, checked against the model's own weights."""

from __future__ import annotations

import numpy as np
import streamlit as st

from playground.core.heads import head_name
from playground.ui.attention.ablation import best_token_changed
from playground.ui.attention.pictures import scores_of
from playground.ui.attention.view import View
from playground.ui.try_this import Task

LINK = 0.5  # weight from which on a link counts as strong
N_OPTIONS = 4


def tasks(view: View) -> list[Task]:
    """Sort by a score, find a head with a strong link, change the answer."""
    best, options = _previous_token_heads(view)
    return [
        Task("previous", "choice", lambda: best, options),
        Task("link", "goal", lambda: float(strong_link(view))),
        Task("off", "goal", lambda: float(best_token_changed(view))),
    ]


def _previous_token_heads(view: View) -> tuple[str, dict[str, str]]:
    """The head that looks back most, and the names of it and others in the order of the grid."""
    scores = np.nan_to_num(scores_of(view)["previous_token"], nan=-1.0)
    order = np.argsort(-scores, axis=None, kind="stable")
    places = [int(order[len(order) * part // N_OPTIONS]) for part in range(N_OPTIONS)]
    found = [divmod(place, scores.shape[1]) for place in places]
    best = "{}.{}".format(*found[0])
    return best, {f"{layer}.{head}": head_name(layer, head) for layer, head in sorted(found)}


def strong_link(view: View) -> bool:
    """True if the head that the reader picked ties the token they selected to one other, not the first."""
    if not st.session_state["att_head"] or not st.session_state["token"]:
        return False
    row = view.weights[view.layer, view.head, view.query]
    others = [key for key in range(1, len(row)) if key != view.query]
    return bool(others) and float(row[others].max()) >= LINK

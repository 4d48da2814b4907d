"""The sizes and steps that a reader may ask for."""

from __future__ import annotations

from playground.ui import state

SIZES = {"d64": (2, 64), "d128": (2, 128), "deep": (4, 128), "d192": (2, 192)}  # layers, length of a state


def most_steps() -> int:
    """Most steps of a run."""
    return state.settings().max_pretraining_steps

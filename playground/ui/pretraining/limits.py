"""The sizes and steps that a reader may ask for."""

from __future__ import annotations

from playground.ui import state

SIZES = {"d128": (2, 128), "d64": (2, 64), "deep": (3, 128)}  # layers, length of a state


def most_steps() -> int:
    """Most steps of a run."""
    return state.settings().max_pretraining_steps

"""The tasks of the page Memory, checked against what the model at hand really takes."""

from __future__ import annotations

import math

from playground.core.memory import cache_bytes
from playground.core.number_formats import FLOATS, stored
from playground.errors import PlaygroundError
from playground.ui import footprints
from playground.ui.memory.shown import Shown
from playground.ui.state import PageContext
from playground.ui.try_this import Task

HALF = 0.5
KB = 1000


def tasks(context: PageContext, shown: Shown) -> list[Task]:
    """Let activations take half, lose a number in one format alone, count what a token leaves."""
    return [
        Task("activations", "goal", lambda: float((shown.activation_share or 0.0) >= HALF)),
        Task("vanish", "goal", lambda: float(_vanishes_in_one(shown.number))),
        Task("token", "number", lambda: _token_kb(context), tolerance=0.5),
    ]


def _vanishes_in_one(number: float | None) -> bool:
    """True if float16 makes 0 of a number of which bfloat16, with as many bits, keeps something."""
    if number is None:
        return False
    outcomes = [stored(number, FLOATS[name]).outcome for name in ("float16", "bfloat16")]
    return outcomes[0] == "vanishes" and outcomes[1] in ("exact", "rounded")


def _token_kb(context: PageContext) -> float:
    """Kilobytes of keys and values of one token; NaN for a model that keeps none."""
    try:
        sizes = footprints.sizes(context)
    except PlaygroundError:
        return math.nan
    n_bytes = cache_bytes(sizes, sizes.number_bytes)
    return n_bytes / KB if n_bytes else math.nan

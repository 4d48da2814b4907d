"""The three tasks of the page, checked against what its runs really did."""

from __future__ import annotations

import math

from playground.core import forming
from playground.core.pretraining import bits
from playground.ui.pretraining import cutoff, shipped
from playground.ui.pretraining.seen import Seen
from playground.ui.state import PageContext
from playground.ui.try_this import Task

HALF = 0.5


def make(context: PageContext, seen: Seen, language: str) -> list[Task]:
    """The tasks for what is on the screen.

    Args:
        context: From `frame.page`.
        seen: The run of the first pictures.
        language: Language of the text that comes with the playground.
    """
    return [
        Task("line", "number", lambda: passes_at(seen)),
        Task("words", "number", lambda: half_at(seen)),
        Task("half", "choice", lambda: dearest(language), cutoff.names()),
    ]


def passes_at(seen: Seen) -> float:
    """The first measured step from which on its held-out loss stays below the trigram counts."""
    line = seen.counted.get(3)
    if line is None:
        return math.nan
    step = forming.first_below([(at, bits(loss)) for at, loss in seen.held_out], line)
    return math.nan if step is None else float(step)


def half_at(seen: Seen) -> float:
    """The first milestone at which more than half of the words it wrote are words of the text."""
    found = [step for step, n_words, n in seen.words_written if n and n_words > HALF * n]
    return float(min(found)) if found else math.nan


def dearest(language: str) -> float | str:
    """The part of the text that costs most bits per byte at the end of the shipped run on one half."""
    parts = cutoff.parts_of(shipped.compared(language, "half"))
    if not all(parts.values()):
        return math.nan
    return max(parts, key=lambda name: parts[name][-1][1])

"""The text that all points of the scaling laws share: the English one that comes with training from zero."""

from __future__ import annotations

from functools import lru_cache

from playground.core.pretraining import halves, parts
from playground.core.pretraining_run import shipped_text


@lru_cache
def whole_text() -> str:
    """All of it: its end is held out."""
    return shipped_text("en")


@lru_cache
def held_out_text() -> str:
    """The end that every run is measured on."""
    return parts(whole_text()).held_out.decode("utf-8", "ignore")


def pieces(text: str) -> tuple[str, ...]:
    """A text in two, cut behind a line: a tokenizer takes no more at once."""
    return tuple(filter(None, halves(text)))

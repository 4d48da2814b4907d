"""A text in chunks: their cuts move in the browser while a slider is dragged; let go, Python hears of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from playground.core.chunks import ENDS, MEASURES, Boundaries, Chunking, Measure, Span
from playground.ui.components import script, style, synced
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.chunk_cuts",
    html='<div class="chunk-cuts"></div>\n',
    css=style("keyboard", "chunk_cuts/chunk_cuts", "touch"),
    js=script("chunk_cuts/chunk_cuts"),
)
# Smallest and largest size, and the step of the slider.
LIMITS: Mapping[Measure, tuple[int, int, int]] = {
    "characters": (40, 2_000, 20),
    "tokens": (10, 500, 5),
    "sentences": (1, 20, 1),
}
DEFAULTS: Mapping[Measure, tuple[int, int]] = {
    "characters": (400, 80), "tokens": (100, 20), "sentences": (3, 1)
}  # fmt: skip


def possible(written: Mapping[str, Any]) -> Chunking | None:
    """Settings from outside, None unless the component can show them."""
    measure, size, overlap, ends = (written.get(name) for name in ("measure", "size", "overlap", "ends"))
    if measure not in MEASURES or ends not in ENDS:
        return None
    if type(size) is not int or type(overlap) is not int:
        return None
    low, high, _step = LIMITS[measure]
    return (
        Chunking(measure, size, overlap, ends) if low <= size <= high and 0 <= overlap <= size // 2 else None
    )


def chunk_cuts(
    text: str,
    found: Boundaries,
    how: Chunking,
    *,
    best: Span | None,
    key: str,
    language: str,
    on_change: Callable[[Chunking], None],
) -> None:
    """Draw the text.

    Args:
        text: The text, or its beginning.
        found: Its boundaries; those of tokens only while they are the measure.
        how: Settings of the cut.
        best: Characters to mark: the chunk that a search finds first.
        key: Widget key.
        language: Language of the numbers.
        on_change: Called with other settings before the rerun, once a slider was let go.
    """
    revision, shown = synced.shown(key, how, possible, "cuts")

    def on_cuts_change() -> None:
        now = synced.changed(key, possible, "cuts")
        if now is not None and now != how:
            on_change(now)

    _COMPONENT(
        key=key,
        data={
            "revision": revision,
            "settings": asdict(shown),
            "text": text,
            "words": _words(),
            "word_ends": list(found.words),
            "sentences": list(found.sentences),
            "tokens": list(found.tokens),
            "limits": {name: list(limits) for name, limits in LIMITS.items()},
            "defaults": {name: {"size": one[0], "overlap": one[1]} for name, one in DEFAULTS.items()},
            "found": list(best) if best else None,
            "language": language,
        },
        default={"cuts": None},
        on_cuts_change=on_cuts_change,
    )


def _words() -> dict[str, str]:
    return {
        "measure": _("Measured in"),
        "characters": _("characters"),
        "tokens": _("tokens"),
        "sentences": _("sentences"),
        "ends": _("Cut at ends of"),
        "sentence_ends": _("sentences"),
        "word_ends": _("words"),
        "size": _("Size"),
        "overlap": _("Overlap"),
        "text": _("The document in chunks"),
        "chunk": _("chunk, in two tints by turns"),
        "twice": _("overlap: two chunks read it"),
        "found": _("found first for the question"),
        "hint": _("Click or tap a chunk, or move with the arrow keys."),
        "one": _("1 chunk of {most} characters: nothing is cut."),
        "many": _("Chunks: {n}. Characters of each: {least} to {most}. Read twice: {share} of the text."),
        "chosen": _("Chunk {k}: characters {start} to {end}, {length} in all; {repeats} of them repeat."),
    }

"""Parts of a memory as one stacked bar; sliders for batch and length re-weight it in the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from playground.core.memory import Budget, Bytes
from playground.ui.components import script, style, synced
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.memory_bars",
    html='<div class="memory-bars"></div>\n',
    css=style("keyboard", "touch", "memory_bars/memory_bars"),
    js=script("memory_bars/memory_bars"),
)

Size = tuple[int, int]  # texts at once, tokens of each


@dataclass(frozen=True, slots=True)
class Line:
    """Memory that there is.

    Attributes:
        label: Name of it.
        n_bytes: Size of it.
    """

    label: str
    n_bytes: float


def memory_bars(
    budget: Budget,
    parts: Mapping[str, tuple[str, str]],
    size: Size,
    *,
    batches: Sequence[int],
    lengths: Sequence[int],
    rule_bytes: float,
    lines: Sequence[Line],
    longest: int,
    key: str,
    on_change: Callable[[Size], None],
) -> None:
    """Draw the bars and the two sliders.

    Args:
        budget: Predicted memory.
        parts: Part -> its name and colour, in the order of the bar.
        size: Texts at once, and tokens of each.
        batches, lengths: What the sliders can be set to.
        rule_bytes: Memory by the course's rule.
        lines: Memory that there is.
        longest: Tokens that the model reads at most, 0 if unknown.
        key: Widget key.
        on_change: Called with the new size before the rerun, when the reader let a slider go.
    """

    def read(view: Mapping[str, Any]) -> Size | None:
        batch, length = view.get("batch"), view.get("length")
        if type(batch) is not int or type(length) is not int:
            return None
        return (batch, length) if batch in batches and length in lengths else None

    revision, shown = synced.shown(key, size, read)

    def on_view_change() -> None:
        now = synced.changed(key, read)
        if now is not None and now != size:
            on_change(now)

    data = _data(budget, parts, rule_bytes, lines, batches, lengths)
    end = axis_end(max(budget.total(*size), rule_bytes))
    _COMPONENT(
        key=key,
        data=data
        | {
            "revision": revision,
            "batch": shown[0],
            "length": shown[1],
            "longest": longest,
            "end": end,
        },
        default={"view": None},
        on_view_change=on_view_change,
    )


def axis_end(n_bytes: float) -> float:
    """End of the axis: 1, 2 or 5 times a power of ten, with room above a value.

    Example:
        >>> axis_end(2.2e9), axis_end(4.5e9), axis_end(0)
        (5000000000.0, 10000000000.0, 1000000.0)
    """
    end = 1e6
    while end < 1.2 * n_bytes:
        end *= 2.5 if str(end)[0] == "2" else 2
    return end


def _data(
    budget: Budget,
    parts: Mapping[str, tuple[str, str]],
    rule_bytes: float,
    lines: Sequence[Line],
    batches: Sequence[int],
    lengths: Sequence[int],
) -> dict[str, Any]:
    """Numbers and words that do not change while a slider moves."""
    return {
        "batches": list(batches),
        "lengths": list(lengths),
        "parts": [
            {"label": label, "color": color, "bytes": _row(budget.parts[name])}  # type: ignore[index]
            for name, (label, color) in parts.items()
        ],
        "moments": [_row(moment) for moment in budget.moments.values()],
        "rule": rule_bytes,
        "lines": [{"label": line.label, "bytes": line.n_bytes} for line in lines],
        "words": _words(),
    }


def _row(part: Bytes) -> list[float]:
    return [part.fixed, part.per_token, part.per_pair]


def _words() -> dict[str, str]:
    return {
        "batch": _("Texts at once"),
        "length": _("Tokens of each"),
        "all": _("All parts together"),
        "peak": _("Most at one moment"),
        "rule": _("The course's rule"),
        "beyond": _("{label}: {bytes}, {times}× the end of the axis"),
        "longer": _("The model reads {n} tokens at most: a longer text is a thought experiment."),
        "picture": _("Memory of each part as a bar"),
    }

"""Pictures of positions whose closed forms the browser computes itself while a slider is dragged.

    waves       sinusoidal matrix, one dimension as a wave, dot product against distance
    clocks      a real query and key, pair by pair, turned by rotary embedding
    distances   similarity against distance: sinusoidal, rotary, learned, ALiBi
    learned     a learned table, every number a pixel

Python learns the settings once, when a slider is let go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.ui.components import packed, script, style
from playground.ui.components import synced as two_way

View = Literal["waves", "clocks", "distances", "learned"]
Settings = Mapping[str, float]


def _component(view: View) -> Callable[..., Any]:
    return st.components.v2.component(
        f"playground.positions_{view}",
        html='<div class="positions"></div>\n',
        css=style("keyboard", "positions/positions", "touch"),
        js=script("positions/maths", "positions/panel", f"positions/{view}"),
    )


_VIEWS: dict[View, Callable[..., Any]] = {
    "waves": _component("waves"),
    "clocks": _component("clocks"),
    "distances": _component("distances"),
    "learned": _component("learned"),
}


@dataclass(frozen=True, slots=True)
class Control:
    """One slider, or one list to pick from.

    Attributes:
        name: Name of the setting; the label is `words[name]`.
        low, high: Limits, both possible.
        default: Value at the start.
        step: Distance of two possible values, counted from `low`.
        log: True for a logarithmic slider; every number between the limits is possible.
        options: Labels of the values 0, 1, 2, ...: draws a list instead of a slider.
    """

    name: str
    low: float
    high: float
    default: float
    step: float = 1
    log: bool = False
    options: Sequence[str] = ()

    def valid(self, value: object) -> float | None:
        """The value as this control gives it, or None when it cannot.

        Example:
            >>> even = Control("d_model", 2, 256, 64, step=2)
            >>> even.valid("8"), even.valid(7), even.valid("x"), even.valid(float("nan"))
            (8, None, None, None)
        """
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return None
        if not self.low <= number <= self.high:
            return None
        if self.log:
            return int(number) if number.is_integer() else number
        steps = (number - self.low) / self.step
        return int(number) if steps.is_integer() else None


def panel(
    view: View,
    controls: Sequence[Control],
    settings: Settings,
    *,
    key: str,
    words: Mapping[str, str],
    language: str,
    facts: Mapping[str, Any] | None = None,
    numbers: NDArray[np.float32] | None = None,
    on_release: Callable[[dict[str, float]], None] | None = None,
) -> None:
    """Draw one of the pictures of positions; other arguments as in `sliders`, numbers of any shape."""
    sliders(
        _VIEWS[view], controls, settings, key=key, words=words, language=language, facts=facts,
        numbers=numbers, on_release=on_release,
    )  # fmt: skip


def sliders(
    component: Callable[..., Any],
    controls: Sequence[Control],
    settings: Settings,
    *,
    key: str,
    words: Mapping[str, str],
    language: str,
    facts: Mapping[str, Any] | None = None,
    numbers: NDArray[np.float32] | None = None,
    on_release: Callable[[dict[str, float]], None] | None = None,
) -> None:
    """Draw the sliders and the picture; `on_release` runs once, before the rerun, when one was let go.

    The data stay byte for byte the same while the reader only moves sliders, so Streamlit sends a hash.

    Args:
        component: A component built on `panel.js`.
        controls: Its sliders, in order.
        settings: Values of the sliders; those that show others move there.
        key: Widget key.
        words: In the reader's language; the browser fills the braces.
        language: The code of the one in which numbers are written.
        facts: Facts about the model.
        numbers: Numbers of the model for the picture. Any shape, sent row after row.
        on_release: Called with the new settings.
    """

    def read(values: Mapping[str, Any]) -> dict[str, float] | None:
        return _valid(values, controls)

    revision, shown = two_way.shown(key, dict(settings), read, "settings")

    def released() -> None:
        values = two_way.changed(key, read, "settings")
        if values is not None and on_release is not None:
            on_release(values)

    head = {
        "revision": revision,
        "settings": shown,
        "controls": [asdict(control) for control in controls],
        "words": dict(words),
        "facts": dict(facts or {}),
        "language": language,
    }
    arrays = () if numbers is None else (numbers.astype(np.float32, copy=False),)
    data = packed(head, *arrays)
    component(key=key, data=data, default={"settings": None}, on_settings_change=released)


def _valid(values: Mapping[str, Any], controls: Sequence[Control]) -> dict[str, float] | None:
    """The settings that the browser sent, None unless every one is possible."""
    settings = {control.name: control.valid(values.get(control.name)) for control in controls}
    return None if None in settings.values() else {name: v for name, v in settings.items() if v is not None}

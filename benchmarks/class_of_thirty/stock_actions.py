"""What a student does on the stock peer: what our pages show of the same, on one page."""

from __future__ import annotations

import random
from collections.abc import Mapping

from benchmarks.class_of_thirty.actions import Action, Book
from benchmarks.class_of_thirty.tab import Tab, Value


def book(n_steps: int) -> Mapping[str, Book]:
    """The one page of the peer.

    Args:
        n_steps: Steps of a training.
    """
    actions = (
        Action("sentence", "sentence", "vega_lite_chart"),
        Action("let a slider go", "setting", "vega_lite_chart", _temperature),
        Action("sentence", "sentence", "vega_lite_chart"),
        Action("generate 32 tokens", "generate", "text", lambda tab, _draw: tab.press("generate")),
        Action(
            "training", "training", "progress", lambda tab, _draw: tab.press("train"),
            prepare=lambda tab, _draw: {tab.key("steps"): ("double_array_value", [float(n_steps)])},
        ),
    )  # fmt: skip
    return {"peer": Book("vega_lite_chart", actions)}


def _temperature(tab: Tab, draw: random.Random) -> dict[str, Value]:
    return {tab.key("temperature"): ("double_array_value", [round(draw.uniform(0.1, 2.5), 2)])}

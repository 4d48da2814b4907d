"""What the map of one head sends to the browser, and what it lets in."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest
import streamlit as st
from numpy.typing import NDArray

from playground.ui.components import attention_map as module

WEIGHTS = np.random.default_rng(0).dirichlet(np.ones(4), size=3).astype(np.float32)


class Map:
    """The map as a page draws it run after run, with what the browser says in between."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state: dict[str, Any] = {"lang": "en"}
        self.drawn: dict[str, Any] = {}
        self.called: list[Any] = []
        self.selected: int | None = None
        self.coverage = 0.8
        monkeypatch.setattr(st, "session_state", self.state)
        monkeypatch.setattr(module, "_COMPONENT", lambda **given: self.drawn.update(given))

    def run(
        self, weights: NDArray[np.float32] = WEIGHTS, removed: NDArray[np.float32] | None = None
    ) -> bytes:
        module.attention_map(
            weights,
            queries=["a", "</script>", "ㄱ"],
            keys=["1", "2", "3", "4"],
            selected=self.selected,
            removed=removed,
            coverage=self.coverage,
            causal=False,
            key="map",
            words={},
            on_select=self.select,
            on_coverage=self.cover,
        )
        data: bytes = self.drawn["data"]
        return data

    def select(self, query: int) -> None:
        self.selected = query
        self.called.append(query)

    def cover(self, coverage: float) -> None:
        self.coverage = coverage
        self.called.append(coverage)

    def browser_says(self, view: Any) -> None:
        self.state["map"] = {"view": view}
        self.drawn["on_view_change"]()


@pytest.fixture
def attention_map(monkeypatch: pytest.MonkeyPatch) -> Map:
    return Map(monkeypatch)


def test_weights_and_removed_mass_are_sent_bit_for_bit(attention_map: Map) -> None:
    removed = np.array([0.1, 0.0, 0.7], dtype=np.float32)
    data = attention_map.run(removed=removed)
    (length,) = struct.unpack("<I", data[:4])
    head, numbers = json.loads(data[4 : 4 + length]), np.frombuffer(data[4 + length :], dtype="<f4")
    assert head["queries"] == ["a", "</script>", "ㄱ"]
    assert head["view"] == {"selected": None, "percent": 80}
    assert np.array_equal(numbers, np.concatenate([WEIGHTS.ravel(), removed]))


def test_a_click_and_a_released_slider_call_once_and_change_no_byte(attention_map: Map) -> None:
    before = attention_map.run()
    attention_map.browser_says({"selected": 2, "percent": 80, "revision": 0})
    assert attention_map.run() == before
    attention_map.browser_says({"selected": 2, "percent": 95, "revision": 0})
    assert attention_map.run() == before
    assert attention_map.called == [2, 0.95]


def test_a_token_selected_elsewhere_moves_the_row(attention_map: Map) -> None:
    before = attention_map.run()
    attention_map.selected = 1
    after = attention_map.run()
    assert after != before
    attention_map.browser_says({"selected": 0, "percent": 80, "revision": 0})
    assert attention_map.called == []
    attention_map.browser_says({"selected": 0, "percent": 80, "revision": 1})
    assert attention_map.called == [0]


@pytest.mark.parametrize("percent", range(50, 101))
def test_every_percentage_of_the_slider_survives_the_way_through_python(
    percent: int, attention_map: Map
) -> None:
    before = attention_map.run()
    attention_map.browser_says({"selected": None, "percent": percent, "revision": 0})
    assert attention_map.run() == before
    assert attention_map.coverage == percent / 100


@pytest.mark.parametrize(
    "view",
    [
        None,
        7,
        [],
        {},
        {"selected": 1},
        {"selected": 3, "percent": 80},
        {"selected": -1, "percent": 80},
        {"selected": True, "percent": 80},
        {"selected": 1.0, "percent": 80},
        {"selected": "1", "percent": 80},
        {"selected": [1], "percent": 80},
        {"selected": 1, "percent": 49},
        {"selected": 1, "percent": 101},
        {"selected": 1, "percent": 80.5},
        {"selected": 1, "percent": True},
        {"selected": 1, "percent": None},
        {"selected": 1, "percent": float("nan")},
    ],
)
def test_a_forged_state_changes_nothing(view: Any, attention_map: Map) -> None:
    before = attention_map.run()
    attention_map.browser_says(view | {"revision": 0} if isinstance(view, dict) else view)
    assert attention_map.called == []
    assert attention_map.run() == before


def test_labels_that_do_not_fit_are_refused(attention_map: Map) -> None:
    with pytest.raises(ValueError, match="3 queries, 4 keys"):
        attention_map.run(weights=WEIGHTS[:, :3])

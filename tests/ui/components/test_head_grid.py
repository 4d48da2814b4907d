"""What the grid of heads sends to the browser, and what it lets in."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import streamlit as st

from playground.ui.components import head_grid as module
from playground.ui.components import packed

RNG = np.random.default_rng(0)
THUMBNAILS = RNG.integers(0, 256, size=(3, 2, 5, 4), dtype=np.uint8)
SCORES = np.array([[0.25, np.nan], [1.0, 0.0], [0.5, 0.75]])


class Grid:
    """The grid as a page draws it run after run, with what the browser says in between."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state: dict[str, Any] = {"lang": "en"}
        self.drawn: dict[str, Any] = {}
        self.called: list[Any] = []
        self.selected, self.off = (0, 0), frozenset[tuple[int, int]]()
        monkeypatch.setattr(st, "session_state", self.state)
        monkeypatch.setattr(module, "_COMPONENT", lambda **given: self.drawn.update(given))

    def run(self) -> bytes:
        module.head_grid(
            THUMBNAILS,
            SCORES,
            limits=(0, 1),
            selected=self.selected,
            off=self.off,
            by_score=False,
            key="grid",
            words={"score": "entropy"},
            on_select=self.select,
            on_off=self.switch,
        )
        data: bytes = self.drawn["data"]
        return data

    def select(self, layer: int, head: int) -> None:
        self.selected = (layer, head)
        self.called.append(self.selected)

    def switch(self, off: frozenset[tuple[int, int]]) -> None:
        self.off = off
        self.called.append(off)

    def browser_says(self, view: Any) -> None:
        self.state["grid"] = {"view": view}
        change: Callable[[], None] = self.drawn["on_view_change"]
        change()


@pytest.fixture
def grid(monkeypatch: pytest.MonkeyPatch) -> Grid:
    return Grid(monkeypatch)


def unpack(data: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack("<I", data[:4])
    return json.loads(data[4 : 4 + length]), data[4 + length :]


def test_packed_arrays_keep_their_numbers_in_any_byte_order_and_stride() -> None:
    numbers = np.arange(6, dtype=">f4").reshape(2, 3).T
    head, rest = unpack(packed({"ä": [1]}, numbers, THUMBNAILS))
    assert head == {"ä": [1]}
    assert np.frombuffer(rest[:24], "<f4").tolist() == [0, 3, 1, 4, 2, 5]
    assert rest[24:] == THUMBNAILS.tobytes()


def test_every_pixel_and_score_is_sent(grid: Grid) -> None:
    head, pixels = unpack(grid.run())
    assert pixels == THUMBNAILS.tobytes()
    assert head["shape"] == [3, 2, 5, 4]
    assert head["scores"] == [0.25, None, 1.0, 0.0, 0.5, 0.75]
    assert head["words"]["score"] == "entropy"


def test_a_click_calls_once_and_changes_no_byte(grid: Grid) -> None:
    before = grid.run()
    grid.browser_says({"selected": [2, 1], "off": [], "revision": 0})
    assert grid.called == [(2, 1)]
    assert grid.run() == before
    grid.browser_says({"selected": [2, 1], "off": [[1, 1], [0, 0]], "revision": 0})
    assert grid.called[1:] == [frozenset({(1, 1), (0, 0)})]
    assert grid.run() == before


def test_what_python_selects_wins_and_old_answers_do_not_count(grid: Grid) -> None:
    grid.run()
    grid.browser_says({"selected": [2, 1], "off": [], "revision": 0})
    grid.run()
    grid.selected = (1, 0)
    head, _pixels = unpack(grid.run())
    assert (head["revision"], head["view"]["selected"]) == (1, [1, 0])
    grid.browser_says({"selected": [2, 0], "off": [], "revision": 0})
    assert grid.selected == (1, 0)
    grid.browser_says({"selected": [2, 1], "off": [], "revision": 1})
    assert grid.selected == (2, 1)


@pytest.mark.parametrize(
    "view",
    [
        None,
        7,
        "x",
        [],
        {},
        {"selected": [2, 1]},
        {"selected": None, "off": []},
        {"selected": [3, 0], "off": []},
        {"selected": [-1, 0], "off": []},
        {"selected": [0, 2], "off": []},
        {"selected": [True, 0], "off": []},
        {"selected": [1.0, 0], "off": []},
        {"selected": ["1", 0], "off": []},
        {"selected": [1, 0, 0], "off": []},
        {"selected": {"0": 1}, "off": []},
        {"selected": [2, 1], "off": [[0, 2]]},
        {"selected": [2, 1], "off": [[0, 0], [0, 0]]},
        {"selected": [2, 1], "off": [[0, 0]] * 1_000},
        {"selected": [2, 1], "off": "all"},
        {"selected": [2, 1], "off": [None]},
        {"selected": [2, 1], "off": [[[0], 0]]},
    ],
)
def test_a_forged_state_changes_nothing(view: Any, grid: Grid) -> None:
    before = grid.run()
    grid.browser_says(view | {"revision": 0} if isinstance(view, dict) else view)
    assert grid.called == []
    assert grid.run() == before


def test_maps_that_are_no_thumbnails_are_refused(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "THUMBNAILS", np.zeros((3, 2, 17, 4), dtype=np.uint8))
    with pytest.raises(ValueError, match="thumbnails of shape"):
        grid.run()

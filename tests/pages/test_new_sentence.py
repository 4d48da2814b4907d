"""Forwards of a new sentence: with thirty readers each of them is a turn in a queue."""

from __future__ import annotations

import pytest

from playground.engine.process import SharedEngine
from tests.pages.conftest import OpenApp

FORWARDS = {
    "positions": 3,  # the clocks, then one for all orders of each of two models
    "attention": 1,
    "inside": 2,  # the sentence, and what its state does in sentence B
    "masked": 1,
}


@pytest.mark.parametrize("page", FORWARDS)
def test_a_new_sentence_costs_no_more_forwards_than_these(
    page: str, open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    engine = tiny_engine.get(timeout_s=180)
    app = open_app(page, text=f"A first sentence of readers of {page}")
    assert not app.exception
    before = engine.stats().n_forwards
    app = open_app(page, text=f"Another sentence of readers of {page} now")
    assert not app.exception
    assert engine.stats().n_forwards - before <= FORWARDS[page]

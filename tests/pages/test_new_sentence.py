"""Forwards of a new sentence on every page: with thirty readers each is a turn in a queue."""

from __future__ import annotations

import pytest

from playground import navigation
from playground.engine.process import SharedEngine
from tests.pages.conftest import OpenApp

FORWARDS = {
    "home": 1,
    "tokenization": 0,
    "embeddings": 0,
    "positions": 3,  # the clocks, then one for all orders of each of two models
    "attention": 1,
    "inside": 2,  # the sentence, and what its state does in sentence B
    "seq2seq": 0,
    "families": 4,  # decoder and encoder, then both texts of each; the target is of a text of ours
    "masked": 1,
    "sampling": 1,
    "prompting": 0,
    "finetuning": 0,
    "tasks": 1,
    "evaluation": 0,
    "retrieval": 0,
    "classroom": 0,
}


def test_every_page_has_its_number() -> None:
    assert FORWARDS.keys() == navigation.BY_NAME.keys()


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

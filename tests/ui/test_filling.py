"""Masks that are filled through the door to the engine, as a page would ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.filling import FillRequest
from playground.settings import Settings
from playground.ui import compute
from playground.ui.state import PageContext
from tests import tiny


@pytest.fixture(scope="module")
def engine(tiny_settings: Settings) -> Iterator[Engine]:
    made = create_engine(tiny_settings)
    yield made
    made.close()


def _page(context: object, text: str) -> None:
    import streamlit as st

    from playground.engine.contract.filling import FillRequest
    from playground.ui import compute, stepwise
    from tests import tiny

    model = tiny.MASKED
    st.text(sum(len(part.positions) for part in stepwise.fill_each(context, FillRequest(model, text))))
    st.text(compute.fill(context, FillRequest(model, text, n_top=1)).top_ids.tolist())


def _run(engine: Engine, text: str, patch: pytest.MonkeyPatch) -> AppTest:
    patch.setattr(compute, "shared_engine", lambda: engine)
    model = next(info for info in engine.models() if info.model_id == tiny.MASKED)
    context = PageContext("home", model, "", "en", "me")
    return AppTest.from_function(_page, args=(context, text), default_timeout=180).run()


def test_a_page_gets_each_token_and_every_mask(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    app = _run(engine, "the [MASK] sat", monkeypatch)
    filled = engine.fill(FillRequest(tiny.MASKED, "the [MASK] sat", n_top=1))
    n_words = len(filled.input_ids) - 3  # without the frame and the mask
    assert not app.exception
    assert [one.value for one in app.text] == [str(n_words), str(filled.top_ids.tolist())]


def test_a_page_says_how_a_mask_is_written(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    app = _run(engine, "the cat sat", monkeypatch)
    assert [one.value for one in app.error] == [
        "The text has no \\[MASK\\]: write it where the model is to find a word."
    ]

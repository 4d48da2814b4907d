"""Models that a session trained from zero, on every page: picked, drawn, gone."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from playground import navigation
from playground.engine.contract.pretraining import OBJECTIVES
from playground.engine.contract.training import ENDED
from playground.engine.local.engine import LocalEngine
from tests.engine.training.zero_runs import zero_run
from tests.pages.conftest import OpenApp
from tests.pages.finetuned import told

PAGES = [page.name for page in navigation.PAGES if page.needs_model]


def trained(engine: LocalEngine, owner: str, objective: str) -> str:
    request = replace(
        zero_run(1, owner, objective=objective, n_steps=3, window=64, name="my first"), prompts=()
    )
    engine.training.runs.start(request)
    until = time.monotonic() + 300
    while (state := engine.training.runs.state(request.request_id, owner)) and state.status not in ENDED:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert state is not None
    assert state.status == "done", state.error
    return state.adapter


def picker_of(app: AppTest) -> Selectbox:
    return next(one for one in app.selectbox if str(one.key).startswith("model_choice"))


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_works_with_a_model_from_zero(
    page: str, objective: str, open_app: OpenApp, engine: LocalEngine
) -> None:
    app = open_app("home")
    model_id = trained(engine, app.session_state["owner_id"], objective)
    app.session_state["model"] = model_id
    for name, value in {"text": "The cat sat.", "pro_shots": "0"}.items():
        app.query_params[name] = value
    app.switch_page(f"../pages/{page}.py").run()
    assert not app.exception
    picker = picker_of(app)
    assert picker.value == model_id
    assert any(one.startswith("my first · run 1 · step 3") for one in picker.options)
    assert app.main.markdown[-1].value.startswith("## "), "the lesson can be read"
    lacks = set(navigation.BY_NAME[page].needs) - engine.pretraining.info(model_id).entry.capabilities
    said = [one.value for one in app.error]
    assert lacks or all("tokens and the limit here is" in one for one in said), said
    engine.pretraining.remove(model_id, app.session_state["owner_id"])


def test_a_model_of_somebody_else_and_one_that_is_gone_are_a_sentence(
    open_app: OpenApp, engine: LocalEngine
) -> None:
    app = open_app("sampling")
    owner = app.session_state["owner_id"]
    model_id = trained(engine, owner, "next")
    other = open_app("sampling", model=model_id)
    assert not other.exception
    assert picker_of(other).value != model_id
    assert "no longer on the server" in told(other)
    app.session_state["model"] = model_id
    app.run()
    assert picker_of(app).value == model_id
    engine.pretraining.remove(model_id, owner)
    app.run()
    assert not app.exception
    assert picker_of(app).value != model_id

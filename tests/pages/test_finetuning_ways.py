"""The panel of other ways to adapt, and their adapters on every page."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from streamlit.testing.v1 import AppTest

from playground.core.adapting import N_STEPS, n_trained, shipped
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import ENDED, TrainingState
from playground.engine.local.engine import LocalEngine
from playground.ui import compute
from tests import tiny
from tests.engine.adapters.other_ways import made
from tests.pages.conftest import OpenApp
from tests.pages.finetuned import told
from tests.pages.shown import charts
from tests.pages.test_every_page import PAGES

PANEL = {"fin_panel": "ways", "fin_set": "sentiment"}
KINDS = ("bottleneck", "prompt", "prefix")


@pytest.fixture(autouse=True)
def owner(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session of its own for every test."""
    mine = uuid4().hex
    monkeypatch.setattr(compute, "owner", lambda: mine)
    yield mine
    engine.cancel_owner(mine)


def ended(engine: LocalEngine, owner: str) -> TrainingState:
    until = time.monotonic() + 300
    while (last := engine.training.runs.of(owner)[-1]).status not in ENDED:
        assert time.monotonic() < until
        time.sleep(0.05)
    return last


def rows_of(app: AppTest) -> list[dict[str, object]]:
    return next(one for one in charts(app) if "held_out" in one.data.columns).data.to_dict("records")


def test_the_shipped_points_are_drawn_and_told(open_app: OpenApp) -> None:
    app = open_app("finetuning", **PANEL)
    assert not app.exception
    measured, said = shipped(), told(app)
    best = min(measured.points, key=lambda one: one.held_out)
    fewest = min(measured.points, key=lambda one: one.n_trained)
    assert f"Without training the held-out loss is {measured.base:.2f} nats per token" in said
    assert f"with {best.held_out:.2f} nats per token and {best.n_trained:,} trained numbers" in said
    assert f"trains the fewest, {fewest.n_trained:,}, and ends at {fewest.held_out:.2f}" in said
    assert "its losses are not comparable" in said, "the tiny model is another one"


@pytest.mark.parametrize("method", KINDS)
def test_a_way_trained_here_is_a_ring_with_its_own_numbers(
    open_app: OpenApp, engine: LocalEngine, owner: str, method: str
) -> None:
    app = open_app("finetuning", **PANEL, fin_way=method, fin_way_size="4")
    app.button(key="fin_way_start").click().run()
    assert not app.exception
    last = ended(engine, owner)
    assert (last.status, last.step) == ("done", N_STEPS)
    app.run()
    assert not app.exception
    info = engine.adapters.info(last.adapter)
    model = next(one for one in engine.models() if one.model_id == tiny.LLAMA)
    sizes = {"n_layer": model.n_layer, "d_model": model.d_model, "d_keys": model.n_kv_head * model.d_head}
    assert (info.method, info.n_parameters) == (method, n_trained(method, 4, shapes=(), **sizes))
    least = min(loss for _step, loss in last.held_out[1:])
    said = told(app)
    assert f"with {least:.2f} nats per token and {info.n_parameters:,} trained numbers" in said
    begun = f"Without training the held-out loss is {last.held_out[0][1]:.2f}"
    assert (begun in said) is (method == "bottleneck"), "virtual positions do not begin as the model"
    assert f"Without training the held-out loss is {shipped().base:.2f}" not in said, "that is another model"
    app.button(key="fin_way_time").click().run()
    assert not app.exception
    times = app.session_state["fin_way_times"]
    assert times[last.adapter] > 0
    more = times[last.adapter] - 1
    said = told(app)
    assert ("No way was measured to make a token take longer" in said) is (more < 0.005)
    assert ("The time of a token grows most with" in said) is (more >= 0.005)


def test_the_settings_train_every_way(open_app: OpenApp, engine: LocalEngine, owner: str) -> None:
    app = open_app(
        "finetuning",
        fin_set="sentiment",
        fin_steps="2",
        fin_method="prefix",
        fin_virtual="3",
        fin_panel="weights",
    )
    assert not app.exception
    [counted] = re.findall(r"([\d,]+) numbers are trained,", told(app))
    app.button(key="fin_start").click().run()
    assert not app.exception
    last = ended(engine, owner)
    info = engine.adapters.info(last.adapter)
    assert info.num_virtual_tokens == 3
    assert int(counted.replace(",", "")) == info.n_parameters
    for panel, said in (
        ("weights", "numbers are trained beside the weights: prefix"),
        ("changed", "changes no weight"),
        ("compare", "there is nothing between 0 and 100 %"),
        ("mine", "It is also in the list"),
    ):
        app.session_state["fin_panel"] = panel
        app.run()
        assert not app.exception, panel
        assert said in told(app), panel


@pytest.mark.parametrize("method", KINDS)
def test_every_page_works_with_it(open_app: OpenApp, engine: LocalEngine, owner: str, method: str) -> None:
    adapter = made(engine, tiny.LLAMA, method, owner, n=3)  # type: ignore[arg-type]
    for page in PAGES:
        app = open_app(page, model=adapter)
        said = app.exception
        assert not said, page


def test_attention_says_what_the_virtual_positions_get(
    open_app: OpenApp, engine: LocalEngine, owner: str
) -> None:
    adapter = made(engine, tiny.LLAMA, "prefix", owner, n=3)
    app = open_app("attention", model=adapter, text="the cat sat", att_head="1.0")
    said = told(app)
    [(share, token)] = re.findall(
        r"In this head ([\d.]+) ?% of the attention of (.+?) goes to the 3 virtual", said
    )
    ids = compute.cut(tiny.LLAMA, "the cat sat").input_ids
    trace = engine.trace(TraceRequest(adapter, input_ids=ids, capture=Capture(attentions="float32")))
    assert trace.attentions is not None
    assert float(share) / 100 == pytest.approx(1 - trace.attentions[1, 0, -1].sum(), abs=6e-4)
    assert token
    assert "has 3 virtual positions before the text" in said

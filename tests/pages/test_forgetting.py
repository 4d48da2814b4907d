"""Fine-tuning against forgetting: the measured runs, a pair of the reader's own, and the code it shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.forgetting import ForgettingMethod, beside_plain, best, shipped
from playground.engine.contract.training import ENDED, RemedyObservation, TrainingState
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.ui import compute, show, state
from playground.ui.finetuning import code, live, sets
from playground.ui.text import share, without_sign_of_zero
from tests.pages.conftest import OpenApp
from tests.pages.finetuned import choose, told
from tests.pages.shown import charts, run_script

LINK = {
    "fin_panel": "forgetting",
    "fin_set": "sentiment",
    "fin_steps": "6",
    "fin_rate": "0.01",
    "fin_batch": "2",
}


@pytest.fixture(autouse=True)
def owner(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session of its own for every test: AppTest gives all of them the same id."""
    mine = uuid4().hex
    monkeypatch.setattr(compute, "owner", lambda: mine)
    yield mine
    engine.cancel_owner(mine)


def pair(app: AppTest, engine: LocalEngine) -> list[TrainingState]:
    """Click Train both, wait, draw the page again."""
    app.button(key="fin_pair_start").click().run()
    assert not app.exception
    errors = [one.value for one in app.error]
    assert not errors
    until = time.monotonic() + 300
    while not all(one.status in ENDED for one in engine.training.runs.of(compute.owner())):
        assert time.monotonic() < until
        time.sleep(0.05)
    app.run()
    assert not app.exception
    return engine.training.runs.of(compute.owner())


def test_the_picture_and_the_words_are_those_of_the_shipped_runs(open_app: OpenApp) -> None:
    app = open_app("finetuning", **LINK)
    assert not app.exception
    [drawn] = [rows for rows in charts(app) if "bits" in rows]
    table = shipped()
    ends = {(one.method.kind, one.method.strength, one.method.r, one.seed): one.end for one in table.runs}
    assert len(drawn) == 1 + len(ends)
    for row in drawn[drawn["kind"] != "start"].to_dict("records"):
        key = (row["kind"], float(row["strength"]), int(row["r"]), int(row["seed"]))
        held_out, general = ends[key]
        assert float(row["held_out"]) == pytest.approx(held_out)
        bits = general * table.n_tokens * np.log2(np.e) / table.n_bytes
        assert float(row["bits"]) == pytest.approx(bits)
    said = told(app)
    plain = [one for one in table.runs if one.method.kind == "plain"]
    for one in plain:
        assert share(one.general[-1][1] / one.general[0][1] - 1, "+.1%") in said
    for kind in ("rehearsal", "l2sp", "ewc", "rank"):
        found = beside_plain(table.runs, kind)
        kept, missed = without_sign_of_zero(f"{-np.mean(found.kept):+.2f}"), np.mean(found.missed)
        assert f": {kept} nats per token on prose, {without_sign_of_zero(f'{missed:+.2f}')} on" in said
    for view in ("general", "held_out"):
        choose(app, "fin_forget_view", view)
        [drawn] = [rows for rows in charts(app) if "kind" in rows and "loss" in rows]
        mine = drawn[(drawn["kind"] == "ewc") & (drawn["text"] == view)]
        one = next(one for one in table.runs if (one.method, one.seed) == (best(table.runs, "ewc"), 0))
        curve = [loss for _step, loss in getattr(one, view)]
        factor = table.bits_per_byte(1.0) if view == "general" else 1.0
        np.testing.assert_allclose(mine["loss"].astype(float), np.array(curve) * factor, rtol=1e-6)


@pytest.mark.parametrize("kind", ["rehearsal", "ewc", "rank"])
def test_plain_and_remedy_train_side_by_side(open_app: OpenApp, engine: LocalEngine, kind: str) -> None:
    app = open_app("finetuning", **LINK, fin_remedy=kind)
    assert not app.exception
    plain, own = pair(app, engine)
    assert (plain.status, own.status) == ("done", "done")
    settings = live.adapter_settings(own)
    assert live.adapter_settings(plain).remedy.kind == "none"
    assert settings.remedy.kind == ("none" if kind == "rank" else kind)
    assert plain.general[0] == own.general[0]
    assert plain.general[-1] != own.general[-1]
    [drawn, _also] = [rows for rows in charts(app) if "kind" in rows and "loss" in rows]
    mine = drawn[(drawn["kind"] == kind) & (drawn["text"] == "held_out")]
    np.testing.assert_allclose(mine["loss"].astype(float), [loss for _step, loss in own.held_out], rtol=1e-6)
    rises = [share(one.general[-1][1] / one.general[0][1] - 1, "+.1%") for one in (plain, own)]
    assert f"changed by {rises[0]} plainly and by {rises[1]} with" in told(app)
    lost = [one.general[-1][1] / one.general[0][1] - 1 for one in (plain, own)]
    verdict = (
        "forgotten hardly anything"
        if lost[0] <= live.NOTHING
        else "With the remedy less is lost"
        if lost[1] < lost[0]
        else "does not help"
    )
    assert verdict in told(app)


def test_the_shown_code_gives_the_numbers_of_the_run(
    open_app: OpenApp,
    engine: LocalEngine,
    tiny_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = open_app("finetuning", **LINK, fin_remedy="ewc")
    _plain, own = pair(app, engine)
    data = app.session_state[live.DATA][own.run_id]
    assert isinstance(data, sets.ReadSet)
    monkeypatch.setattr(show, "settings", lambda: tiny_settings)
    monkeypatch.setattr(state, "settings", lambda: tiny_settings)
    settings = live.adapter_settings(own)
    method = ForgettingMethod("ewc", settings.remedy.strength, settings.lora.r)
    script = code.remedied(method, settings, (data.trained_rows, data.tested_rows), "en")
    found, printed = run_script(script, tmp_path)
    np.testing.assert_allclose(found["losses"], [loss for _step, loss in own.train], atol=2e-3)
    assert found["held_out_loss"] == pytest.approx(own.held_out[-1][1], abs=2e-3)
    assert found["general_loss"] == pytest.approx(own.general[-1][1], abs=2e-3)
    seen = own.observed[-1]
    assert isinstance(seen, RemedyObservation)
    assert found["added"] == pytest.approx(seen.penalty, rel=2e-2)
    assert f"adds {seen.penalty:.4f} nats" in told(app)
    assert "penalty" in printed


def test_a_method_that_has_no_remedy_says_so(open_app: OpenApp) -> None:
    app = open_app("finetuning", **LINK, fin_method="last_block")
    assert not app.exception
    assert "These remedies are for LoRA" in told(app)
    assert not [one for one in app.button if one.key == "fin_pair_start"]


def test_a_pair_that_cannot_begin_leaves_nothing_behind(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app(
        "finetuning", **LINK | {"fin_batch": "8"}, fin_remedy="rehearsal", fin_remedy_rehearsal="0.8"
    )
    app.button(key="fin_pair_start").click().run()
    assert not app.exception
    errors = [one.value for one in app.error]
    assert len(errors) == 1
    assert "batch" in errors[0].lower()
    assert all(one.status in ENDED for one in engine.training.runs.of(compute.owner()))

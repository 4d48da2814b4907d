"""The panel of DPO: a run by the code shown, by its definitions, and what cannot be asked."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.preferences.dpo_run import Milestone, moved, read, written
from playground.core.preferences.pair import PreferencePair, split
from playground.core.preferences.shipped import shipped_pairs
from playground.core.tables import alignment_dpo as frames
from playground.engine.contract.preferences import DpoObservation, DpoSettings
from playground.engine.contract.training import ENDED, TrainingState
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.ui.alignment import constitution, dpo_pictures
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, folder, run_code

LN2 = math.log(2)
STEPS = {"al_dpo_steps": "4", "al_dpo_rate": "0.01", "al_dpo_batch": "2"}


def said(app: AppTest) -> str:
    """Everything that the page writes."""
    assert not app.exception
    found = (*app.markdown, *app.caption, *app.info, *app.error)
    return "\n".join(one.value for one in found).replace("\\", "")


def run_of(engine: LocalEngine, app: AppTest) -> TrainingState:
    """The run of the session, once it has ended."""
    owner = app.session_state["owner_id"]
    deadline = time.monotonic() + 240
    while True:
        (run,) = engine.training.runs.of(owner)
        if run.status in ENDED and run.is_settled and all(one.status != "open" for one in run.samples):
            assert run.status == "done", run.error
            return run
        assert time.monotonic() < deadline
        time.sleep(0.05)


def keep(app: AppTest, n: int) -> list[PreferencePair]:
    """Some short pairs, kept as those of a constitution."""
    pairs = [
        PreferencePair(f"the cat {word}", "sat on the mat", "on the dog")
        for word in ["a", "b", "c", "d", "e"]
    ]
    app.session_state[constitution.KEPT] = tuple(pairs[:n])
    return pairs[:n]


@pytest.fixture
def trained(open_app: OpenApp, engine: LocalEngine) -> tuple[AppTest, TrainingState]:
    """The page after a run on kept pairs."""
    app = open_app("alignment", lang="en", al_panel="dpo", al_dpo_pairs="kept", **STEPS)
    keep(app, 4)
    app.run()
    app.button(key="al_dpo_start").click().run()
    assert not app.exception
    run = run_of(engine, app)
    return app.run(), run


def test_a_run_begins_at_ln_2_and_is_drawn(trained: tuple[AppTest, TrainingState]) -> None:
    app, run = trained
    told = [one for one in run.observed if isinstance(one, DpoObservation)]
    assert told[0].step == 0
    first = told[0].held_out.dpo(0.1)
    assert first.loss == pytest.approx(LN2)
    assert run.held_out[0][1] == pytest.approx(LN2, abs=1e-6)
    losses, ratios = charts(app)[:2]
    held_out = losses[losses["data"] == "held_out"]
    assert held_out["loss"].tolist() == pytest.approx([loss for _step, loss in run.held_out])
    for one in told:
        rows = ratios[ratios["step"] == one.step].set_index("answer")["log_ratio"]
        for answer in ("chosen", "rejected"):
            by_hand = np.subtract(
                getattr(one.held_out, answer), getattr(one.held_out, f"ref_{answer}")
            ).mean()
            assert rows[answer] == pytest.approx(by_hand, abs=1e-5)
    text = said(app)
    assert f"the loss is {LN2:.4f} = ln 2" in text
    last = told[-1].held_out.dpo(0.1)
    assert f"after step {told[-1].step} it is {last.loss:.4f} on held-out pairs" in text
    gap = float(last.margins.mean()) / 0.1  # of the log-ratios, of which the margin is β times as much
    assert f"β · {gap:.1f} = {0.1 * gap:.2f}" in text
    right = int((last.margins > 0).sum())
    assert f"{right} of {len(last.margins)} held-out pairs are in the right order" in text
    app.button(key="al_dpo_use").click().run()
    assert app.session_state["model"] == run.adapter


def test_the_code_shown_trains_the_same_adapter(
    trained: tuple[AppTest, TrainingState], tiny_settings: Settings, tmp_path: Path
) -> None:
    _app, run = trained
    settings = run.settings
    assert isinstance(settings, DpoSettings)
    pairs = [
        PreferencePair(f"the cat {word}", "sat on the mat", "on the dog") for word in ["a", "b", "c", "d"]
    ]
    train, held_out = split(pairs)
    code = run_code(
        "dpo", tmp_path, folder=folder(tiny_settings, tiny.LLAMA), beta=settings.beta, n_steps=4,
        pairs=[(one.prompt, one.chosen, one.rejected) for one in train], learning_rate=0.01, batch_size=2,
        held_out=[(one.prompt, one.chosen, one.rejected) for one in held_out], seed=0, r=settings.lora.r,
        lora_alpha=settings.lora.lora_alpha, target_modules=list(settings.lora.target_modules),
    )  # fmt: skip
    assert code["losses"] == pytest.approx([loss for _step, loss in run.train], abs=2e-4)
    assert code["held_out_loss"] == pytest.approx(run.held_out[-1][1], abs=2e-4)


@pytest.mark.parametrize("view", ["pairs", "distance", "samples"])
def test_every_picture_of_the_run_is_drawn(trained: tuple[AppTest, TrainingState], view: str) -> None:
    app, run = trained
    app.session_state["al_dpo_view"] = view
    app.run()
    told = [one for one in run.observed if isinstance(one, DpoObservation)]
    text = said(app)
    if view == "pairs":
        (table,) = charts(app)
        found = told[-1].held_out.dpo(0.1)
        assert sorted(table["reward"]) == pytest.approx(
            sorted([*found.chosen_rewards, *found.rejected_rewards])
        )
    elif view == "distance":
        table = charts(app)[0]
        assert table["kl"].tolist() == pytest.approx([one.kl for one in told])
        assert table["kl"].iloc[0] == pytest.approx(0, abs=1e-6)
        assert (table["low"] <= table["accuracy"]).all()
    else:
        assert "after step" in text


def test_both_answers_can_fall_while_the_margin_grows() -> None:
    one = Milestone(9, 0.1, (-10.0, -5.0), (-14.0, -9.0), (-9.0, -6.0), (-8.0, -6.0))
    found = moved(one, 0.1)
    assert (found.chosen, found.rejected) == (0.0, -4.5)
    assert not found.both_fell
    assert found.n_both_fell == 1
    fallen = moved(Milestone(9, 0.1, (-10.0,), (-14.0,), (-9.0,), (-8.0,)), 0.1)
    assert fallen.both_fell
    table = frames.log_ratios({9: one.dpo(0.1)}, 0.1).set_index("answer")["log_ratio"]
    assert table["rejected"] == pytest.approx(-4.5)


def test_one_prompt_alone_is_refused_with_the_cure(open_app: OpenApp) -> None:
    app = open_app("alignment", lang="en", al_panel="dpo", al_dpo_pairs="kept")
    assert "Keep pairs of two attacks at least" in said(app)
    keep(app, 1)
    app.run()
    assert "Keep pairs of two attacks at least" in said(app)


@pytest.mark.parametrize("typed", ["0", "nan", "-1", "1000"])
def test_a_beta_that_cannot_be_becomes_the_nearest_and_that_is_said(open_app: OpenApp, typed: str) -> None:
    app = open_app("alignment", lang="en", al_panel="dpo", al_beta=typed)
    assert not app.exception
    assert app.session_state["al_beta"] in (0.01, 0.1, 3.0)
    assert "is not possible, only 0.01 to 3" in said(app)


def test_a_run_is_read_back_as_it_was_written(trained: tuple[AppTest, TrainingState]) -> None:
    from playground.engine.contract.preference_runs import seen

    _app, run = trained
    pairs = shipped_pairs("en")[:2]
    found = seen(run, pairs, pairs, ("a",), "abc")
    again = read(written(found))
    assert again == found
    assert (
        dpo_pictures.values(again, {one.step: one.dpo(again.beta) for one in again.milestones})["step"][0]
        == 0
    )

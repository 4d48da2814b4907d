"""The code under a run that learns from a reward gives its numbers, whoever judges."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground import engine as engines
from playground.core.preferences.pair import split
from playground.core.preferences.shipped import shipped_pairs
from playground.core.preferences.sides import mixed
from playground.engine.contract.policies import HeadReward, PolicySettings
from playground.engine.contract.training import ENDED, TrainingState
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.ui.alignment import rl, rl_code
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import run_script


def last_run(engine: LocalEngine, app: AppTest) -> TrainingState:
    """The session's last run, once it has ended."""
    owner = app.session_state["owner_id"]
    deadline = time.monotonic() + 120
    while not all(one.status in ENDED and one.is_settled for one in engine.training.runs.of(owner)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    app.run()
    assert not app.exception
    return engine.training.runs.of(owner)[-1]


@pytest.mark.parametrize("judge", ["characters", "head"])
def test_the_code_gives_the_rollouts_of_the_panel(
    open_app: OpenApp, engine: LocalEngine, tiny_settings: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, judge: str,
) -> None:  # fmt: skip
    app = open_app(
        "alignment", lang="en", model=tiny.LLAMA, al_panel="reward", al_topic="polite", al_rl_steps="3",
        al_rl_answers="4", al_rl_tokens="6", al_asked="the cat", al_kl_beta="0.2", al_penalty="1",
    )  # fmt: skip
    if judge == "head":
        app.button(key="al_reward_start").click().run()
        last_run(engine, app)
        (head,) = engine.preferences.heads(app.session_state["owner_id"])
        judge = f"head_{head.head_id}"
    app.segmented_control(key="al_panel_choice").set_value("rl").run()
    app.selectbox(key="al_reward_choice").set_value(judge).run()
    app.button(key="al_rl_start").click().run()
    run = last_run(engine, app)
    settings = run.settings
    assert isinstance(settings, PolicySettings)
    assert isinstance(settings.reward, HeadReward) == judge.startswith("head")
    pairs = [one for one in shipped_pairs("en") if one.topic == "polite"]
    train = split(mixed(pairs))[0] if isinstance(settings.reward, HeadReward) else ()
    monkeypatch.setattr(engines, "create_engine", lambda _settings: LocalEngine(tiny_settings))
    made, _printed = run_script(rl_code.live_run(settings, "the cat", train, 1.0), tmp_path)
    told = rl.told_of(run)
    assert len(told) == 1 + settings.n_steps == len(made["rollouts"])
    assert [one.reward for one in made["rollouts"]] == pytest.approx([one.reward for one in told], abs=1e-4)
    assert [one.kl for one in made["rollouts"]] == pytest.approx([one.kl for one in told], abs=1e-4)
    assert any("rollout" in one.value for one in app.markdown)

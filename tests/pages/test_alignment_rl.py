"""The panel of the policy gradient: the shipped hack, a run of one's own, and what cannot be asked."""

from __future__ import annotations

import time

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.hacking_judged import FAR, judged
from playground.core.reward_hacking import MeasuredAnswer, MeasuredRollout, shipped
from playground.core.rewards import rewards_of
from playground.core.tables import alignment_policy as frames
from playground.engine.contract.policies import PolicySettings
from playground.engine.contract.training import ENDED
from playground.engine.local.engine import LocalEngine
from playground.ui.alignment import hack, rl
from tests.pages.conftest import OpenApp
from tests.pages.tasked import sent


def said(app: AppTest) -> str:
    """Everything that the page writes."""
    assert not app.exception
    return "\n".join(one.value for one in (*app.markdown, *app.caption, *app.error)).replace("\\", "")


def test_the_first_picture_is_the_shipped_hack(open_app: OpenApp) -> None:
    app = open_app("alignment", lang="en", al_panel="rl")
    (data,) = sent(app, "rollouts")
    table = shipped()
    free, held = table.run(0.0, 0), table.run(table.kl_betas[-1], 0)
    assert free is not None
    assert held is not None
    for drawn, run in zip(data["runs"], (free, held), strict=True):
        assert drawn["rewards"] == [one.reward for one in run.rollouts]
        assert drawn["kl"] == [one.kl for one in run.rollouts]
        for texts, one in zip(drawn["answers"], run.rollouts, strict=True):
            assert [text for text, _reward in texts] == [a.text for a in one.answers[: hack.N_ANSWERS]]
    assert data["last"] == free.n_steps
    text = said(app)
    assert "the reward is hacked" in text
    assert f"It ends at {free.rollouts[-1].reward:.2f} instead of {free.rollouts[0].reward:.2f}" in text
    assert "The leash (β = 0.5) holds" in text


def test_the_shipped_rewards_are_those_of_the_answers() -> None:
    table = shipped()
    for run in table.runs:
        for one in run.rollouts:
            again = rewards_of(table.reward, [answer.text for answer in one.answers])
            assert [answer.reward for answer in one.answers] == again.tolist()
            assert one.reward == pytest.approx(again.mean(), abs=1e-4)


def rollout(step: int, rewards: list[float]) -> MeasuredRollout:
    """A rollout with these rewards."""
    answers = tuple(MeasuredAnswer(0, "a", value, 0.0) for value in rewards)
    return MeasuredRollout(step, float(np.mean(rewards)), 1.0 * step, 0.0, None, 0.0, 0.0, answers)


def test_a_hack_is_far_above_what_the_first_answers_had() -> None:
    first = rollout(0, [0.0, 2.0])  # mean 1, deviation 1
    assert judged([first, rollout(1, [FAR + 1.0] * 2)]).hacked_at is None
    assert judged([first, rollout(1, [5.0, 5.0]), rollout(2, [FAR + 1.1] * 2)]).hacked_at == 2
    flat = judged([rollout(0, [3.0, 3.0]), rollout(1, [90.0, 90.0])])
    assert flat.is_flat
    assert flat.hacked_at is None


def wait(engine: LocalEngine, app: AppTest) -> None:
    """Until every run of the session has ended."""
    owner = app.session_state["owner_id"]
    deadline = time.monotonic() + 120
    while any(one.status not in ENDED or not one.is_settled for one in engine.training.runs.of(owner)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_run_of_ones_own_is_drawn_and_its_adapter_can_be_picked(
    open_app: OpenApp, engine: LocalEngine
) -> None:
    app = open_app(
        "alignment", lang="en", al_panel="rl", al_rl_steps="3", al_rl_answers="4", al_rl_tokens="6",
        al_asked="the cat", al_reward="characters", al_clipped="false", al_kl_beta="0.2",
    )  # fmt: skip
    app.button(key="al_rl_start").click().run()
    assert not app.exception
    wait(engine, app)
    app.run()
    (run,) = engine.training.runs.of(app.session_state["owner_id"])
    settings = run.settings
    assert isinstance(settings, PolicySettings)
    assert (settings.kl_beta, settings.epsilon, settings.n_steps) == (0.2, np.inf, 3)
    data = next(one for one in sent(app, "rollouts") if one["runs"][0]["kind"] == "live")
    told = rl.told_of(run)
    assert [one.step for one in told] == [0, 1, 2, 3]
    assert data["runs"][0]["rewards"] == [one.reward for one in told]
    for one in told:
        texts = [answer.text for answer in one.answers]
        assert [answer.reward for answer in one.answers] == rewards_of(settings.reward, texts).tolist()  # type: ignore[arg-type]
    assert told[0].kl == pytest.approx(0, abs=1e-6)
    found = frames.rollouts({"mine": told})
    assert found["reward"].tolist() == [one.reward for one in told]
    assert f"By rollout 3 the mean reward went from {told[0].reward:.2f} to {told[-1].reward:.2f}" in said(
        app
    )
    app.button(key="al_rl_use").click().run()
    assert app.session_state["model"] == run.adapter
    assert not app.exception


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ({"al_reward": "pattern", "al_pattern": "("}, "a plain regular expression"),
        ({"al_reward": "mentions", "al_word": " "}, "a word of 1 to 40 characters"),
    ],
)
def test_a_reward_that_cannot_be_is_one_sentence(open_app: OpenApp, link: dict[str, str], told: str) -> None:
    app = open_app("alignment", lang="en", al_panel="rl", **link)
    assert told in said(app)
    assert sent(app, "rollouts")


def test_without_a_prompt_nothing_can_be_started(open_app: OpenApp) -> None:
    app = open_app("alignment", lang="en", al_panel="rl", al_asked=" ")
    assert not app.exception
    assert app.button(key="al_rl_start").disabled
    assert "Type a prompt." in [one.value for one in app.info]


def test_a_reward_that_no_answer_has_is_said(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app(
        "alignment", lang="en", al_panel="rl", al_rl_steps="1", al_rl_answers="2", al_rl_tokens="4",
        al_asked="the cat", al_reward="mentions", al_word="zzzzzz",
    )  # fmt: skip
    app.button(key="al_rl_start").click().run()
    wait(engine, app)
    app.run()
    assert "nothing tells better from worse" in said(app)


def test_the_shipped_answers_are_the_outcomes_of_the_leash() -> None:
    table = shipped()
    asked = (table.model, table.prompts[0])
    texts = hack.first_answers(asked)
    assert texts
    assert hack.first_answers(("other", table.prompts[0])) == []
    (free, held) = hack.trained(asked, table.reward)
    assert free.points[0][0] == held.points[0][0] == 0.0

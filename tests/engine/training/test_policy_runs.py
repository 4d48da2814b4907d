"""Runs that learn from rewards, in the engine: what is told, rests, ends alone, and what is refused."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from playground.core.lora import delta_weight
from playground.core.rewards import TextReward
from playground.engine import create_engine
from playground.engine.contract.policies import HeadReward, PolicyObservation, PolicyRequest, PromptExample
from playground.engine.contract.remedies import Remedy
from playground.engine.contract.training import ENDED, TrainingState
from playground.engine.local.engine import LocalEngine
from playground.engine.task_heads.rewards import end_mark, score
from playground.errors import BadValue, EmptyText, HeadGone, PlaygroundError, TooManyTokens
from playground.settings import Settings
from tests import tiny
from tests.engine.training.learning import texts, trained, wait
from tests.engine.training.policy_runs import policy_run, prompts
from tests.engine.training.reward_runs import reward_run

NEVER_ENDS = r"(?s)(.|..|...)+(?<!.)$"


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.005)


def state_of(engine: LocalEngine, request: PolicyRequest) -> TrainingState:
    state = engine.training.runs.state(request.request_id, request.owner)
    assert state is not None
    return state


def told(state: TrainingState) -> list[PolicyObservation]:
    found = [one for one in state.observed if isinstance(one, PolicyObservation)]
    assert len(found) == len(state.observed)
    return found


def learned(engine: LocalEngine, state: TrainingState) -> list[Any]:
    return [delta_weight(one.A, one.B, 1.0) for one in engine.adapters.changes(state.adapter)]


def test_every_rollout_is_told_also_that_of_the_base_and_that_of_the_end(tiny_engine: LocalEngine) -> None:
    run = policy_run(21, owner="alice", n_steps=5, prompts=((5, 6),))
    state = trained(tiny_engine, run)
    assert (state.status, state.step, state.error) == ("done", 5, None)
    rollouts = told(state)
    assert [one.step for one in rollouts] == list(range(6))
    assert rollouts[0].kl < 1e-6 < rollouts[-1].kl
    assert all(len(one.answers) == 6 and one.kl >= 0 for one in rollouts)
    assert len(state.train) == 5
    assert {one.step for one in state.samples} == {0, 5}
    info = tiny_engine.adapters.info(state.adapter)
    assert (info.step, info.method) == (5, "lora")


def test_an_equal_run_tells_the_same(tiny_engine: LocalEngine) -> None:
    one, two = (
        trained(tiny_engine, policy_run(22, owner=owner, n_steps=3, name=owner, seed=22 + at))
        for at, owner in enumerate(("alice", "rewards-bob"))
    )
    again = trained(tiny_engine, policy_run(22, owner="carol", n_steps=3, seed=22, batch_size=2))
    assert again.is_known
    assert told(again) == told(one)
    assert told(two)[0] != told(one)[0], "another seed draws other answers"


def test_a_run_that_rested_ends_as_if_it_never_had(tiny_engine: LocalEngine) -> None:
    plain = trained(tiny_engine, policy_run(23, owner="alice", n_steps=30))
    rests = policy_run(
        23, owner="rewards-bob", n_steps=30, epsilon=0.2000001
    )  # else it would be the same run
    tiny_engine.training.runs.start(rests)
    until(lambda: state_of(tiny_engine, rests).step >= 3)
    tiny_engine.training.runs.pause(rests.request_id)
    until(lambda: state_of(tiny_engine, rests).is_settled)
    step = state_of(tiny_engine, rests).step
    assert 3 <= step < 30
    assert state_of(tiny_engine, rests).status == "paused"
    tiny_engine.training.runs.resume(rests.request_id)
    state = wait(tiny_engine, rests)
    for mine, theirs in zip(told(state), told(plain), strict=True):
        assert [one.text for one in mine.answers] == [one.text for one in theirs.answers]
        assert mine.kl == pytest.approx(theirs.kl, abs=1e-4)
    for mine, theirs in zip(learned(tiny_engine, state), learned(tiny_engine, plain), strict=True):
        torch.testing.assert_close(torch.tensor(mine), torch.tensor(theirs), atol=1e-4, rtol=1e-3)


def test_a_run_that_is_stopped_keeps_what_it_has_learned(tiny_engine: LocalEngine) -> None:
    run = policy_run(24, owner="alice", n_steps=190)
    tiny_engine.training.runs.start(run)
    until(lambda: state_of(tiny_engine, run).step >= 2)
    tiny_engine.training.runs.cancel(run.request_id)
    until(lambda: state_of(tiny_engine, run).adapter != "")
    state = state_of(tiny_engine, run)
    assert state.status == "cancelled"
    assert 2 <= state.adapter_step < 190


def test_an_expression_that_never_ends_ends_its_own_run_alone(tiny_engine: LocalEngine) -> None:
    hangs = policy_run(
        25, owner="alice", n_steps=3, reward=TextReward("pattern", NEVER_ENDS), max_new_tokens=40, n_answers=2
    )
    other = policy_run(26, owner="rewards-bob", n_steps=25)
    for one in (other, hangs):
        tiny_engine.training.runs.start(one)
    failed, done = wait(tiny_engine, hangs), wait(tiny_engine, other)
    assert failed.status == "failed"
    assert failed.error is not None
    said = str(failed.error)
    assert "The regular expression" in said
    assert "takes less time" in said
    assert (done.status, done.step, done.error) == ("done", 25, None)


def test_a_policy_that_breaks_down_says_so(tiny_engine: LocalEngine) -> None:
    breaks = policy_run(27, owner="alice", n_steps=40, learning_rate=100.0, lora_alpha=1e3)
    other = policy_run(28, owner="rewards-bob", n_steps=6)
    for one in (breaks, other):
        tiny_engine.training.runs.start(one)
    state, done = wait(tiny_engine, breaks), wait(tiny_engine, other)
    assert state.status in ENDED
    assert (done.status, done.step) == ("done", 6)
    if state.status == "failed":
        assert state.error is not None
    assert all(math.isfinite(one.kl) for one in told(state))


LONG = (PromptExample(tuple(range(2, 120))),)
WRONG: dict[str, tuple[dict[str, Any], type[PlaygroundError], str]] = {
    "n_answers": ({"n_answers": 1}, BadValue, "n_answers is 1"),
    "n_updates": ({"n_updates": 0}, BadValue, "n_updates is 0"),
    "max_new_tokens": ({"max_new_tokens": 0}, BadValue, "max_new_tokens is 0"),
    "epsilon NaN": ({"epsilon": math.nan}, BadValue, "epsilon is nan"),
    "epsilon": ({"epsilon": 0.0}, BadValue, "epsilon is 0"),
    "kl_beta": ({"kl_beta": -0.1}, BadValue, "kl_beta is -0.1"),
    "kl_beta NaN": ({"kl_beta": math.nan}, BadValue, "kl_beta is nan"),
    "learning_rate NaN": ({"learning_rate": math.nan}, BadValue, "learning_rate is nan"),
    "temperature": ({"temperature": 0.0}, BadValue, "temperature is 0"),
    "dropout": ({"lora_dropout": 0.1}, BadValue, "lora_dropout is 0.1"),
    "method": ({"method": "prefix"}, BadValue, "lora"),
    "remedy": ({"remedy": Remedy("l2sp", 1.0)}, BadValue, "none"),
    "held out": ({"held_out": prompts(1, 1)}, BadValue, "held_out is 1"),
    "general": ({"general": texts(1, 1)}, BadValue, "general is 1"),
    "no prompt": ({"train": ()}, BadValue, "train is 0"),
    "nine prompts": ({"train": prompts(9, 1)}, BadValue, "train is 9"),
    "empty prompt": ({"train": (PromptExample(()),)}, EmptyText, ""),
    "long prompt": (
        {"train": LONG, "max_new_tokens": 20, "n_answers": 2, "batch_size": 1},
        TooManyTokens,
        "",
    ),
    "batch": ({"n_answers": 16, "max_new_tokens": 48, "batch_size": 2}, BadValue, "batch_size is 2"),
    "strange token": ({"train": (PromptExample((10**6,)),)}, BadValue, "input_ids"),
    "word": ({"reward": TextReward("mentions", " ")}, BadValue, "The word"),
    "expression": ({"reward": TextReward("pattern", "(")}, BadValue, "The regular expression"),
    "no such head": ({"reward": HeadReward("gone")}, HeadGone, ""),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_is_refused_before_it_waits(tiny_engine: LocalEngine, wrong: str) -> None:
    changes, error, said = WRONG[wrong]
    run = replace(policy_run(29, **changes), owner="mallory")
    with pytest.raises(error, match=said or None):
        tiny_engine.training.runs.start(run)
    assert tiny_engine.training.runs.of("mallory") == []


def test_one_prompt_may_have_as_many_and_as_long_answers_as_there_are(tiny_engine: LocalEngine) -> None:
    longest = (PromptExample(tuple(range(2, 82))),)
    run = policy_run(34, train=longest, batch_size=1, n_answers=16, max_new_tokens=48, n_steps=1)
    state = trained(tiny_engine, run)
    assert (state.status, state.error) == ("done", None)


@pytest.mark.parametrize("model", [tiny.BERT, tiny.T5])
def test_models_that_do_not_continue_texts_are_refused(tiny_engine: LocalEngine, model: str) -> None:
    with pytest.raises(PlaygroundError):
        tiny_engine.training.runs.start(policy_run(30, model))


def head_of(engine: LocalEngine, owner: str) -> str:
    run = reward_run(31, owner)
    engine.training.runs.start(run)
    until(lambda: wait(engine, run).adapter != "")
    return wait(engine, run).adapter


def test_a_reward_model_judges_prompt_and_answer_with_the_mark_of_the_end(tiny_engine: LocalEngine) -> None:
    reward = HeadReward(head_of(tiny_engine, "alice"))
    run = policy_run(32, owner="alice", n_steps=2, reward=reward, n_answers=8, kl_beta=0.0)
    objective = tiny_engine.training.runs._objectives[run.settings.objective]
    slot = objective.prepare(run).make()
    bank = objective.learner([slot], lambda: None)
    told_first = bank.observe(0, run, 0)
    head, loaded = tiny_engine.preferences._rewards.get(reward.head), slot.loaded
    mark, written = end_mark(loaded), slot.rollout.written
    by_hand = [
        score(head, loaded, [(*prompt, *(token for token in answer if token != mark[0]), *mark)])[0]
        for prompt, answer in zip(written.prompts, written.answers, strict=True)
    ]
    assert slot.rollout.rewards == pytest.approx(by_hand, abs=1e-4)
    assert told_first.reward == pytest.approx(sum(by_hand) / 16, abs=1e-4)
    assert told_first.spread > 0
    state = trained(tiny_engine, run)
    assert (state.status, state.error) == ("done", None)
    assert told(state)[0].reward == told_first.reward


def test_a_reward_model_of_another_session_or_base_is_refused(tiny_engine: LocalEngine) -> None:
    reward = HeadReward(head_of(tiny_engine, "alice"))
    with pytest.raises(HeadGone):
        tiny_engine.training.runs.start(policy_run(33, owner="mallory", reward=reward))
    with pytest.raises(BadValue, match="tiny/gpt2"):
        tiny_engine.training.runs.start(policy_run(33, tiny.GPT2, owner="alice", reward=reward))


def test_a_policy_in_another_number_format_learns_too(tiny_settings: Settings) -> None:
    engine = create_engine(tiny_settings.model_copy(update={"dtype": "bfloat16"}))
    assert isinstance(engine, LocalEngine)
    state = trained(engine, policy_run(35, owner="me", n_steps=2))
    assert (state.status, state.error) == ("done", None)
    first, last = told(state)[0], told(state)[-1]
    assert first.kl < 0.05
    assert 0 <= last.kl < math.inf
    engine.close()

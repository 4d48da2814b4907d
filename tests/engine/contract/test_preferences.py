"""Reward models asked through the contract: the same numbers whoever computes them, refused by name."""

from __future__ import annotations

import time

import numpy as np
import pytest

from playground.core.preferences.pair import PreferencePair
from playground.engine.contract.engine import Engine
from playground.engine.contract.preferences import RewardRequest
from playground.engine.contract.reward_models import MAX_SCORED_ANSWERS, RewardScoreRequest, RewardSettings
from playground.errors import BadValue, EmptyText, HeadGone, TextTooLong
from tests import tiny

PAIRS = tuple(
    PreferencePair(f"the {name}", f"the {name} sat on the mat", "that is a dog")
    for name in ("cat", "dog", "mat")
)
SETTINGS = RewardSettings(tiny.LLAMA, "polite", n_steps=40)


def trained(engine: Engine, owner: str) -> str:
    examples = engine.preferences.examples(tiny.LLAMA, PAIRS)
    request = RewardRequest(SETTINGS, examples[:2], examples[2:], owner=owner)
    engine.training.runs.start(request)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        state = engine.training.runs.state(request.request_id, owner)
        if state is not None and state.adapter:
            return state.adapter
        time.sleep(0.005)
    raise AssertionError("the run did not end")


def test_a_reward_model_prefers_what_it_has_learned(engine: Engine) -> None:
    head = trained(engine, "learner")
    texts = tuple((one.prompt, answer) for one in PAIRS[:2] for answer in (one.chosen, one.rejected))
    found = engine.preferences.score(RewardScoreRequest(head, texts=texts))
    chosen, other = found[0].reward, found[1].reward
    assert chosen > other
    assert found[2].reward > found[3].reward
    spelled = b"".join(found[0].pieces).decode()
    assert spelled.startswith("the cat sat on the mat")
    assert len(found[0].values) == len(found[0].token_ids)
    again = engine.preferences.score(RewardScoreRequest(head, texts=texts[:1]))
    np.testing.assert_allclose(again[0].values, found[0].values, atol=1e-5)


def test_a_reward_model_belongs_to_its_session(engine: Engine) -> None:
    head = trained(engine, "owner")
    (info,) = engine.preferences.heads("owner")
    assert (info.head_id, info.settings, info.step) == (head, SETTINGS, 40)
    assert engine.preferences.heads("somebody else") == []
    assert engine.preferences.belongs(head, "owner")
    assert not engine.preferences.belongs(head, "somebody else")
    engine.preferences.remove(head, "somebody else")
    assert engine.preferences.info(head) == info
    engine.preferences.remove(head, "owner")
    with pytest.raises(HeadGone):
        engine.preferences.info(head)
    with pytest.raises(HeadGone):
        engine.preferences.score(RewardScoreRequest(head, texts=(("a", "b"),)))


def test_a_question_that_cannot_be_answered_is_refused(engine: Engine) -> None:
    head = trained(engine, "asker")
    for texts, error in (
        ((), BadValue),
        ((("a", "b"),) * (MAX_SCORED_ANSWERS + 1), BadValue),
        ((("a", ""),), EmptyText),
        ((("", "a"),), EmptyText),
        ((("a", "b" * 100_000),), TextTooLong),
    ):
        with pytest.raises(error):
            engine.preferences.score(RewardScoreRequest(head, texts=texts))


def test_what_is_too_long_is_cut(engine: Engine) -> None:
    head = trained(engine, "cutter")
    long = engine.preferences.score(RewardScoreRequest(head, texts=(("the cat " * 200, "the dog " * 200),)))
    assert len(long[0].token_ids) < 257
    assert np.isfinite(long[0].values).all()

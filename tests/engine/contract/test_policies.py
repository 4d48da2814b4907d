"""Learning from rewards, by any engine: the rollouts are told, and the policy is a model of every page."""

from __future__ import annotations

import time
from uuid import uuid4

import numpy as np
import pytest

from playground.core.rewards import TextReward
from playground.engine.contract.engine import Engine
from playground.engine.contract.policies import HeadReward, PolicyObservation
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import ENDED
from playground.errors import BadValue, HeadGone
from tests import tiny
from tests.engine.training.policy_runs import policy_run

LAST = Capture(logits="last")


def test_a_policy_learns_and_can_be_asked(engine: Engine) -> None:
    owner = uuid4().hex
    request = policy_run(1, owner=owner, n_steps=3)
    engine.training.runs.start(request)
    until = time.monotonic() + 300
    while True:
        state = engine.training.runs.state(request.request_id, owner)
        if state is not None and state.status in ENDED and state.adapter:
            break
        assert time.monotonic() < until
        time.sleep(0.05)
    assert (state.status, state.step, state.error) == ("done", 3, None)
    rollouts = [one for one in state.observed if isinstance(one, PolicyObservation)]
    assert [one.step for one in rollouts] == [0, 1, 2, 3]
    assert all(one.kl >= 0 and one.answers for one in rollouts)
    own = engine.trace(TraceRequest(state.adapter, input_ids=(5, 6, 7), capture=LAST)).logits
    base = engine.trace(TraceRequest(tiny.LLAMA, input_ids=(5, 6, 7), capture=LAST)).logits
    assert own is not None
    assert base is not None
    assert np.abs(own - base).max() > 1e-4


def test_what_cannot_judge_is_refused(engine: Engine) -> None:
    with pytest.raises(BadValue, match="The regular expression"):
        engine.training.runs.start(policy_run(2, reward=TextReward("pattern", "(")))
    with pytest.raises(HeadGone):
        engine.training.runs.start(policy_run(3, reward=HeadReward("gone"), owner=uuid4().hex))

"""Reward models: by scikit-learn on plain transformers' states, token by token, refused by name."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from playground.core.preferences.judged import pair_losses
from playground.engine.contract.preferences import PairExample, RewardObservation, RewardRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.task_heads.rewards import RewardHead, end_mark, last_states, score, score_tokens
from playground.errors import BadValue, HeldOutTrained, PlaygroundError, SameAnswers, Unsupported
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import oracle
from tests.engine.training.reward_runs import drawn_pairs, reward_run


def states(model: Any, texts: Sequence[tuple[int, ...]]) -> NDArray[np.float64]:
    """The last state of each text, read alone by the library's own model. Shape [text, d_model]."""
    with torch.no_grad():
        found = [model.base_model(torch.tensor([text])).last_hidden_state[0, -1] for text in texts]
    made: NDArray[np.float64] = torch.stack(found).double().numpy()
    return made


def differences(model: Any, pairs: Sequence[PairExample]) -> NDArray[np.float64]:
    """State of the chosen minus that of the rejected answer. Shape [pair, d_model]."""
    chosen = states(model, [(*one.prompt_ids, *one.chosen_ids) for one in pairs])
    return chosen - states(model, [(*one.prompt_ids, *one.rejected_ids) for one in pairs])


def trained(engine: LocalEngine, request: RewardRequest) -> tuple[RewardHead, Any]:
    """The reward model of a run, and the run's last state."""
    engine.training.runs.start(request)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        state = engine.training.runs.state(request.request_id, request.owner)
        assert state is not None
        assert state.status != "failed", state.error
        if state.adapter:
            head = engine.preferences._rewards.get(state.adapter)
            return head, state
        time.sleep(0.005)
    raise AssertionError("the run did not end")


@pytest.mark.parametrize("penalty", [0.03, 0.3])
def test_a_reward_model_is_logistic_regression_on_differences(
    penalty: float, tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    request = reward_run(
        5, owner=f"logistic {penalty}", n_steps=1_000, batch_size=7, inverse_penalty=penalty,
        learning_rate=1e-2,
    )  # fmt: skip
    head, state = trained(tiny_engine, request)
    model = oracle(tiny_settings, tiny.LLAMA)
    both = differences(model, request.train)
    signs = np.where(np.arange(len(both)) % 2, 1, -1)
    fitted = LogisticRegression(C=penalty, fit_intercept=False, tol=1e-10, max_iter=10_000).fit(
        both * signs[:, None], signs
    )
    np.testing.assert_allclose(head.weight.numpy(), fitted.coef_[0], atol=2e-3)
    held_out = differences(model, request.held_out) @ head.weight.double().numpy()
    assert state.held_out[0][1] == pytest.approx(np.log(2), abs=1e-6)
    assert state.held_out[-1][1] == pytest.approx(np.logaddexp(0, -held_out).mean(), abs=1e-4)
    seen = state.observed[-1]
    assert isinstance(seen, RewardObservation)
    assert np.subtract(*seen.train) == pytest.approx(both @ head.weight.double().numpy(), abs=1e-3)
    assert pair_losses(seen.chosen, seen.rejected).mean() == pytest.approx(state.held_out[-1][1], abs=1e-4)


def test_states_of_a_tree_are_those_of_each_text_alone(
    tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    loaded = tiny_engine.adapters.decoder(tiny.LLAMA)
    texts = [(5, 6, 7, 8), (5, 6, 9), (5, 6, 7), (11, 12)]
    alone = states(oracle(tiny_settings, tiny.LLAMA), texts)
    np.testing.assert_allclose(last_states(loaded, texts).numpy(), alone, atol=1e-5)


def test_a_token_has_the_reward_of_the_answer_that_ends_there(tiny_engine: LocalEngine) -> None:
    loaded = tiny_engine.adapters.decoder(tiny.LLAMA)
    weight = torch.randn(loaded.info.d_model, generator=torch.Generator().manual_seed(0))
    head = RewardHead(reward_run(1).settings, 1, 1, weight)
    mark, prompt, words = end_mark(loaded), (7, 8, 9), (20, 21, 22, 23)
    found = score_tokens(head, loaded, prompt, (*words, *mark))
    each = [score(head, loaded, [(*prompt, *words[:n], *mark)])[0] for n in range(1, 5)]
    np.testing.assert_allclose(found.values, [*each, each[-1]], atol=1e-5)
    assert found.reward == pytest.approx(score(head, loaded, [(*prompt, *words, *mark)])[0], abs=1e-5)
    assert b"".join(found.pieces[:-1]) == b"".join(map(loaded.tokenizer.token_bytes, words))
    unended = score_tokens(head, loaded, prompt, words)
    np.testing.assert_allclose(unended.values, each, atol=1e-5)


def test_the_base_is_untouched(tiny_engine: LocalEngine) -> None:
    loaded = tiny_engine.adapters.decoder(tiny.LLAMA)
    before = [one.clone() for one in loaded.model.parameters()]
    trained(tiny_engine, reward_run(6, owner="untouched"))
    assert all(torch.equal(*both) for both in zip(before, loaded.model.parameters(), strict=True))


SAME = PairExample((5, 6), (7, 1), (7, 1))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"train": (SAME,)}, SameAnswers),
        ({"train": drawn_pairs(2, 1), "held_out": drawn_pairs(2, 1)}, HeldOutTrained),
        ({"train": (PairExample((5,), (10**6,), (6,)),)}, BadValue),
        ({"inverse_penalty": float("nan")}, BadValue),
        ({"inverse_penalty": 0.0}, BadValue),
        ({"model": tiny.T5}, Unsupported),
    ],
)
def test_what_cannot_be_learned_from_is_refused(
    changes: dict[str, Any], error: type[PlaygroundError], tiny_engine: LocalEngine
) -> None:
    with pytest.raises(error):
        tiny_engine.training.runs.start(reward_run(1, owner="refused", **changes))


def test_a_pair_turned_round_does_not_count_as_held_out(tiny_engine: LocalEngine) -> None:
    train = drawn_pairs(3, 8)
    turned = replace(train[0], chosen_ids=train[0].rejected_ids, rejected_ids=train[0].chosen_ids)
    with pytest.raises(HeldOutTrained):
        tiny_engine.training.runs.start(reward_run(1, owner="turned", train=train, held_out=(turned,)))


def test_one_pair_is_learned_without_a_test(tiny_engine: LocalEngine) -> None:
    head, state = trained(tiny_engine, reward_run(1, owner="one", train=drawn_pairs(1, 9), held_out=()))
    assert state.held_out == ()
    assert head.weight.abs().sum() > 0
    assert state.train[-1][1] < np.log(2)

"""DPO, PPO and the KL to a reference: by hand, by autograd, by their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.stats import entropy

from playground.core.policy.answers import LIMITS, masked_share, summed
from playground.core.policy.dpo import dpo
from playground.core.policy.leash import (
    kl_divergence,
    kl_estimates,
    leashed,
    tilted,
    token_rewards,
)
from playground.core.policy.ppo import clipped_objective, leave_one_out

Array = NDArray[np.float64]
logprobs = arrays(np.float64, (5,), elements=st.floats(-40, 0))
betas = st.floats(*LIMITS["beta"])
distributions = arrays(np.float64, (2, 6), elements=st.floats(-6, 6))


def log_softmax(logits: Array) -> Array:
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


# ---------------------------------------------------------------- DPO


@given(logprobs, logprobs, betas)
def test_step_0_costs_ln_2_and_pulls_with_half_of_beta(chosen: Array, rejected: Array, beta: float) -> None:
    found = dpo(chosen, rejected, chosen, rejected, beta)
    assert found.loss == pytest.approx(math.log(2))
    np.testing.assert_allclose(found.weights, beta / 2)
    assert not found.margins.any()


def test_dpo_by_hand() -> None:
    """Log-ratios +2 and -1, beta 0.5: a margin of 1.5, so -log of 1 / (1 + exp(-1.5))."""
    found = dpo([-3.0], [-6.0], [-5.0], [-5.0], beta=0.5)
    assert (found.chosen_rewards.item(), found.rejected_rewards.item()) == (1.0, -0.5)
    assert found.loss == pytest.approx(math.log(1 + math.exp(-1.5)))
    assert found.weights.item() == pytest.approx(0.5 / (1 + math.exp(1.5)))


@given(logprobs, logprobs, logprobs, logprobs, betas)
def test_loss_and_weights_are_those_of_autograd(
    c: Array, r: Array, ref_c: Array, ref_r: Array, beta: float
) -> None:
    found = dpo(c, r, ref_c, ref_r, beta)
    chosen, rejected = (torch.tensor(one, requires_grad=True) for one in (c, r))
    margin = beta * ((chosen - torch.tensor(ref_c)) - (rejected - torch.tensor(ref_r)))
    losses = -torch.nn.functional.logsigmoid(margin)
    losses.sum().backward()  # type: ignore[no-untyped-call]
    assert chosen.grad is not None
    assert rejected.grad is not None
    np.testing.assert_allclose(found.losses, losses.detach(), atol=1e-9)
    np.testing.assert_allclose(-found.weights, chosen.grad, atol=1e-9)
    np.testing.assert_allclose(found.weights, rejected.grad, atol=1e-9)


@given(logprobs, logprobs, logprobs, logprobs, betas, st.floats(-20, 20))
def test_only_differences_count(
    c: Array, r: Array, ref_c: Array, ref_r: Array, beta: float, shift: float
) -> None:
    """Both answers less probable by as much: the loss does not see it, which is why both can fall."""
    same, fallen = dpo(c, r, ref_c, ref_r, beta), dpo(c + shift, r + shift, ref_c, ref_r, beta)
    np.testing.assert_allclose(same.losses, fallen.losses, atol=1e-7)


def test_both_can_fall_while_the_margin_grows() -> None:
    found = dpo([-11.0, -9.0], [-18.0, -18.0], [-10.0, -10.0], [-10.0, -10.0], beta=0.1)
    assert (found.margins > 0).all()
    assert found.both_fell.tolist() == [True, False]


@given(logprobs, logprobs, logprobs, logprobs, betas)
def test_turned_pairs_turn_the_rewards(c: Array, r: Array, ref_c: Array, ref_r: Array, beta: float) -> None:
    one, other = dpo(c, r, ref_c, ref_r, beta), dpo(r, c, ref_r, ref_c, beta)
    np.testing.assert_allclose(one.margins, -other.margins)
    np.testing.assert_allclose(one.weights + other.weights, beta)  # sigmoid(x) + sigmoid(-x) = 1
    np.testing.assert_allclose(one.losses - other.losses, other.margins, atol=1e-9)


def test_extreme_margins_stay_finite_and_what_diverged_stays_nan() -> None:
    found = dpo([0.0, -1e5, np.nan], [-1e5, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0], beta=1.0)
    assert found.losses[:2].tolist() == [0.0, 1e5]
    assert found.weights[:2].tolist() == [0.0, 1.0]
    assert np.isnan(found.losses[2])


@pytest.mark.parametrize("beta", [0.0, -0.1, math.nan, math.inf])
def test_a_beta_that_teaches_nothing_is_refused(beta: float) -> None:
    with pytest.raises(ValueError, match="beta must be a number above 0"):
        dpo([-1.0], [-1.0], [-1.0], [-1.0], beta)


def test_shapes_that_differ_are_refused_and_answers_are_sums_of_their_tokens() -> None:
    with pytest.raises(ValueError, match="shapes"):
        dpo([-1.0, -2.0], [-1.0], [-1.0], [-1.0], 0.1)
    assert summed([[-1.0, np.nan], [-2.0, -3.0]], [[1, 0], [1, 1]]).tolist() == [-1.0, -5.0]


# ---------------------------------------------------------------- PPO


@given(logprobs, logprobs, arrays(np.float64, (5,), elements=st.floats(-3, 3)), st.floats(0.01, 1))
def test_the_clipped_objective_and_its_gradient_are_those_of_autograd(
    new: Array, old: Array, gains: Array, epsilon: float
) -> None:
    found = clipped_objective(new, old, gains, epsilon)
    given_ = torch.tensor(new, requires_grad=True)
    ratio = torch.exp(given_ - torch.tensor(old))
    pulled = torch.tensor(gains)
    objective = torch.minimum(ratio * pulled, ratio.clamp(1 - epsilon, 1 + epsilon) * pulled)
    objective.sum().backward()  # type: ignore[no-untyped-call]
    assert given_.grad is not None
    np.testing.assert_allclose(found.objective, objective.detach(), rtol=1e-9)
    at_a_kink = np.isclose(np.abs(found.ratios - 1), epsilon, atol=1e-9)
    np.testing.assert_allclose(
        found.gradient[~at_a_kink], given_.grad.numpy()[~at_a_kink], rtol=1e-9, atol=1e-300
    )


@pytest.mark.parametrize(
    ("ratio", "gain", "objective", "is_outside", "is_clipped"),
    [(1.5, 1.0, 1.2, True, True), (0.5, 1.0, 0.5, True, False), (1.5, -1.0, -1.5, True, False),
     (0.5, -1.0, -0.8, True, True), (1.1, 2.0, 2.2, False, False), (1.5, 0.0, 0.0, True, False)],
)  # fmt: skip
def test_the_six_cases_by_hand(
    ratio: float, gain: float, objective: float, is_outside: bool, is_clipped: bool
) -> None:
    found = clipped_objective([math.log(ratio)], [0.0], [gain], 0.2)
    assert found.objective.item() == pytest.approx(objective)
    assert (found.is_outside.item(), found.is_clipped.item()) == (is_outside, is_clipped)
    assert (found.gradient.item() == 0) == (is_clipped or gain == 0)


@given(logprobs, logprobs, arrays(np.float64, (5,), elements=st.floats(-3, 3)), st.floats(0.01, 1))
def test_a_clip_only_takes_away(new: Array, old: Array, gains: Array, epsilon: float) -> None:
    clipped, free = clipped_objective(new, old, gains, epsilon), clipped_objective(new, old, gains, math.inf)
    assert (clipped.objective <= free.objective).all()
    assert not free.is_clipped.any()
    assert not free.is_outside.any()
    assert (clipped.is_clipped <= clipped.is_outside).all()
    np.testing.assert_allclose(free.objective, np.exp(new - old) * gains)


def test_one_advantage_of_an_answer_is_that_of_all_its_tokens_and_shares_count_its_tokens_alone() -> None:
    new, old = np.log([[0.3, 0.2], [0.3, 0.1]]), np.log([[0.2, 0.2], [0.2, 0.2]])
    found = clipped_objective(new, old, [[1.0], [-1.0]])
    assert found.objective.round(6).tolist() == [[1.2, 1.0], [-1.5, -0.8]]
    assert masked_share(found.is_clipped, [[1, 1], [1, 0]]) == pytest.approx(1 / 3)
    assert math.isnan(masked_share(found.is_clipped, np.zeros((2, 2))))
    with pytest.raises(ValueError, match="epsilon"):
        clipped_objective(new, old, [[1.0], [-1.0]], math.nan)


@given(arrays(np.float64, (3, 4), elements=st.floats(-50, 50)))
def test_leave_one_out_by_its_definition(rewards: Array) -> None:
    others = [[row[np.arange(4) != own].mean() for own in range(4)] for row in rewards]
    np.testing.assert_allclose(leave_one_out(rewards), rewards - np.array(others), atol=1e-9)
    np.testing.assert_allclose(leave_one_out(rewards).sum(1), 0, atol=1e-9)


def test_one_answer_has_no_others() -> None:
    with pytest.raises(ValueError, match="two answers"):
        leave_one_out([[1.0]])


# ---------------------------------------------------------------- the leash


@given(distributions)
def test_kl_is_its_definition_and_never_below_0(logits: Array) -> None:
    p, q = log_softmax(logits)
    found = kl_divergence(p, q)
    assert found >= 0
    assert float(found) == pytest.approx(entropy(np.exp(p), np.exp(q)), abs=1e-9)
    assert float(kl_divergence(p, p)) == 0


@given(distributions)
def test_k1_and_k3_are_right_on_average_and_k2_is_only_near(logits: Array) -> None:
    """The average over all outcomes that p draws, exactly: no sample is needed."""
    p, q = log_softmax(logits)
    found, exact = kl_estimates(p, q), float(kl_divergence(p, q))
    assert float((np.exp(p) * found.k1).sum()) == pytest.approx(exact, abs=1e-9)
    assert float((np.exp(p) * found.k3).sum()) == pytest.approx(exact, abs=1e-9)
    assert (found.k2 >= 0).all()
    assert (found.k3 >= -1e-12).all()
    near = kl_estimates(p, log_softmax(p + 1e-3 * q))
    exact_near = float(kl_divergence(p, log_softmax(p + 1e-3 * q)))
    assert float((np.exp(p) * near.k2).sum()) == pytest.approx(exact_near, rel=0.05, abs=1e-9)


def test_what_the_reference_never_does_is_infinitely_far() -> None:
    with np.errstate(divide="ignore"):
        never, half = np.log([1.0, 0.0]), np.log([0.5, 0.5])
    assert kl_divergence(half, never) == math.inf
    assert float(kl_divergence(never, half)) == pytest.approx(math.log(2))
    assert kl_divergence(np.stack([half, half]), np.stack([half, never])).tolist() == [0.0, math.inf]


@given(
    arrays(np.float64, (3,), elements=st.floats(-5, 5)),
    arrays(np.float64, (2, 3, 4), elements=st.floats(-9, 0)),
    st.lists(st.integers(1, 4), min_size=3, max_size=3),
    st.floats(0, 10),
)
def test_token_by_token_the_leash_sums_to_the_whole(
    rewards: Array, both: Array, n: list[int], beta: float
) -> None:
    mask = np.arange(4) < np.array(n)[:, None]
    each = token_rewards(rewards, both[0], both[1], mask, beta)
    kl = summed(kl_estimates(both[0], both[1]).k1, mask)
    np.testing.assert_allclose(each.sum(1), leashed(rewards, kl, beta), atol=1e-9)
    assert not each[~mask].any()
    np.testing.assert_allclose(leashed(rewards, kl, 0.0), rewards)


@given(distributions, arrays(np.float64, (6,), elements=st.floats(-3, 3)), st.floats(0.1, 5))
def test_no_policy_has_more_leashed_reward_than_the_tilted_one(
    logits: Array, rewards: Array, beta: float
) -> None:
    reference, other = log_softmax(logits)
    best = tilted(reference, rewards, beta)

    def value(policy: Array) -> float:
        return float(leashed(np.exp(policy) @ rewards, kl_divergence(policy, reference), beta))

    assert np.exp(best).sum() == pytest.approx(1)
    most = beta * np.logaddexp.reduce(reference + rewards / beta)
    assert value(best) == pytest.approx(most, abs=1e-7)
    for policy in (other, reference, log_softmax(0.9 * best + 0.1 * other)):
        assert value(policy) <= most + 1e-7


@given(distributions, arrays(np.float64, (6,), elements=st.floats(-3, 3)), st.floats(0.1, 5))
def test_implicit_rewards_of_the_tilted_policy_differ_as_the_rewards_do(
    logits: Array, rewards: Array, beta: float
) -> None:
    reference = log_softmax(logits)[0]
    best = tilted(reference, rewards, beta)
    found = dpo(best[:3], best[3:], reference[:3], reference[3:], beta)
    np.testing.assert_allclose(found.margins, rewards[:3] - rewards[3:], atol=1e-7)


@pytest.mark.parametrize(("beta", "most_kl"), [(0.0, math.inf), (1.0, 0.6)])
def test_steps_of_ppo_hack_a_reward_without_a_leash_and_stop_at_the_tilted_policy_with_one(
    beta: float, most_kl: float
) -> None:
    """A policy of one token, all outcomes weighed instead of drawn: 400 steps of gradient ascent."""
    reference = log_softmax(np.array([2.0, 1.0, 0.0, -4.0]))
    rewards, logits = np.array([0.0, 0.0, 0.0, 3.0]), reference.copy()  # the rarest outcome is rewarded
    for _ in range(400):
        policy = log_softmax(logits)
        gains = rewards - beta * kl_estimates(policy, reference).k1
        pull = clipped_objective(policy, policy, gains - np.exp(policy) @ gains).gradient * np.exp(policy)
        logits += pull - np.exp(policy) * pull.sum()
    policy = log_softmax(logits)
    kl = float(kl_divergence(policy, reference))
    if beta:
        np.testing.assert_allclose(policy, tilted(reference, rewards, beta), atol=1e-3)
        assert kl < most_kl
    else:
        assert np.exp(policy)[3] > 0.99
        assert kl > 4

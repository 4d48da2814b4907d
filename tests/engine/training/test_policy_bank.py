"""Policy gradients against NumPy and plain transformers; what a leash, a failure and bad rewards do."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, kl_divergence

from playground.core.policy.leash import leashed
from playground.core.policy.ppo import clipped_objective, leave_one_out
from playground.core.rewards import TextReward, rewards_of
from playground.engine.adapters.adapter import adapted_model
from playground.engine.adapters.places import places
from playground.engine.contract.models import AdapterName
from playground.engine.contract.policies import PolicyObservation, PolicyRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.training import policy_bank
from playground.engine.training.packing import packed
from playground.engine.training.policy_bank import PolicyBank
from playground.engine.training.policy_slot import PolicySlot, Rollout
from playground.engine.training.rollouts import Written, write_answers
from playground.engine.training.run import text_order
from playground.errors import BadValue, Diverged
from tests import tiny
from tests.engine.training.policy_runs import policy_run, prompts

MODELS = (tiny.LLAMA, tiny.GPT2)


def by_request(request: PolicyRequest) -> Callable[[Written, Sequence[str]], Any]:
    reward = request.settings.reward
    assert isinstance(reward, TextReward)
    return lambda _written, texts: rewards_of(reward, texts)


def slot_of(engine: LocalEngine, request: PolicyRequest) -> PolicySlot:
    loaded = engine.adapters.load(request.settings.model).result(timeout=60)
    return PolicySlot(request, loaded, places(loaded, request.settings), by_request(request))


def bank_of(engine: LocalEngine, *requests: PolicyRequest) -> PolicyBank:
    slots = [slot_of(engine, one) for one in requests]
    return PolicyBank(slots[0].loaded, slots, lambda: None)


def batch_of(request: PolicyRequest, step: int) -> list[Any]:
    size = request.settings.batch_size
    order = text_order(len(request.train), (step + 1) * size, request.settings.seed)
    return [request.train[at] for at in order[step * size :][:size]]


def moved(bank: PolicyBank, n_steps: int = 2) -> Rollout:
    """The first slot's next rollout after some steps."""
    for step in range(n_steps):
        bank.step([batch_of(slot.request, step) for slot in bank.slots])
    bank.observe(0, bank.slots[0].request, n_steps)
    rollout = bank.slots[0].rollout
    assert rollout is not None
    return rollout


def forward(model: Any, written: Written) -> torch.Tensor:
    """Logits that predict each token of answers, one at a time, without a cache. Shape [token, d_vocab]."""
    found = []
    for prompt, answer in zip(written.prompts, written.answers, strict=True):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([(*prompt, *answer)])).logits[0]
        found.append(logits[len(prompt) - 1 : -1].double())
    return torch.cat(found)


def policy_model(bank: PolicyBank, index: int = 0) -> Any:
    """The policy as any page would use it: the base with the adapter."""
    bank.unpack(index)
    slot = bank.slots[index]
    name = AdapterName(slot.settings.model, "policy")
    return adapted_model(slot.loaded, slot.snapshot(1, 1), name).model


def numbers(bank: PolicyBank) -> list[torch.Tensor]:
    return [part.clone() for part in (bank._values, bank._first, bank._second)]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_log_probabilities_kl_and_entropy_are_those_of_whole_distributions(
    tiny_engine: LocalEngine, model: str, temperature: float
) -> None:
    bank = bank_of(tiny_engine, policy_run(1, model, temperature=temperature), policy_run(2, model))
    rollout = moved(bank)
    tokens = torch.tensor([token for answer in rollout.written.answers for token in answer])
    mine, theirs = (
        Categorical(logits=forward(one, rollout.written) / temperature)
        for one in (policy_model(bank), bank.slots[0].loaded.template)
    )
    close = {"atol": 1e-4, "rtol": 1e-4}
    torch.testing.assert_close(rollout.written.logprobs.double(), mine.log_prob(tokens), **close)
    torch.testing.assert_close(rollout.compared.reference.double(), theirs.log_prob(tokens), **close)
    torch.testing.assert_close(rollout.compared.kl.double(), kl_divergence(mine, theirs), **close)
    torch.testing.assert_close(rollout.compared.entropy.double(), mine.entropy(), **close)
    assert (rollout.compared.kl >= 0).all()
    assert rollout.compared.kl.max() > 1e-3


@pytest.mark.parametrize("epsilon", [0.05, 0.2, math.inf])
def test_objective_and_gradient_are_those_of_numpy_on_captured_log_probabilities(
    tiny_engine: LocalEngine, epsilon: float
) -> None:
    request = policy_run(3, epsilon=epsilon, n_answers=4, max_new_tokens=8, kl_beta=0.3)
    bank = bank_of(tiny_engine, request)
    rollout = moved(bank)
    written, slot = rollout.written, bank.slots[0]
    batch = packed([written.texts()])
    bank._carried_back(batch, [rollout])
    bank._update()  # now the policy is another one than that which wrote
    with torch.enable_grad():
        new = -bank._surprisals(batch)
    each, is_clipped = bank._carried_back(batch, [rollout])
    grads = {key: leaf.grad.clone() for key, leaf in bank.leaves.items() if leaf.grad is not None}

    old, lengths = written.logprobs.double().numpy(), [len(one) for one in written.answers]
    log_ratios = old - rollout.compared.reference.numpy()
    summed = [part.sum() for part in np.split(log_ratios, np.cumsum(lengths)[:-1])]
    paid = leashed(rollout.rewards, summed, 0.3).reshape(2, 4)
    gains = np.repeat(leave_one_out(paid).reshape(-1), lengths)
    found = clipped_objective(new.detach().double().numpy(), old, gains, epsilon)
    of_prompts = np.array(lengths).reshape(2, 4).sum(1)
    weights = np.repeat(1 / (2 * of_prompts), of_prompts)
    np.testing.assert_allclose(each.numpy(), -found.objective * weights, atol=1e-5)
    assert is_clipped.tolist() == found.is_clipped.tolist()
    assert found.is_clipped.any() or epsilon > 0.05, "a step of this size passes 0.05"
    assert not (epsilon == math.inf and found.is_clipped.any())

    bank._grads.zero_()
    new.backward(torch.from_numpy(-found.gradient * weights).float())
    for key, leaf in bank.leaves.items():
        assert leaf.grad is not None
        torch.testing.assert_close(grads[key], leaf.grad, atol=1e-5, rtol=1e-4)
    assert slot.n_updates == 2 * slot.settings.n_updates + 1


def test_a_draw_is_the_token_at_u_of_the_cumulative_probabilities(tiny_engine: LocalEngine) -> None:
    request = policy_run(4, n_answers=4)
    bank = bank_of(tiny_engine, request)
    u = torch.rand((8, 5), generator=slot_of(tiny_engine, request).random)
    rollout = moved(bank, 0)
    probs = forward(bank.slots[0].loaded.template, rollout.written).softmax(-1)
    ends = bank.slots[0].loaded.tokenizer.eos_ids
    place = 0
    for answer, own in zip(rollout.written.answers, u, strict=True):
        for token, wanted in zip(answer, own, strict=False):
            below, above = probs[place, :token].sum(), probs[place, : token + 1].sum()
            assert below - 1e-5 <= wanted <= above + 1e-5
            place += 1
        assert len(answer) == 5 or answer[-1] in ends
        assert not set(answer[:-1]) & set(ends)


def test_the_base_is_the_reference_and_stays_as_it_is(tiny_engine: LocalEngine) -> None:
    bank = bank_of(tiny_engine, policy_run(5), policy_run(6))
    template = bank.slots[0].loaded.template
    before = {name: value.clone() for name, value in template.state_dict().items()}
    first = moved(bank, 0)
    assert abs(first.k1).max() < 1e-4, "the policy begins as the reference"
    assert first.kl.max() < 1e-6
    rollout = moved(bank, 3)
    assert rollout.kl.min() > 1e-4
    for name, value in template.state_dict().items():
        assert torch.equal(value, before[name])
        assert value.grad is None
    held = {value.data_ptr() for value in template.parameters()}
    shared = [value.data_ptr() for value in bank._reference._tree.parameters()]
    assert set(shared) == held, "no second model in memory"


def test_a_leash_changes_what_answers_are_worth_and_nothing_else(tiny_engine: LocalEngine) -> None:
    free, held = (bank_of(tiny_engine, policy_run(7, kl_beta=beta)) for beta in (0.0, 2.0))
    first, second = (moved(bank, 1) for bank in (free, held))
    assert first.written.answers == second.written.answers, "the first step pays nothing yet"
    assert first.rewards.tolist() == second.rewards.tolist()
    np.testing.assert_allclose(first.kl, second.kl, atol=1e-4)
    by_hand = second.rewards.reshape(2, 3) - 2.0 * second.k1.reshape(2, 3)
    others = (by_hand.sum(1, keepdims=True) - by_hand) / 2
    np.testing.assert_allclose(second.advantages, (by_hand - others).reshape(-1), atol=1e-5)
    np.testing.assert_allclose(first.advantages, leave_one_out(first.rewards.reshape(2, 3)).reshape(-1))
    assert not np.allclose(first.advantages, second.advantages)


def rewarded_for_even_ids(engine: LocalEngine, kl_beta: float) -> tuple[Rollout, Rollout]:
    """The first rollout, and that after fifteen steps on one prompt."""
    run = policy_run(9, train=prompts(1, 9), kl_beta=kl_beta, n_answers=16, batch_size=1, max_new_tokens=8)
    bank = bank_of(engine, run)
    bank.slots[0].judge = lambda written, _texts: np.array(
        [sum(token % 2 == 0 for token in answer) for answer in written.answers], np.float64
    )
    return moved(bank, 0), moved(bank, 15)


def test_what_is_rewarded_is_learned_and_less_of_it_on_a_leash(tiny_engine: LocalEngine) -> None:
    (first, free), (_first, held) = (rewarded_for_even_ids(tiny_engine, beta) for beta in (0.0, 3.0))
    assert free.rewards.mean() > first.rewards.mean() + 1
    assert held.kl.mean() < free.kl.mean() / 2
    assert held.rewards.mean() < free.rewards.mean()


@pytest.mark.parametrize("kl_beta", [0.0, 0.5])
def test_a_reward_that_all_answers_get_alike_teaches_nothing(
    tiny_engine: LocalEngine, kl_beta: float
) -> None:
    """On a leash too: the rounding of its k1 is no gradient, of which Adam would make a whole step."""
    run = policy_run(10, reward=TextReward("mentions", "a word that nobody writes"), kl_beta=kl_beta)
    bank = bank_of(tiny_engine, run)
    told = bank.observe(0, run, 0)
    assert (told.reward, told.spread) == (0.0, 0.0)
    before = numbers(bank)
    assert bank.step([batch_of(run, 0)]) == [0.0]
    assert all(torch.equal(*pair) for pair in zip(numbers(bank), before, strict=True))


def test_an_observation_tells_the_rollout_that_the_next_step_learns_from(tiny_engine: LocalEngine) -> None:
    run = policy_run(11, n_answers=3, batch_size=2)
    bank = bank_of(tiny_engine, run)
    told = bank.observe(0, run, 0)
    rollout = bank.slots[0].rollout
    assert rollout is not None
    assert isinstance(told, PolicyObservation)
    assert math.isnan(told.clipped)
    assert told.step == 0
    batch = batch_of(run, 0)
    assert [one.prompt for one in told.answers] == [run.train.index(one) for one in batch] * 3
    assert told.reward == pytest.approx(np.mean([one.reward for one in told.answers]))
    assert told.kl == pytest.approx(np.mean([one.kl for one in told.answers]), abs=1e-9)
    rewards = np.array([one.reward for one in told.answers]).reshape(3, 2)
    assert told.spread == pytest.approx(rewards.std(0).mean())
    bank.step([batch])
    assert 0 <= bank.observe(0, run, 1).clipped <= 1
    assert bank.slots[0].rollout is not rollout


def test_all_whose_answers_are_due_write_at_once(
    tiny_engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [policy_run(14), policy_run(15, n_answers=4), policy_run(16, max_new_tokens=7)]
    bank, written = bank_of(tiny_engine, *runs), []

    def counted(*args: Any) -> list[Written]:
        written.append(len(args[2]))
        return write_answers(*args)

    monkeypatch.setattr(policy_bank, "write_answers", counted)
    for step in range(3):
        told = [bank.observe(index, run, step) for index, run in enumerate(runs)]
        assert written == [3] * (step + 1)
        bank.step([batch_of(run, step) for run in runs])
        assert written == [3] * (step + 1)
    alone = bank_of(tiny_engine, runs[1])
    for step in range(2):
        alone.step([batch_of(runs[1], step)])
    assert [one.text for one in alone.observe(0, runs[1], 2).answers] == [one.text for one in told[1].answers]


def test_who_cannot_write_beside_others_writes_alone(
    tiny_engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [policy_run(17), policy_run(18)]
    bank, other = bank_of(tiny_engine, *runs), bank_of(tiny_engine, *runs)

    def failing(*args: Any) -> list[Written]:
        if len(args[2]) > 1:
            raise MemoryError
        return write_answers(*args)

    monkeypatch.setattr(policy_bank, "write_answers", failing)
    told = [bank.observe(index, run, 0) for index, run in enumerate(runs)]
    monkeypatch.undo()
    for index, run in enumerate(runs):
        expected = other.observe(index, run, 0)
        assert [one.text for one in told[index].answers] == [one.text for one in expected.answers]


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_step_that_fails_leaves_everything_as_it_was(
    tiny_engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    run = policy_run(12)
    bank, other = bank_of(tiny_engine, run), bank_of(tiny_engine, run)
    for each in (bank, other):
        each.step([batch_of(run, 0)])
    before, n_updates = numbers(bank), bank.slots[0].n_updates
    update, n_called = bank._update, 0

    def failing() -> torch.Tensor:
        nonlocal n_called
        n_called += 1
        if n_called == fails_at:
            raise MemoryError
        return update()

    monkeypatch.setattr(bank, "_update", failing)
    with pytest.raises(MemoryError):
        bank.step([batch_of(run, 1)])
    monkeypatch.undo()
    assert all(torch.equal(*pair) for pair in zip(numbers(bank), before, strict=True))
    assert bank.slots[0].n_updates == n_updates
    for step in (1, 2):
        assert bank.step([batch_of(run, step)]) == other.step([batch_of(run, step)])
    assert all(torch.equal(*pair) for pair in zip(numbers(bank), numbers(other), strict=True))


def test_a_policy_that_broke_down_fails_by_name_and_alone(tiny_engine: LocalEngine) -> None:
    runs = [policy_run(19), policy_run(20)]
    bank = bank_of(tiny_engine, *runs)
    bank.step([batch_of(run, 0) for run in runs])
    for leaf in bank.leaves.values():
        leaf.data[0].fill_(math.nan)
    with pytest.raises(Diverged, match="step 1"):
        bank.observe(0, runs[0], 1)
    told = bank.observe(1, runs[1], 1)
    assert math.isfinite(told.kl)
    assert math.isfinite(told.reward)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_rewards_that_are_no_numbers_are_refused_by_name(tiny_engine: LocalEngine, bad: float) -> None:
    run = policy_run(13)
    bank = bank_of(tiny_engine, run)
    bank.slots[0].judge = lambda _written, texts: np.full(len(texts), bad)
    before = numbers(bank)
    with pytest.raises(BadValue, match=f"The reward is {bad:g}"):
        bank.step([batch_of(run, 0)])
    assert all(torch.equal(*pair) for pair in zip(numbers(bank), before, strict=True))

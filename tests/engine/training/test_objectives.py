"""Laws that every kind of training keeps: a new one is named here with an example, and gets all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from playground.engine.adapters.adapter import Adapter
from playground.engine.contract.pretraining import OBJECTIVES
from playground.engine.contract.training import TrainingRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.pretraining.trained import PretrainedModel, PretrainedTable
from playground.engine.recurrent.trained import NetworkTable, TrainedNetwork
from playground.engine.task_heads.rewards import RewardHead
from playground.engine.task_heads.trained import HeadTable, TrainedHead
from playground.engine.training.learner import AnyObjective, Learner, Slot, Snapshot
from playground.engine.training.objectives import objectives
from playground.engine.training.run import text_order
from tests.engine.training.characters import Characters, Weights, run_on_lines
from tests.engine.training.head_runs import head_run
from tests.engine.training.learning import run_of
from tests.engine.training.pair_runs import pairs_run
from tests.engine.training.policy_runs import policy_run
from tests.engine.training.preference_runs import dpo_run
from tests.engine.training.reward_runs import reward_run
from tests.engine.training.zero_runs import zero_run

# Objective -> two runs of one group, with different first values; of a method of its own behind a stroke.
EXAMPLES: dict[str, tuple[TrainingRequest, TrainingRequest]] = {
    "sft": (run_of(1), run_of(2)),
    "sft/bottleneck": (
        run_of(1, method="bottleneck", bottleneck=3),
        run_of(2, method="bottleneck", bottleneck=5),
    ),
    "sft/prompt": (
        run_of(1, method="prompt", num_virtual_tokens=3),
        run_of(2, method="prompt", num_virtual_tokens=5),
    ),
    "sft/prefix": (
        run_of(1, method="prefix", num_virtual_tokens=5),
        run_of(2, method="prefix", num_virtual_tokens=3),
    ),
    "dpo": (dpo_run(1), dpo_run(2, beta=0.5, r=2)),
    "policy": (
        policy_run(1),
        policy_run(2, n_answers=4, max_new_tokens=7, kl_beta=0.5, r=2, epsilon=math.inf, temperature=0.8),
    ),
    "characters": (run_on_lines(1), run_on_lines(2)),
    "pairs": (pairs_run(1), pairs_run(2)),
    "reward": (reward_run(1), reward_run(2)),
    "head": (head_run(1), head_run(2)),
    "encoder": (head_run(1, objective="encoder"), head_run(2, objective="encoder")),
    **{name: (zero_run(1, objective=name), zero_run(2, objective=name)) for name in OBJECTIVES},
}
N_STEPS = 4


def objective_of(name: str) -> str:
    return name.partition("/")[0]


def numbers(snapshot: Snapshot) -> list[torch.Tensor]:
    if isinstance(snapshot, Adapter):
        return [part for one in snapshot.changes.values() for part in (one.A, one.B) if part is not None]
    if isinstance(snapshot, TrainedHead):
        return snapshot.values
    if isinstance(snapshot, RewardHead):
        return [snapshot.weight]
    if isinstance(snapshot, PretrainedModel):
        return [snapshot.numbers]
    assert isinstance(snapshot, Weights | TrainedNetwork)
    return list(snapshot.values.values())


def batches(request: TrainingRequest) -> list[list[Any]]:
    size = request.settings.batch_size
    order = text_order(len(request.train), N_STEPS * size, request.settings.seed)
    return [[request.train[i] for i in order[size * step : size * (step + 1)]] for step in range(N_STEPS)]


class Kind:
    """An objective with its two runs."""

    def __init__(self, objective: AnyObjective, requests: Sequence[TrainingRequest]) -> None:
        self.objective, self.requests = objective, requests
        self.batches = [batches(one) for one in requests]
        self.n_given = 0

    def slots(self) -> list[Slot]:
        return [self.objective.prepare(one).make() for one in self.requests]

    def learner(self, slots: Sequence[Slot]) -> Learner:
        return self.objective.learner(slots, self._give_way)

    def _give_way(self) -> None:
        self.n_given += 1


def known(engine: LocalEngine) -> dict[str, AnyObjective]:
    networks = NetworkTable(engine._settings, engine.adapters.departures, lambda: None)
    heads = HeadTable(engine._settings, engine.adapters.departures, lambda: None)
    pretrained = PretrainedTable(engine._settings, engine.adapters.departures, lambda: None)
    return objectives(engine._settings, engine.adapters, networks, heads, pretrained, lambda *_: None)


@pytest.fixture(params=sorted(EXAMPLES))
def kind(request: pytest.FixtureRequest, tiny_engine: LocalEngine) -> Kind:
    objective = {**known(tiny_engine), "characters": Characters()}[objective_of(request.param)]
    return Kind(objective, EXAMPLES[request.param])


def same(snapshot: Snapshot, other: Snapshot) -> None:
    for mine, theirs in zip(numbers(snapshot), numbers(other), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)


def test_every_objective_keeps_these_laws(tiny_engine: LocalEngine) -> None:
    assert set(known(tiny_engine)) == set(map(objective_of, EXAMPLES)) - {"characters"}, (
        "name two runs of it in EXAMPLES"
    )
    for name, requests in EXAMPLES.items():
        assert {one.settings.objective for one in requests} == {objective_of(name)}


def test_the_loss_of_a_step_is_that_measured_before_it(kind: Kind) -> None:
    learner = kind.learner(kind.slots())
    for step in range(N_STEPS):
        measured = [
            sum(learner.measure(index, own[step])) / sum(one.n_trained for one in own[step])
            for index, own in enumerate(kind.batches)
        ]
        assert learner.step([own[step] for own in kind.batches]) == pytest.approx(measured, abs=1e-5)


def test_together_and_alone_are_the_same_runs(kind: Kind) -> None:
    slots, alone = kind.slots(), kind.slots()
    assert len({slot.group for slot in slots}) == 1, "else they would not train together"
    together, each = kind.learner(slots), [kind.learner([slot]) for slot in alone]
    for step in range(N_STEPS):
        losses = together.step([own[step] for own in kind.batches])
        single = [one.step([own[step]])[0] for one, own in zip(each, kind.batches, strict=True)]
        assert losses == pytest.approx(single, abs=1e-5)
    for index, (slot, other) in enumerate(zip(slots, alone, strict=True)):
        together.unpack(index)
        each[index].unpack(0)
        same(slot.snapshot(N_STEPS, 1), other.snapshot(N_STEPS, 1))


def test_a_slot_goes_on_in_another_learner_as_if_it_had_never_left(kind: Kind) -> None:
    """This is what a pause is, and a run that joins or leaves the others."""
    stays, moves = kind.slots()[0], kind.slots()[0]
    learner, other = kind.learner([stays]), kind.learner([moves])
    for batch in kind.batches[0]:
        expected = learner.step([batch])
        assert other.step([batch]) == pytest.approx(expected, abs=1e-6)
        other.unpack(0)
        other = kind.learner([moves])
    learner.unpack(0)
    same(moves.snapshot(N_STEPS, 1), stays.snapshot(N_STEPS, 1))


def test_a_step_that_fails_changes_no_slot(kind: Kind) -> None:
    slots = kind.slots()
    learner = kind.learner(slots)
    learner.step([own[0] for own in kind.batches])
    learner.unpack(0)
    before = slots[0].snapshot(1, 1)
    with pytest.raises(AttributeError):
        learner.step([kind.batches[0][1], [object()]])
    learner.unpack(0)
    for mine, theirs in zip(numbers(slots[0].snapshot(1, 1)), numbers(before), strict=True):
        assert torch.equal(mine, theirs)


def test_a_snapshot_is_a_copy_and_a_forgotten_slot_leaves_it_whole(kind: Kind) -> None:
    slot = kind.slots()[0]
    learner = kind.learner([slot])
    learner.step([kind.batches[0][0]])
    learner.unpack(0)
    snapshot, copy = slot.snapshot(1, 3), [part.clone() for part in numbers(slot.snapshot(1, 3))]
    learner.step([kind.batches[0][1]])
    learner.unpack(0)
    assert any(not torch.equal(*pair) for pair in zip(numbers(slot.snapshot(2, 3)), copy, strict=True))
    slot.forget()
    assert (snapshot.step, snapshot.is_finite()) == (1, True)
    assert all(torch.equal(*pair) for pair in zip(numbers(snapshot), copy, strict=True))


def test_equal_starts_are_one_model_before_the_first_step(kind: Kind) -> None:
    slots = [*kind.slots(), kind.slots()[0]]
    learner, held_out = kind.learner(slots), kind.requests[0].held_out
    first = [sum(learner.measure(index, held_out)) for index in range(len(slots))]
    for loss, slot in zip(first, slots, strict=True):
        assert (slot.start == slots[0].start) == (loss == pytest.approx(first[0], abs=1e-4))


def test_others_may_use_the_engine_within_a_step(kind: Kind) -> None:
    kind.learner(kind.slots()).step([own[0] for own in kind.batches])
    assert kind.n_given >= 2

"""Remedies against forgetting: a loop by hand, plain autograd, and the laws of every kind of training."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from playground.core.forgetting import penalty
from playground.engine.adapters.layers import targets
from playground.engine.contract.remedies import Remedy
from playground.engine.contract.training import FinetuneRequest, RemedyObservation, TrainingText
from playground.engine.local.engine import LocalEngine
from playground.engine.training.bank import AdapterBank
from playground.engine.training.fisher import FisherTable, fisher_of
from playground.engine.training.run import text_order
from playground.errors import BadValue, EmptyText, HeldOutTrained, PlaygroundError, TooManyTokens
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import oracle
from tests.engine.training import test_objectives as laws
from tests.engine.training.learning import batches, run_of, slot_of, texts, trained
from tests.engine.training.test_finetuning import PeftRun

OLD = texts(5, 777)
REMEDIES = (Remedy("rehearsal", 0.5), Remedy("l2sp", 0.5), Remedy("ewc", 3e4))


def remedied(number: int, remedy: Remedy, model: str = tiny.LLAMA, **changes: Any) -> FinetuneRequest:
    request = run_of(number, model, **changes)
    return replace(request, settings=replace(request.settings, remedy=remedy), old=OLD)


def of_weights(settings: Settings, model: str, old: tuple[TrainingText, ...]) -> dict[str, torch.Tensor]:
    """Mean square of each weight's gradient, a text at a time, by plain autograd. Shape [d_out, d_in]."""
    net: Any = copy.deepcopy(oracle(settings, model)).requires_grad_(True)
    found: dict[str, torch.Tensor] = {}
    for text in old:
        net.zero_grad()
        labels = [one if on else -100 for one, on in zip(text.input_ids, text.is_trained, strict=True)]
        net(input_ids=torch.tensor([text.input_ids]), labels=torch.tensor([labels])).loss.backward()
        for name, weight in net.named_parameters():
            if weight.dim() == 2 and weight.grad is not None:
                squares = weight.grad.square() / len(old)
                path = name.removesuffix(".weight")
                found[path] = found.get(path, 0) + (squares.T if model == tiny.GPT2 else squares)
    return found


class HandWritten(PeftRun):
    """A run with a remedy, its penalty carried back by autograd through s·B·A."""

    def __init__(self, settings: Settings, request: FinetuneRequest) -> None:
        super().__init__(settings, request)
        self.remedy, asked = request.settings.remedy, request.settings
        self.fisher = of_weights(settings, asked.model, request.old)
        n = self.remedy.n_old(asked.batch_size)
        self.old = text_order(len(request.old), max(1, asked.n_steps * n), asked.seed + 1)
        self.n_old = n

    def backward(self, step: int) -> float:
        share = self.remedy.strength if self.n_old else 0.0
        loss = super().backward(step)
        for parameter in self.trained:
            assert parameter.grad is not None
            parameter.grad *= 1 - share
        if self.n_old:
            rows = [self.request.old[at] for at in self.old[step * self.n_old : (step + 1) * self.n_old]]
            n = sum(row.n_trained for row in rows)
            for row in rows:
                labels = [one if on else -100 for one, on in zip(row.input_ids, row.is_trained, strict=True)]
                found = self.model(input_ids=torch.tensor([row.input_ids]), labels=torch.tensor([labels]))
                (share * found.loss * row.n_trained / n).backward()
        else:
            self.penalty().backward()  # type: ignore[no-untyped-call]
        return loss

    def penalty(self) -> torch.Tensor:
        total = torch.zeros(())
        for path, module in self.model.base_model.model.named_modules():
            if hasattr(module, "lora_A"):
                delta = module.scaling["default"] * (
                    module.lora_B["default"].weight @ module.lora_A["default"].weight
                )
                squares = delta.square() * (self.fisher[path] if self.remedy.kind == "ewc" else 1)
                total = total + self.remedy.strength / 2 * squares.sum()
        return total


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
@pytest.mark.parametrize("remedy", REMEDIES, ids=lambda one: one.kind)
def test_losses_gradients_and_steps_are_those_of_a_loop_by_hand(
    tiny_settings: Settings, tiny_engine: LocalEngine, remedy: Remedy, model: str
) -> None:
    request = remedied(3, remedy, model, learning_rate=2e-3)
    (loaded, slot), expected = slot_of(tiny_engine, request), HandWritten(tiny_settings, request)
    plain = PeftRun(tiny_settings, run_of(3, model, learning_rate=2e-3))
    bank = AdapterBank(loaded, [slot], lambda: None)
    for step in range(request.settings.n_steps):
        [loss] = bank.step([batches(request, step)])
        assert loss == pytest.approx(expected.step(step), abs=1e-5)
        plain.step(step)
        bank.unpack(0)
        changes = slot.changes().values()
        for kind in "AB":
            mine = [getattr(one, kind) for one in changes]
            for one, theirs in zip(mine, expected.matrices(kind), strict=True):
                # Adam's steps of a number whose gradient is nearly 0 differ, by a tenth of the rate at most
                torch.testing.assert_close(one, theirs, atol=1e-3, rtol=1e-3)
    far = max(
        float((a - b).abs().max()) for a, b in zip(expected.matrices("B"), plain.matrices("B"), strict=True)
    )
    assert far > 5e-4, "the remedy must have changed something"
    found = bank.observe(0, request, 6)
    assert found is not None
    by_hand = float(expected.penalty().detach()) if remedy.kind != "rehearsal" else 0.0
    assert found.penalty == pytest.approx(by_hand, rel=1e-4)
    assert found.distance == pytest.approx(
        sum(float((slot.scaling * one.delta()).square().sum()) for one in slot.changes().values()) ** 0.5
    )


@pytest.mark.parametrize("remedy", REMEDIES, ids=lambda one: one.kind)
def test_gradients_of_the_first_steps_are_those_by_hand(
    tiny_settings: Settings, tiny_engine: LocalEngine, remedy: Remedy
) -> None:
    request = remedied(5, remedy)
    (loaded, slot), expected = slot_of(tiny_engine, request), HandWritten(tiny_settings, request)
    bank = AdapterBank(loaded, [slot], lambda: None)
    bank.step([batches(request, 0)])
    expected.step(0)
    bank._update = lambda: torch.tensor([True])  # type: ignore[method-assign]
    bank.step([batches(request, 1)])
    expected.backward(1)
    theirs = {name: one.grad for name, one in expected.model.named_parameters() if one.grad is not None}
    for (path, matrix), leaf in bank.leaves.items():
        assert leaf.grad is not None
        name = f"base_model.model.{path}.lora_{matrix}.default.weight"
        torch.testing.assert_close(leaf.grad[0], theirs[name], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_fisher_is_the_mean_square_of_the_gradients_of_each_text(
    tiny_settings: Settings, tiny_engine: LocalEngine, model: str
) -> None:
    loaded = tiny_engine.adapters.load(model).result(timeout=300)
    modules = run_of(1, model).settings.lora.target_modules
    paths, given = list(targets(loaded.template, modules, "lora")), []
    mine = fisher_of(loaded, paths, OLD, lambda: given.append(1)).of
    expected = of_weights(tiny_settings, model, OLD)
    assert set(mine) == set(paths)
    for path in paths:
        torch.testing.assert_close(mine[path], expected[path], atol=1e-8, rtol=1e-4)
        assert float(mine[path].max()) > 0
    assert len(given) >= 2 * len(OLD), "others may use the engine meanwhile"
    ours = penalty(3.0, torch.ones_like(mine[path]).numpy(), mine[path].numpy())
    assert ours == pytest.approx(1.5 * float(expected[path].sum()), rel=1e-4)


def test_runs_with_and_without_a_remedy_share_a_step(tiny_engine: LocalEngine) -> None:
    requests = [
        run_of(1),
        *(remedied(2 + place, one, r=2 + place) for place, one in enumerate(REMEDIES)),
        remedied(6, REMEDIES[2], target_modules=("q_proj",)),
        remedied(7, REMEDIES[0], lora_dropout=0.2),
    ]
    fused = [slot_of(tiny_engine, one)[1] for one in requests]
    assert len({slot.group for slot in fused}) == 1
    loaded = fused[0].loaded
    together = AdapterBank(loaded, fused, lambda: None)
    alone = [slot_of(tiny_engine, one)[1] for one in requests]
    banks = [AdapterBank(loaded, [slot], lambda: None) for slot in alone]
    for step in range(4):
        losses = together.step([batches(one, step) for one in requests])
        for bank, request, loss in zip(banks, requests, losses, strict=True):
            assert bank.step([batches(request, step)])[0] == pytest.approx(loss, abs=1e-5)
    for index, (mine, own) in enumerate(zip(fused, alone, strict=True)):
        together.unpack(index)
        banks[index].unpack(0)
        for key, value in own.values.items():
            torch.testing.assert_close(mine.values[key], value, atol=1e-3, rtol=1e-3)


LAWS: tuple[Callable[[laws.Kind], None], ...] = (
    laws.test_the_loss_of_a_step_is_that_measured_before_it,
    laws.test_together_and_alone_are_the_same_runs,
    laws.test_a_slot_goes_on_in_another_learner_as_if_it_had_never_left,
    laws.test_a_step_that_fails_changes_no_slot,
    laws.test_a_snapshot_is_a_copy_and_a_forgotten_slot_leaves_it_whole,
    laws.test_equal_starts_are_one_model_before_the_first_step,
)


@pytest.mark.parametrize("law", LAWS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("remedy", REMEDIES, ids=lambda one: one.kind)
def test_a_run_with_a_remedy_keeps_every_law(
    tiny_engine: LocalEngine, remedy: Remedy, law: Callable[[laws.Kind], None]
) -> None:
    objective = laws.known(tiny_engine)["sft"]
    law(laws.Kind(objective, [remedied(1, remedy), remedied(2, remedy)]))


def test_one_estimate_serves_all_and_goes_with_the_last(tiny_engine: LocalEngine) -> None:
    table = FisherTable()
    slots = [slot_of(tiny_engine, remedied(number, REMEDIES[2]))[1] for number in (1, 2)]
    bank = AdapterBank(slots[0].loaded, slots, lambda: None).knowing(table)
    bank.step([batches(slot.request, 0) for slot in slots])
    own = bank._remedies
    assert own.fisher(0) is own.fisher(1)
    other = AdapterBank(slots[0].loaded, [slots[1]], lambda: None).knowing(table)
    assert other._remedies.fisher(0) is own.fisher(0), "a run that goes elsewhere takes it along"
    assert len(table._known) == 1
    del bank, own, other
    assert not len(table._known)


def test_a_run_tells_how_far_it_is_from_its_start(tiny_engine: LocalEngine) -> None:
    state = trained(tiny_engine, remedied(8, REMEDIES[1], owner="far"))
    assert state.status == "done"
    seen = [one for one in state.observed if isinstance(one, RemedyObservation)]
    assert [one.step for one in seen] == [step for step, _loss in state.held_out]
    assert seen[0].distance == seen[0].penalty == 0
    assert seen[-1].penalty == pytest.approx(0.5 / 2 * seen[-1].distance ** 2, rel=1e-4)
    assert trained(tiny_engine, run_of(8, owner="plain")).observed == ()


GOOD = remedied(1, REMEDIES[0])
LONG = TrainingText((5,) * 200, (False, *(True,) * 199))


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        (replace(GOOD, old=()), EmptyText, ""),
        (replace(GOOD, old=(TrainingText((5, 6), (False, False)),)), EmptyText, ""),
        (replace(remedied(1, REMEDIES[2]), old=(LONG,)), TooManyTokens, "128"),
        (replace(GOOD, general=OLD[2:3]), HeldOutTrained, "measured on"),
        (replace(GOOD, old=GOOD.held_out[:1]), HeldOutTrained, "measured on"),
        (remedied(1, Remedy("sleep", 1.0)), BadValue, "rehearsal, l2sp, ewc"),  # type: ignore[arg-type]
        (remedied(1, Remedy("rehearsal", 1.0)), BadValue, "strength is 1.0"),
        (remedied(1, Remedy("ewc", float("nan"))), BadValue, "strength is nan"),
        (remedied(1, Remedy("l2sp", 0.0)), BadValue, "strength is 0.0"),
        (remedied(1, REMEDIES[2], method="last_block"), BadValue, "the method LoRA"),
        (remedied(1, Remedy("rehearsal", 0.9), batch_size=8), BadValue, "batch_size is 8"),
    ],
)
def test_a_remedy_that_cannot_be_is_refused_by_name(
    tiny_engine: LocalEngine, changed: FinetuneRequest, error: type[PlaygroundError], words: str
) -> None:
    with pytest.raises(error) as said:
        tiny_engine.training.runs.start(changed)
    assert words in str(said.value)


def test_more_weights_than_there_is_room_for_are_refused(
    tiny_engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.engine.training.remedies.MOST_NUMBERS", 10)
    with pytest.raises(BadValue, match="layers of 10 weights in all"):
        tiny_engine.training.runs.start(remedied(1, REMEDIES[2]))

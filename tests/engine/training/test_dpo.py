"""DPO on the adapter bank: against trl, live, on the same batch; against its definitions; what is refused."""

from __future__ import annotations

import copy
import importlib
import math
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import peft
import pytest
import torch
from tokenizers import Tokenizer, models
from torch.nn.functional import kl_div
from transformers import PreTrainedTokenizerFast

from playground.core.byte_cache import ByteCache
from playground.core.preferences.judged import pair_accuracy
from playground.engine.adapters.adapter import adapted_model
from playground.engine.adapters.places import places
from playground.engine.contract.models import AdapterName
from playground.engine.contract.preferences import (
    OBSERVED_TRAIN,
    DpoObservation,
    DpoRequest,
    PairExample,
    most_read,
)
from playground.engine.local.engine import LocalEngine
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.dpo_bank import DpoBank, answer_text
from playground.engine.training.packing import packed
from playground.engine.training.reference import Known
from playground.errors import BadValue, EmptyText, HeldOutTrained, SameAnswers, TooManyTokens
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import oracle
from tests.engine.training.learning import trained, wait_written
from tests.engine.training.preference_runs import dpo_run, pairs

CLOSE = 1e-5
LN_2 = math.log(2)


def slot_of(engine: LocalEngine, request: DpoRequest, spread: float = 0.0) -> AdapterSlot:
    """The slot of a run; `spread` moves its B away from 0, so that policy and reference differ."""
    loaded = engine.adapters.load(request.settings.model).result(timeout=60)
    slot = AdapterSlot(request, loaded, places(loaded, request.settings))
    for (_path, matrix), value in slot.values.items():
        if matrix == "B" and spread:
            value.normal_(0, spread, generator=slot.random)
    return slot


def bank_of(slots: Sequence[AdapterSlot], known: ByteCache[Known] | None = None) -> DpoBank:
    return DpoBank(slots[0].loaded, slots, lambda: None, known or ByteCache(2**24), 256)


def hash_of(model: Any) -> str:
    digest = sha256()
    for tensor in (*model.parameters(), *model.buffers()):
        digest.update(tensor.detach().numpy().tobytes())
    return digest.hexdigest()


# ---- trl


def trl_trainer(settings: Settings, request: DpoRequest, slot: AdapterSlot, folder: Path) -> Any:
    """trl's own trainer on a peft model with the slot's numbers; its data set is a formality."""
    trl, datasets = (importlib.import_module(name) for name in ("trl", "datasets"))  # both untyped
    lora = request.settings.lora
    config = peft.LoraConfig(
        r=lora.r, lora_alpha=lora.lora_alpha, target_modules=list(lora.target_modules),
        fan_in_fan_out=request.settings.model == tiny.GPT2, task_type="CAUSAL_LM",
    )  # fmt: skip
    model = peft.get_peft_model(copy.deepcopy(oracle(settings, request.settings.model)), config)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({"<pad>": 0, "</s>": 1, "a": 2}, unk_token="<pad>")),
        pad_token="<pad>", eos_token="</s>",
    )  # fmt: skip
    options = trl.DPOConfig(
        output_dir=str(folder), beta=request.settings.beta, use_cpu=True, report_to="none", bf16=False,
        activation_checkpointing=False, disable_dropout=True,
    )  # fmt: skip
    rows = [{"prompt": "a", "chosen": "a", "rejected": "a a"}]
    trainer = trl.DPOTrainer(
        model=model, args=options, processing_class=tokenizer, train_dataset=datasets.Dataset.from_list(rows)
    )
    # Only now: what an adapter is when the trainer is made, is trl's reference.
    for name, parameter in trainer.model.named_parameters():
        if ".default." in name:
            path, matrix = name.removeprefix("base_model.model.").split(".lora_")
            parameter.data.copy_(slot.values[path, matrix[0]])
    return trainer


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_loss_rewards_and_gradients_are_trls(
    tiny_settings: Settings,
    tiny_engine: LocalEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)  # trl asks for a model's card
    request = dpo_run(3, model, beta=0.3, train=pairs(3, 5))
    slot = slot_of(tiny_engine, request, spread=0.02)
    trainer = trl_trainer(tiny_settings, request, slot, tmp_path)
    rows = [
        {"prompt_ids": list(one.prompt_ids), "chosen_ids": list(one.chosen_ids),
         "rejected_ids": list(one.rejected_ids)}
        for one in request.train
    ]  # fmt: skip
    expected = trainer.compute_loss(trainer.model, trainer.data_collator(rows))
    expected.backward()
    told = {name: values[-1] for name, values in trainer._metrics["train"].items()}
    assert abs(told["rewards/margins"]) > 0.01, "else nothing is compared"

    bank = bank_of([slot])
    seen = bank.observe(0, replace(request, held_out=request.train, train=request.train[:1]), 0)
    bank._update = lambda: torch.tensor([True])  # type: ignore[method-assign]
    [loss] = bank.step([request.train])
    assert loss == pytest.approx(expected.item(), abs=CLOSE)
    ours = seen.held_out.dpo(request.settings.beta)
    assert {
        "logps/chosen": np.mean(seen.held_out.chosen), "logps/rejected": np.mean(seen.held_out.rejected),
        "rewards/chosen": ours.chosen_rewards.mean(), "rewards/rejected": ours.rejected_rewards.mean(),
        "rewards/margins": ours.margins.mean(), "rewards/accuracies": (ours.margins > 0).mean(),
    } == pytest.approx(
        {name: told[name] for name in told if name.startswith(("rewards", "logps"))}, abs=CLOSE, rel=2e-6
    )  # fmt: skip
    theirs = {name: one.grad for name, one in trainer.model.named_parameters() if one.grad is not None}
    assert len(theirs) == len(bank.leaves)
    for (path, matrix), leaf in bank.leaves.items():
        assert leaf.grad is not None
        name = f"base_model.model.{path}.lora_{matrix}.default.weight"
        torch.testing.assert_close(leaf.grad[0], theirs[name], atol=CLOSE, rtol=1e-4)


# ---- before the first step, and the reference


def test_before_the_first_step_every_pair_costs_ln_2_whatever_beta(tiny_engine: LocalEngine) -> None:
    requests = [dpo_run(1), dpo_run(2, beta=0.7)]
    bank = bank_of([slot_of(tiny_engine, one) for one in requests])
    for index, request in enumerate(requests):
        assert bank.measure(index, request.held_out) == pytest.approx([LN_2] * 3, abs=CLOSE)
        seen = bank.observe(index, request, 0)
        assert seen.kl == pytest.approx(0, abs=1e-6)
        assert seen.held_out.chosen == pytest.approx(seen.held_out.ref_chosen, abs=1e-4)
    assert bank.step([one.train[:3] for one in requests]) == pytest.approx([LN_2] * 2, abs=CLOSE)


def test_the_base_is_bitwise_the_same_after_training(tiny_engine: LocalEngine) -> None:
    request = dpo_run(4, owner="same", n_steps=5)
    loaded = tiny_engine.adapters.load(tiny.LLAMA).result(timeout=60)
    before = hash_of(loaded.template)
    tensors = {id(one) for one in loaded.model.parameters()}
    assert trained(tiny_engine, request).status == "done"
    assert hash_of(loaded.template) == before == hash_of(loaded.model)
    bank = bank_of([slot_of(tiny_engine, request)])
    assert {id(one) for one in bank._reference.tree.parameters()} <= tensors, "no second model in memory"


def test_a_text_is_read_by_the_reference_once(tiny_engine: LocalEngine) -> None:
    request, known = dpo_run(5), ByteCache[Known](2**24)
    bank = bank_of([slot_of(tiny_engine, request)], known)
    n_read = 0
    read = bank._reference._read

    def counted(texts: Any) -> Any:
        nonlocal n_read
        n_read += len(texts)
        return read(texts)

    bank._reference._read = counted  # type: ignore[method-assign]
    for _step in range(3):
        bank.step([request.train[:3]])
        bank.measure(0, request.held_out)
    assert n_read == 2 * (3 + 3)
    assert known.size_bytes > 0


def test_a_reference_that_nothing_is_kept_of_gives_the_same(tiny_engine: LocalEngine) -> None:
    request = dpo_run(6)
    losses = [
        [bank.step([request.train[:3]])[0] for _step in range(3)]
        for bank in (bank_of([slot_of(tiny_engine, request)], ByteCache(size)) for size in (0, 2**24))
    ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)


# ---- observations


def logprobs_alone(model: Any, prompt: tuple[int, ...], answer: tuple[int, ...]) -> torch.Tensor:
    """Log-distributions where each token of an answer is predicted, read alone. Shape [token, d_vocab]."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([[*prompt, *answer]])).logits[0].float()
    logprobs: torch.Tensor = logits[len(prompt) - 1 : -1].log_softmax(-1)
    return logprobs


def test_observations_are_those_of_the_models_read_alone(tiny_engine: LocalEngine) -> None:
    request = dpo_run(7)
    slot, other = slot_of(tiny_engine, request, spread=0.05), slot_of(tiny_engine, dpo_run(8))
    bank = bank_of([other, slot])
    seen = bank.observe(1, request, 0)
    policy = adapted_model(slot.loaded, slot.snapshot(0, 0), AdapterName(tiny.LLAMA, "alone")).model
    reference = slot.loaded.model
    kl, n = 0.0, 0
    for place, pair in enumerate(request.held_out):
        for answer, name in ((pair.chosen_ids, "chosen"), (pair.rejected_ids, "rejected")):
            own, theirs = (logprobs_alone(one, pair.prompt_ids, answer) for one in (policy, reference))
            at = torch.arange(len(answer)), torch.tensor(answer)
            assert getattr(seen.held_out, name)[place] == pytest.approx(own[at].sum().item(), abs=1e-3)
            told = getattr(seen.held_out, f"ref_{name}")[place]
            assert told == pytest.approx(theirs[at].sum().item(), abs=1e-3)
            kl += kl_div(theirs, own, log_target=True, reduction="sum").item()
            n += len(answer)
    assert seen.n_kl == n
    assert seen.kl == pytest.approx(kl / n, rel=1e-4)
    assert seen.kl > 0.01, "else nothing is compared"


def test_a_run_gives_observations_samples_and_an_adapter(tiny_engine: LocalEngine) -> None:
    request = dpo_run(9, owner="whole", n_steps=12, prompts=((5, 6, 7),), train=pairs(20, 9))
    tiny_engine.training.runs.start(request)
    state = wait_written(tiny_engine, request)
    assert (state.status, state.error) == ("done", None)
    observed = [one for one in state.observed if isinstance(one, DpoObservation)]
    assert [one.step for one in observed] == [step for step, _loss in state.held_out]
    assert observed[0].kl == pytest.approx(0, abs=1e-6)
    for one, (_step, loss) in zip(observed, state.held_out, strict=True):
        assert one.held_out.dpo(request.settings.beta).loss == pytest.approx(loss, abs=1e-6)
        assert (len(one.held_out.chosen), len(one.train.chosen)) == (3, OBSERVED_TRAIN)
        assert one.kl >= 0
    last = observed[-1].train.dpo(request.settings.beta)
    assert last.loss < LN_2
    assert pair_accuracy(last.chosen_rewards, last.rejected_rewards).share > 0.5
    assert {one.step for one in state.samples} == {0, 10, 12}
    info = tiny_engine.adapters.info(state.adapter)
    assert (info.base_id, info.step, info.method) == (tiny.LLAMA, 12, "lora")


def test_where_nothing_is_held_out_the_distance_is_that_on_the_pairs_learned_from(
    tiny_engine: LocalEngine,
) -> None:
    """One pair alone: it is learned, and nothing is said about others."""
    request = dpo_run(10, owner="one", train=pairs(1, 3), held_out=(), batch_size=4, n_steps=8)
    state = trained(tiny_engine, request)
    assert (state.status, state.held_out) == ("done", ())
    last = state.observed[-1]
    assert isinstance(last, DpoObservation)
    assert last.held_out.chosen == ()
    assert last.n_kl == len(request.train[0].chosen_ids) + len(request.train[0].rejected_ids)
    assert last.kl > 0
    assert last.train.dpo(0.1).loss < LN_2


def test_votes_that_all_say_one_answer_are_learned(tiny_engine: LocalEngine) -> None:
    same = tuple(replace(one, chosen_ids=(9, 10, 7), rejected_ids=(11, 12, 7)) for one in pairs(6, 12))
    request = dpo_run(11, owner="one way", train=same[:4], held_out=same[4:], n_steps=10)
    state = trained(tiny_engine, request)
    assert state.status == "done"
    assert state.held_out[-1][1] < state.held_out[0][1]


# ---- refusals

ONE = PairExample((2, 3), (5, 6), (5, 7))


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"beta": 0.0}, BadValue, "beta is 0.0, but only 0.001-10.0 is possible"),
        ({"beta": math.nan}, BadValue, "beta is nan"),
        ({"method": "prompt"}, BadValue, "method is 'prompt', but only lora"),
        ({"train": (replace(ONE, rejected_ids=ONE.chosen_ids),)}, SameAnswers, "are the same"),
        ({"train": (replace(ONE, prompt_ids=()),)}, EmptyText, "empty"),
        ({"train": (ONE,), "held_out": (ONE,)}, HeldOutTrained, "both learned from and measured on"),
        ({"train": (ONE,), "held_out": (PairExample((2, 3), (5, 7), (5, 6)),)}, HeldOutTrained, "both"),
        ({"train": pairs(201, 1)}, BadValue, "train is 201, but only 1-200"),
        ({"held_out": pairs(65, 2)}, BadValue, "held_out is 65, but only 0-64"),
        ({"train": (replace(ONE, chosen_ids=(5,) * 400),)}, TooManyTokens, "404 tokens"),
        ({"train": (replace(ONE, chosen_ids=(10**6,)),)}, BadValue, "input_ids"),
        ({"learning_rate": math.nan}, BadValue, "learning_rate is nan"),
    ],
)
def test_what_cannot_be_is_refused(
    tiny_engine: LocalEngine, changes: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        tiny_engine.training.runs.start(dpo_run(1, **changes))


def test_a_steep_loss_is_no_breakdown_but_one_that_is_no_number_is(tiny_engine: LocalEngine) -> None:
    objective = tiny_engine.training.runs._objectives["dpo"]
    flat, steep = (objective.prepare(dpo_run(13, beta=beta)).make().guess_loss for beta in (0.1, 10.0))
    assert (flat, steep) == (
        pytest.approx(math.log(slot_of(tiny_engine, dpo_run(13)).loaded.info.d_vocab)),
        pytest.approx(10 * flat),
    )
    slots = [slot_of(tiny_engine, dpo_run(number)) for number in (1, 2)]
    next(iter(slots[1].values.values())).fill_(math.nan)
    losses = bank_of(slots).step([pairs(3, 1), pairs(3, 2)])
    assert losses[0] == pytest.approx(LN_2, abs=CLOSE)
    assert math.isnan(losses[1])


def test_a_common_beginning_counts_once() -> None:
    """What the trainer expects a step to read is what the tree holds at most."""
    request = dpo_run(14, train=pairs(7, 14))
    for size in (1, 3, 7, 8):
        texts = [
            answer_text(pair.prompt_ids, answer)
            for pair in request.train[:size]
            for answer in (pair.chosen_ids, pair.rejected_ids)
        ]
        assert packed([texts]).lengths[0] <= most_read(request.train, size)
    assert (
        most_read(request.train, 8)
        == most_read(request.train, 7)
        < 8 * max(one.n_tokens for one in request.train)
    )

"""Soft prompts and prefixes against peft's own, bottlenecks against one written by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import peft
import pytest
import torch
from torch.nn.functional import gelu

from playground.engine.adapters.virtual import PROMPT
from playground.engine.contract.training import FinetuneRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.training.bank import EPS, MAX_NORM
from playground.engine.training.other_banks import BANKS
from playground.errors import BadValue
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import oracle
from tests.engine.training.learning import batches, run_of, slot_of, texts

MODELS = [tiny.LLAMA, tiny.GPT2]
N_VIRTUAL = 4


class StockRun:
    """The same run by another model and stock AdamW, one text after another so that nothing is padded.

    Args:
        model: Gives logits of token ids.
        trained: Its trained numbers.
        request: The run.
    """

    def __init__(self, model: Any, trained: list[torch.Tensor], request: FinetuneRequest) -> None:
        self.model, self.trained, self.request = model, trained, request
        rate = request.settings.learning_rate
        self.optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=0.0, eps=EPS)

    def backward(self, step: int) -> float:
        batch, total = batches(self.request, step), 0.0
        n = sum(text.n_trained for text in batch)
        self.optimizer.zero_grad()
        for text in batch:
            labels = [
                token if on else -100 for token, on in zip(text.input_ids, text.is_trained, strict=True)
            ]
            given = {"input_ids": torch.tensor([text.input_ids]), "labels": torch.tensor([labels])}
            mask = torch.ones_like(given["input_ids"])
            loss = self.model(**given, attention_mask=mask).loss * text.n_trained / n
            loss.backward()
            total += loss.item()
        return total

    def step(self, step: int) -> float:
        loss = self.backward(step)
        torch.nn.utils.clip_grad_norm_(self.trained, MAX_NORM)
        self.optimizer.step()
        return loss


def pefts(settings: Settings, request: FinetuneRequest) -> tuple[StockRun, torch.nn.Parameter]:
    """peft's run, and its matrix: [virtual, d_model], or [virtual, layers * 2 * kv_head * d_head]."""
    asked = request.settings
    kind = peft.PromptTuningConfig if asked.method == "prompt" else peft.PrefixTuningConfig
    config = kind(task_type="CAUSAL_LM", num_virtual_tokens=asked.num_virtual_tokens)
    model = peft.get_peft_model(copy.deepcopy(oracle(settings, asked.model)), config)
    weight = model.prompt_encoder["default"].embedding.weight
    return StockRun(model, [weight], request), weight


def ours_as_pefts(values: dict[tuple[str, str], torch.Tensor]) -> torch.Tensor:
    """Our numbers in the layout of peft's one matrix: keys and values of a layer, then of the next."""
    return values[PROMPT, "B"] if (PROMPT, "B") in values else torch.cat(list(values.values()), dim=1)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("method", ["prompt", "prefix"])
def test_losses_gradients_and_steps_are_pefts(
    tiny_settings: Settings, tiny_engine: LocalEngine, method: str, model: str
) -> None:
    request = run_of(3, model, method=method, num_virtual_tokens=N_VIRTUAL)
    loaded, slot = slot_of(tiny_engine, request)
    bank = BANKS[request.settings.method](loaded, [slot], lambda: None)
    expected, weight = pefts(tiny_settings, request)
    with torch.no_grad():
        weight.copy_(ours_as_pefts(slot.values))
    for step in range(request.settings.n_steps):
        loss = expected.backward(step)
        bank._grads.zero_()
        [mine] = bank.step([batches(request, step)])
        assert mine == pytest.approx(loss, abs=1e-5)
        norm = torch.nn.utils.clip_grad_norm_([weight], MAX_NORM)
        grads = ours_as_pefts(
            {key: leaf.grad[0] for key, leaf in bank.leaves.items() if leaf.grad is not None}
        )
        assert norm > 1e-4, "nothing would be learned"
        torch.testing.assert_close(grads, weight.grad, atol=1e-5, rtol=1e-3)
        expected.optimizer.step()
        bank.unpack(0)
        torch.testing.assert_close(ours_as_pefts(slot.values), weight.detach(), atol=2e-5, rtol=1e-4)


class ByHand(torch.nn.Module):
    """An output projection with a bottleneck behind it."""

    def __init__(self, base: torch.nn.Module, A: torch.Tensor, B: torch.Tensor) -> None:
        super().__init__()
        self.base = base
        self.down, self.up = torch.nn.Parameter(A.clone()), torch.nn.Parameter(B.clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.base(x)
        return y + gelu(y @ self.down.T) @ self.up.T


@pytest.mark.parametrize(
    ("model", "ends"),
    [(tiny.LLAMA, ("self_attn.o_proj", "mlp.down_proj")), (tiny.GPT2, ("attn.c_proj", "mlp.c_proj"))],
)
def test_a_bottleneck_is_the_one_written_by_hand(
    tiny_settings: Settings, tiny_engine: LocalEngine, model: str, ends: tuple[str, str]
) -> None:
    request = run_of(4, model, method="bottleneck", bottleneck=5)
    loaded, slot = slot_of(tiny_engine, request)
    assert all(path.endswith(ends) for path in slot.layers)
    assert len(slot.layers) == 2 * loaded.info.n_layer
    other, trained = copy.deepcopy(oracle(tiny_settings, model)), []
    for one in other.parameters():
        one.requires_grad_(False)
    for path in slot.layers:
        parent, _dot, name = path.rpartition(".")
        owner = other.get_submodule(parent)
        made = ByHand(getattr(owner, name), slot.values[path, "A"], slot.values[path, "B"])
        setattr(owner, name, made)
        trained += [made.down, made.up]
    expected = StockRun(other, trained, request)
    bank = BANKS["bottleneck"](loaded, [slot], lambda: None)
    for step in range(request.settings.n_steps):
        [loss] = bank.step([batches(request, step)])
        assert loss == pytest.approx(expected.step(step), abs=1e-5)
        bank.unpack(0)
        for mine, theirs in zip(slot.values.values(), trained, strict=True):
            torch.testing.assert_close(mine, theirs.detach(), atol=2e-5, rtol=1e-4)
    assert any(one.abs().max() > 1e-3 for (_path, matrix), one in slot.values.items() if matrix == "B")


def test_a_bottleneck_begins_as_the_model_and_a_prefix_as_its_soft_prompt(tiny_engine: LocalEngine) -> None:
    asked = {
        "lora": {},
        "bottleneck": {},
        "prompt": {"num_virtual_tokens": 3},
        "prefix": {"num_virtual_tokens": 3},
    }
    first = {}
    for method, more in asked.items():
        request = run_of(6, method=method, **more)
        loaded, slot = slot_of(tiny_engine, request)
        bank = BANKS[request.settings.method](loaded, [slot], lambda: None)
        first[method] = bank.measure(0, request.held_out)
    assert first["bottleneck"] == pytest.approx(first["lora"], abs=1e-5)
    assert first["prefix"] == pytest.approx(first["prompt"], abs=1e-4)
    assert first["prompt"] != pytest.approx(first["lora"], abs=1e-3)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"method": "prompt", "num_virtual_tokens": 0}, "num_virtual_tokens is 0, but only 1-64"),
    ({"method": "prefix", "num_virtual_tokens": 65}, "num_virtual_tokens is 65, but only 1-64"),
    ({"method": "prefix", "num_virtual_tokens": float("nan")}, "num_virtual_tokens is nan, but only 1-64"),
    ({"method": "bottleneck", "bottleneck": 0}, "bottleneck is 0, but only 1-256"),
    ({"method": "prefix", "num_virtual_tokens": 20}, "num_virtual_tokens is 20, but only 1-14"),
    ({"method": "spell"}, "method is 'spell', but only lora, last_block, bottleneck, prompt, prefix"),
]


@pytest.mark.parametrize(("changes", "said"), BAD)
def test_bad_settings_are_one_sentence(tiny_engine: LocalEngine, changes: dict[str, Any], said: str) -> None:
    n_ctx = next(one for one in tiny_engine.models() if one.model_id == tiny.LLAMA).n_ctx
    longest = texts(1, 1, longest=5)[0]
    ids = (5,) * (n_ctx - 14)
    longest = type(longest)(ids, (False, *(True,) * (len(ids) - 1)))
    request = run_of(1, train=(longest,), **changes)
    with pytest.raises(BadValue) as caught:
        tiny_engine.training.runs.start(request)
    assert said in str(caught.value)


def test_the_bank_goes_with_whoever_held_it(tiny_engine: LocalEngine) -> None:
    import gc
    import weakref

    gc.disable()
    try:
        for method in ("bottleneck", "prompt", "prefix"):
            loaded, slot = slot_of(tiny_engine, run_of(2, method=method))
            make: Callable[..., Any] = BANKS[slot.request.settings.method]
            bank = make(loaded, [slot], lambda: None)
            gone = weakref.ref(bank)
            bank.step([batches(slot.request, 0)])
            del bank
            assert gone() is None, method
    finally:
        gc.enable()

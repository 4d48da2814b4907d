"""Which layers and which tokens of which texts are trained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from playground.core.files.training_rows import TrainingRow, pairs
from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.contract.generation import GenerateRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.training.bank import AdapterBank
from playground.paths import site_root
from playground.settings import Settings
from tests import tiny
from tests.engine.training.learning import (
    run_of,
    slot_of,
    wait,
)


@pytest.fixture
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    made = create_engine(tiny_settings.model_copy(update={"adapter_grace_s": 0.2}))
    assert isinstance(made, LocalEngine)
    yield made
    made.close()


def test_full_training_of_the_last_block_changes_its_layers_only(engine: LocalEngine) -> None:
    request = run_of(1, owner="me", method="last_block", learning_rate=1e-3)
    engine.training.runs.start(request)
    state = wait(engine, request)
    changes = engine.adapters.changes(state.adapter)
    info = next(one for one in engine.models() if one.model_id == tiny.LLAMA)
    assert {change.layer for change in changes} == {info.n_layer - 1}
    assert len(changes) == 7
    assert state.train[-1][1] < state.train[0][1]


def test_loss_counts_only_where_the_mask_says(tiny_engine: LocalEngine) -> None:
    request = run_of(1)
    loaded, slot = slot_of(tiny_engine, request)
    bank = AdapterBank(loaded, [slot], lambda: None)
    text = request.train[0]
    [surprisal, other] = bank.measure(0, [text, request.train[1]])
    with torch.no_grad():
        logits = loaded.model(torch.tensor([text.input_ids])).logits[0]
    logprobs = logits.log_softmax(-1)
    expected = -sum(
        float(logprobs[place - 1, token])
        for place, (token, on) in enumerate(zip(text.input_ids, text.is_trained, strict=True))
        if on
    )
    assert surprisal == pytest.approx(expected, rel=1e-5)
    assert other == pytest.approx(bank.measure(0, [request.train[1]])[0], rel=1e-5)


@pytest.mark.real
def test_the_sets_that_come_with_the_page_are_read_whole(real_engine: LocalEngine) -> None:
    for file in (site_root() / "assets" / "training").glob("*/*.json"):
        told = json.loads(file.read_text("utf-8"))
        if file.stem == "everyday":  # no set: old texts that a run is kept to
            continue
        rows = pairs(told["rows"])
        texts = real_engine.training.texts(real_engine._settings.default_model, rows)
        assert not any(text.n_cut for text in texts), file


@pytest.mark.real
def test_a_conversation_is_read_as_the_template_writes_it(real_engine: LocalEngine) -> None:
    model = real_engine._settings.default_model
    row = TrainingRow(
        (("user", "Hi there"), ("assistant", "Arr!"), ("user", "Bye"), ("assistant", "Aye, matey"))
    )
    [text] = real_engine.training.texts(model, [row])
    tokenizer = real_engine.adapters.tokenizer(model).tokenizer
    said = [{"role": role, "content": content} for role, content in row.messages]
    whole = tokenizer.apply_chat_template(said, tokenize=False)
    assert text.input_ids == tuple(tokenizer(whole, add_special_tokens=False).input_ids)
    trained = [token for token, on in zip(text.input_ids, text.is_trained, strict=True) if on]
    assert tokenizer.decode(trained) == "Arr!<|im_end|>Aye, matey<|im_end|>"


@pytest.mark.real
def test_a_plain_text_is_trained_whole_and_a_long_one_cut(real_engine: LocalEngine) -> None:
    model = real_engine._settings.default_model
    plain, long = real_engine.training.texts(
        model, [TrainingRow(text="A haiku."), TrainingRow(text="word " * 400)]
    )
    assert plain.is_trained == (False, *[True] * (len(plain.input_ids) - 1))
    assert not plain.n_cut
    limit = real_engine._settings.max_training_tokens
    assert len(long.input_ids) == limit
    assert long.n_cut > 200


def test_rows_of_one_batch_have_their_own_adapters(engine: LocalEngine) -> None:
    requests = [run_of(1, owner="me"), run_of(2, owner="me", target_modules=("q_proj", "gate_proj"))]
    for one in requests:
        engine.training.runs.start(one)
    adapters = [wait(engine, one).adapter for one in requests]
    prompt = (5, 6, 7, 8)

    def asked(model: str) -> GenerateRequest:
        return GenerateRequest(model, sampling=GREEDY, input_ids=prompt, max_new_tokens=40)

    models = [tiny.LLAMA, *adapters, f"{adapters[0]}@50"]
    alone = {model: [step.token_id for step in engine.generate(asked(model))] for model in models}
    assert len(set(map(tuple, alone.values()))) == len(models), "the adapters must make a difference"
    before = engine.stats().n_decode_steps
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda one: [s.token_id for s in engine.generate(asked(one))], models * 2))
    assert together == [alone[model] for model in models * 2]
    assert engine.stats().n_decode_steps - before < 4 * 40, "they shared their steps"

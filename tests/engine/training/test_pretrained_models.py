"""Models from zero that are kept: whose they are, how long, what a folder of one is."""

from __future__ import annotations

import io
import json
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from playground.core.files.training_rows import TrainingRow
from playground.engine.contract.pretraining import OBJECTIVES
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import FinetuneRequest, FinetuneSettings, TrainingRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models.configs import check_config
from playground.engine.models.owned import Departures
from playground.engine.models.table import ModelTable
from playground.engine.models.tokenizing import TextTokenizer
from playground.engine.pretraining.shapes import FAMILY_OF
from playground.engine.pretraining.trained import PretrainedModel, PretrainedTable, of_file
from playground.engine.training.pretraining_learner import PretrainingSlot
from playground.errors import ModelGone, NoRoom, TooManyModels
from playground.settings import Settings
from tests.engine.training.zero_runs import zero_run


def model_of(objective: str = "next", seed: int = 1) -> PretrainedModel:
    return PretrainingSlot(zero_run(seed, objective=objective)).snapshot(3, 1)


@pytest.fixture
def table(tiny_settings: Settings) -> PretrainedTable:
    return PretrainedTable(tiny_settings, Departures(0.0), lambda: None)


def test_a_model_goes_some_time_after_its_session(table: PretrainedTable) -> None:
    model_id = table.add(model_of(), "me")
    loaded = table.load(model_id).result()
    assert table.load(model_id).result() is loaded, "made once"
    table.owned.forget_left()
    assert table.get(model_id)
    table.owned._departures.left("me")
    table.owned.forget_left()
    with pytest.raises(ModelGone):
        table.load(model_id)
    assert not table._made


def test_there_are_no_more_than_there_may_be(tiny_settings: Settings) -> None:
    one = model_of()
    most = tiny_settings.model_copy(update={"max_pretrained_bytes": 2 * one.size_bytes})
    table = PretrainedTable(most, Departures(600.0), lambda: None)
    table.add(one, "me")
    table.add(one.named(replace(one.settings, name="again"), 2), "you")  # of an equal run: counted once
    assert table.owned.size_bytes == one.size_bytes
    table.add(model_of(seed=2), "me")
    with pytest.raises(NoRoom):
        table.add(model_of(seed=3), "me")
    few = PretrainedTable(
        tiny_settings.model_copy(update={"max_pretrained_per_session": 1}), Departures(600.0), lambda: None
    )
    few.add(one, "me")
    with pytest.raises(TooManyModels):
        few.add(one, "me")


def test_the_table_of_models_serves_them_as_any_other(
    table: PretrainedTable, tiny_settings: Settings
) -> None:
    models = ModelTable(tiny_settings)
    models.take_in(table)
    model_id = table.add(model_of(), "me")
    assert models.load(model_id).result().info.model_id == model_id
    assert models.state(model_id) == ("ready", None)
    assert models.tokenizer(model_id).encode("ab") == (256, 97, 98)
    assert model_id not in [info.model_id for info in models.infos()], "it is nobody else's"
    table.owned.remove(table.key_of(model_id), "me")
    with pytest.raises(ModelGone):
        models.load(model_id)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_bytes_give_the_same_model_back(objective: str) -> None:
    model = model_of(objective)
    again = of_file(model.file())
    assert (again.settings, again.step, again.run) == (model.settings, 3, 1)
    assert torch.equal(again.numbers, model.numbers)
    assert torch.equal(model.as_random().numbers, model.numbers), "this one has not learned yet"


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_folder_of_one_is_one_that_the_playground_itself_would_take(objective: str, tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(model_of(objective).folder_as_zip())).extractall(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    check_config("a/b", config, frozenset({FAMILY_OF[objective]}))
    tokenizer = TextTokenizer("a/b", tmp_path)
    assert tokenizer.algorithm == "byte-level BPE"
    assert tokenizer.d_vocab == config["vocab_size"]
    assert tokenizer.start_id == (256 if objective == "next" else None)
    assert tokenizer.mask_id == (256 if objective == "masked" else None)
    assert tokenizer.eos_ids == {"next": {256}, "masked": frozenset(), "span": {257}}[objective]
    for text in ("", "가나 <|endoftext|> [MASK]\x00\n", "🙂e\u0301"):
        cut = tokenizer.tokenize(text)
        assert b"".join(cut.token_bytes) == text.encode()


def test_an_adapter_is_trained_on_one_as_on_any_decoder(tiny_engine: LocalEngine) -> None:
    request = zero_run(1, "tunes", n_steps=2)
    tiny_engine.training.runs.start(request)
    base = ended(tiny_engine, request)
    texts = tiny_engine.training.texts(base, [TrainingRow(text=text) for text in ("The cat.", "A dog.")])
    assert texts[0].input_ids[:4] == (256, *b"The")
    tuned = FinetuneRequest(
        FinetuneSettings(base, "cats", n_steps=3, batch_size=2), texts, texts[:1], owner="tunes"
    )
    tiny_engine.training.runs.start(tuned)
    adapter = ended(tiny_engine, tuned)
    assert adapter.startswith(f"{base}+")
    ids = (256, *b"The")
    plain, changed = (
        tiny_engine.trace(TraceRequest(model, input_ids=ids, capture=Capture(logits="last")))
        for model in (base, adapter)
    )
    assert plain.logits is not None
    assert changed.logits is not None
    assert abs(plain.logits - changed.logits).max() > 1e-4


def ended(engine: LocalEngine, request: TrainingRequest) -> str:
    until = time.monotonic() + 300
    while (state := engine.training.runs.state(request.request_id, request.owner)) and not state.adapter:
        assert state.error is None
        assert time.monotonic() < until
        time.sleep(0.01)
    assert state is not None
    return state.adapter

"""Soft prompts and prefixes go to stock peft and come from it; a bottleneck comes back as it went."""

from __future__ import annotations

import dataclasses
import io
import json
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import peft
import pytest
import torch
from safetensors.torch import load, save

from playground.engine import create_engine
from playground.engine.adapters.other_files import TENSOR
from playground.engine.adapters.peft_folder import CONFIG, WEIGHTS
from playground.engine.contract.adapters import Method
from playground.engine.local.engine import LocalEngine
from playground.engine.remote.publishing import Publisher
from playground.errors import AdapterMisfit, AdapterSetting, AdapterShape, BadFile, OtherBase, PlaygroundError
from playground.settings import Settings
from tests import tiny
from tests.engine.adapters.other_ways import by_peft, made
from tests.engine.conftest import oracle
from tests.engine.peft_adapters import IDS, Files, logits, read_by_peft, with_config, zipped

MODELS, VIRTUAL = [tiny.LLAMA, tiny.GPT2], ["prompt", "prefix"]


@pytest.fixture(scope="module")
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    engine = create_engine(tiny_settings.model_copy(update={"max_adapters_per_session": 60}))
    assert isinstance(engine, LocalEngine)
    yield engine
    engine.close()


def files_of(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as folder:
        return {name: folder.read(name) for name in folder.namelist()}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("method", VIRTUAL)
def test_stock_peft_reads_what_goes_out(engine: LocalEngine, method: Method, model: str) -> None:
    adapter = made(engine, model, method)
    theirs = read_by_peft(engine.settings, model, files_of(engine.adapters.exported(adapter, {"a.txt": "b"})))
    np.testing.assert_allclose(logits(engine, adapter), theirs[-len(IDS) :], atol=1e-4)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("method", VIRTUAL)
def test_what_stock_peft_writes_comes_in(
    engine: LocalEngine, tmp_path: Path, method: Method, model: str
) -> None:
    mine = made(engine, model, method, seed=5)
    theirs = by_peft(engine.settings, engine, mine)
    theirs.save_pretrained(tmp_path)
    data = zipped({path.name: path.read_bytes() for path in tmp_path.iterdir()})
    taken = engine.adapters.imported(model, "theirs.zip", data, "me", any_base=True).model_id
    np.testing.assert_array_equal(logits(engine, taken), logits(engine, mine))
    info = engine.adapters.info(taken)
    assert (info.method, info.num_virtual_tokens) == (method, 4)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("method", [*VIRTUAL, "bottleneck"])
def test_out_and_in_again_is_the_same(engine: LocalEngine, method: Method, model: str) -> None:
    adapter = made(engine, model, method, seed=6)
    again = engine.adapters.imported(model, "x.zip", engine.adapters.exported(adapter, {}), "me").model_id
    was, now = engine.adapters.info(adapter), engine.adapters.info(again)
    assert (now.method, now.n_parameters, now.name, now.step) == (
        was.method,
        was.n_parameters,
        was.name,
        was.step,
    )
    np.testing.assert_array_equal(logits(engine, again), logits(engine, adapter))


def test_every_setting_of_peft_is_decided(engine: LocalEngine) -> None:
    """A setting of a later peft that is on is refused by its name."""
    for method, kind in (("prompt", peft.PromptTuningConfig), ("prefix", peft.PrefixTuningConfig)):
        files = files_of(engine.adapters.exported(made(engine, tiny.LLAMA, method), {}))  # type: ignore[arg-type]
        config = kind(task_type="CAUSAL_LM", num_virtual_tokens=4).to_dict()
        config = {name: getattr(value, "value", value) for name, value in config.items()}
        assert set(config) == {one.name for one in dataclasses.fields(kind)}
        whole = with_config(files, **config | {"base_model_name_or_path": tiny.LLAMA})
        engine.adapters.imported(tiny.LLAMA, "x.zip", zipped(whole), "reader")
        with pytest.raises(AdapterSetting, match="swirl"):
            taken(engine, with_config(files, swirl=True))


def taken(engine: LocalEngine, files: Files, model: str = tiny.LLAMA) -> str:
    return engine.adapters.imported(model, "x.zip", zipped(files), "bad").model_id


BAD: list[tuple[dict[str, Any], type[PlaygroundError], str]] = [
    ({"num_virtual_tokens": 0}, AdapterSetting, "num_virtual_tokens: 0"),
    ({"num_virtual_tokens": 5}, AdapterShape, "has the shape 4 × "),
    ({"num_virtual_tokens": float("nan")}, AdapterSetting, "num_virtual_tokens: NaN"),
    ({"num_virtual_tokens": 10**5}, AdapterSetting, "num_virtual_tokens: 100000"),
    ({"num_transformer_submodules": 2}, AdapterSetting, "num_transformer_submodules: 2"),
    ({"task_type": "SEQ_2_SEQ_LM"}, AdapterSetting, "task_type"),
    ({"modules_to_save": ["lm_head"]}, AdapterSetting, "modules_to_save"),
    ({"base_model_name_or_path": "somebody/else"}, OtherBase, "somebody/else"),
]


@pytest.mark.parametrize("method", VIRTUAL)
@pytest.mark.parametrize(("config", "kind", "said"), BAD)
def test_a_setting_that_cannot_be_is_named(
    engine: LocalEngine, method: Method, config: dict[str, Any], kind: type[PlaygroundError], said: str
) -> None:
    files = files_of(engine.adapters.exported(made(engine, tiny.LLAMA, method), {}))
    with pytest.raises(kind, match=said):
        taken(engine, with_config(files, **config))


@pytest.mark.parametrize("method", [*VIRTUAL, "bottleneck"])
def test_numbers_that_are_none_or_do_not_fit_are_refused(engine: LocalEngine, method: Method) -> None:
    files = files_of(engine.adapters.exported(made(engine, tiny.LLAMA, method), {}))
    tensors = load(files[WEIGHTS])
    name = next(iter(tensors))
    with pytest.raises(BadFile, match="not all numbers"):
        taken(engine, {**files, WEIGHTS: save({**tensors, name: torch.full_like(tensors[name], torch.nan)})})
    with pytest.raises(AdapterMisfit, match="is missing"):
        taken(engine, {**files, WEIGHTS: save({key: one for key, one in tensors.items() if key != name})})
    with pytest.raises(AdapterMisfit, match="more"):
        taken(engine, {**files, WEIGHTS: save({**tensors, "more": torch.ones(1)})})
    with pytest.raises(AdapterShape):
        taken(engine, {**files, WEIGHTS: save({**tensors, name: tensors[name][:, :-1].contiguous()})})
    with pytest.raises((BadFile, OtherBase)):
        taken(engine, files, tiny.GPT2)


def test_a_prefix_of_other_heads_is_named(engine: LocalEngine) -> None:
    files = files_of(engine.adapters.exported(made(engine, tiny.LLAMA, "prefix"), {}))
    assert json.loads(files[CONFIG])["peft_type"] == "PREFIX_TUNING"
    assert list(load(files[WEIGHTS])) == [TENSOR]
    with pytest.raises(AdapterSetting, match="num_layers: 1"):
        taken(engine, with_config(files, num_layers=1))
    assert oracle(engine.settings, tiny.LLAMA).config.num_hidden_layers != 1


@pytest.mark.parametrize("method", [*VIRTUAL, "bottleneck"])
def test_another_replica_takes_it_in_as_it_is(
    engine: LocalEngine, tiny_settings: Settings, method: Method
) -> None:
    adapter = made(engine, tiny.LLAMA, method, seed=7)
    published = Publisher(engine).published(adapter)
    assert published is not None
    other = create_engine(tiny_settings)
    assert isinstance(other, LocalEngine)
    try:
        Publisher(other).adopt(pickle.loads(pickle.dumps(published)))
        np.testing.assert_array_equal(logits(other, adapter), logits(engine, adapter))
        assert other.adapters.info(adapter) == engine.adapters.info(adapter)
    finally:
        other.close()

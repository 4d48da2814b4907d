"""Adapters go to stock peft and come from it."""

from __future__ import annotations

import copy
import io
import json
import pickle
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import peft
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save

from playground.engine import create_engine
from playground.engine.adapters import peft_files
from playground.engine.local.engine import LocalEngine
from playground.errors import AdapterShape, BadFile, BadValue, Message, OtherBase
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import oracle, same_to_rounding
from tests.engine.peft_adapters import IDS, logits, read_by_peft, with_config, written_by_peft, zipped
from tests.engine.training.learning import run_of, wait


@pytest.fixture(scope="module")
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    made = create_engine(tiny_settings.model_copy(update={"max_adapters_per_session": 40}))
    assert isinstance(made, LocalEngine)
    request = run_of(1, owner="mutated")
    made.training.runs.start(request)
    wait(made, request)
    yield made
    made.close()


def trained(engine: LocalEngine, model: str = tiny.LLAMA, **changes: Any) -> str:
    request = run_of(1, model, owner="me", **changes)
    engine.training.runs.start(request)
    return wait(engine, request).adapter


def unpacked(data: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        zipped.extractall(folder)
    return folder


def files_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as folder:
        return {name: folder.read(name) for name in folder.namelist()}


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        (tiny.LLAMA, {}),
        (tiny.GPT2, {}),
        (tiny.LLAMA, {"r": 1, "lora_alpha": 3.0}),
        (tiny.LLAMA, {"method": "last_block", "learning_rate": 1e-3}),
    ],
)
def test_stock_peft_loads_what_is_exported(
    engine: LocalEngine, tmp_path: Path, model: str, changes: dict[str, Any]
) -> None:
    adapter = trained(engine, model, **changes)
    folder = unpacked(engine.adapters.exported(adapter, {"run.json": "{}"}), tmp_path)
    base = copy.deepcopy(oracle(engine._settings, model))
    theirs = peft.PeftModel.from_pretrained(base, folder).eval()
    with torch.no_grad():
        expected = theirs(torch.tensor([IDS])).logits[0].numpy()
    np.testing.assert_allclose(logits(engine, adapter), expected, atol=1e-4)
    assert np.abs(logits(engine, adapter) - logits(engine, model)).max() > 1e-3
    assert (folder / "run.json").read_text() == "{}"


@pytest.mark.parametrize("pattern", [False, True])
def test_an_adapter_trained_elsewhere_loads_here(engine: LocalEngine, tmp_path: Path, pattern: bool) -> None:
    config = peft.LoraConfig(
        r=3, lora_alpha=5, target_modules=["q_proj", "up_proj"],
        rank_pattern={"up_proj": 2} if pattern else {}, alpha_pattern={"up_proj": 7} if pattern else {},
    )  # fmt: skip
    model = peft.get_peft_model(copy.deepcopy(oracle(engine._settings, tiny.LLAMA)), config)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in (one for name, one in model.named_parameters() if "lora_" in name):
            parameter.normal_(std=0.1, generator=generator)
    model.save_pretrained(tmp_path)
    with torch.no_grad():
        expected = model.eval()(torch.tensor([IDS])).logits[0].numpy()
    data = zipped({f"my adapter/{path.name}": path.read_bytes() for path in tmp_path.iterdir()})
    adapter = engine.adapters.imported(tiny.LLAMA, "my adapter.zip", data, "me").model_id
    np.testing.assert_allclose(logits(engine, adapter), expected, atol=1e-4)
    assert engine.adapters.of("me")[-1].name == "my adapter"


def test_export_and_import_is_a_round_trip(engine: LocalEngine) -> None:
    adapter = trained(engine)
    again = engine.adapters.imported(
        tiny.LLAMA, "x.zip", engine.adapters.exported(adapter, {}), "me"
    ).model_id
    was, now = engine.adapters.get(adapter), engine.adapters.get(again)
    assert now.lora == was.lora
    np.testing.assert_allclose(logits(engine, again), logits(engine, adapter), atol=1e-5)


def test_an_adapter_of_some_layers_goes_out_as_it_came_in(engine: LocalEngine) -> None:
    """The file must not name layers that it has no weights for."""
    files = written_by_peft(
        engine._settings, tiny.LLAMA, target_modules=["q_proj", "up_proj"], layers_to_transform=[0, 2], r=2,
        rank_pattern={"up_proj": 70}, alpha_pattern={"up_proj": 3}, lora_alpha=5, use_rslora=True,
    )  # fmt: skip
    first = engine.adapters.imported(tiny.LLAMA, "x.zip", zipped(files), "me").model_id
    exported = files_of(engine.adapters.exported(first, {}))
    theirs = read_by_peft(engine._settings, tiny.LLAMA, exported)
    same_to_rounding(theirs, read_by_peft(engine._settings, tiny.LLAMA, files))
    second = engine.adapters.imported(tiny.LLAMA, "x.zip", zipped(exported), "me").model_id
    same_to_rounding(logits(engine, second), theirs)
    for one in (first, second):
        engine.adapters.remove(one, "me")


@pytest.mark.parametrize(
    ("base", "is_known"),
    [
        (r"C:\work\llama", True), ("/home/x/models--tiny--llama/snapshots/0a1b2c", True),
        ("tiny/llama", True), ("Tiny/LLAMA", True), ("llama", True), ("/work/llama/", True),
        ("../tiny--llama", True),
        ("D:\\hub\\models--tiny--llama\\snapshots\\0a1b\\", True), ("someone/llama", True),
        ("tiny/gpt2", False), ("llama-2", False), ("/home/x/llama/checkpoint-10", False), ("", False),
        (None, False), ("/x/models--tiny--gpt2/snapshots/llama", False), ("0a1b2c", False), ("/", False),
    ],
)  # fmt: skip
def test_a_base_is_known_by_its_own_name_else_the_reader_is_asked(
    engine: LocalEngine, base: str | None, is_known: bool
) -> None:
    files = written_by_peft(engine._settings, tiny.LLAMA, target_modules=["q_proj"], r=2)
    data = zipped(with_config(files, base_model_name_or_path=base))
    before = len(engine.adapters.of("asked"))
    if not is_known:
        with pytest.raises(OtherBase) as asked:
            engine.adapters.imported(tiny.LLAMA, "x.zip", data, "asked")
        assert asked.value.params == {"base": base or Message("no model"), "model": tiny.LLAMA}
        assert len(engine.adapters.of("asked")) == before
    made = engine.adapters.imported(tiny.LLAMA, "x.zip", data, "asked", any_base=not is_known).model_id
    same_to_rounding(logits(engine, made), read_by_peft(engine._settings, tiny.LLAMA, files))
    engine.adapters.remove(made, "asked")


@pytest.mark.parametrize("any_base", [False, True])
def test_a_base_of_other_shapes_is_refused_by_both_names_and_never_asked_about(
    engine: LocalEngine, any_base: bool
) -> None:
    files = written_by_peft(engine._settings, tiny.LLAMA, target_modules=["q_proj"], r=2)
    shapes = {"A": (2, 48), "B": (48, 2)}
    tensors = {
        name: torch.zeros(shapes["A" if "lora_A" in name else "B"])
        for name in load(files[peft_files.WEIGHTS])
    }
    changed = with_config(files, base_model_name_or_path="org/other")
    data = zipped({**changed, peft_files.WEIGHTS: save(tensors)})
    with pytest.raises(AdapterShape, match=r"tiny/llama.*2 × 48.*2 × 64.*org/other"):
        engine.adapters.imported(tiny.LLAMA, "x.zip", data, "me", any_base=any_base)


def test_the_sum_of_two_adapters_is_the_sum_of_their_changes(engine: LocalEngine) -> None:
    first, second = trained(engine), trained(engine, r=2, target_modules=("q_proj", "o_proj"))
    both = engine.adapters.added(first, second, "me")
    base = copy.deepcopy(oracle(engine._settings, tiny.LLAMA))
    for model_id in (first, second):
        adapter = engine.adapters.get(model_id)
        for path, change in adapter.changes.items():
            base.get_submodule(path).weight.data += adapter.scaling * change.delta()
    with torch.no_grad():
        expected = base(torch.tensor([IDS])).logits[0].numpy()
    np.testing.assert_allclose(logits(engine, both), expected, atol=1e-4)
    with pytest.raises(BadValue):
        engine.adapters.added(first, trained(engine, tiny.GPT2), "me")


def test_a_zip_that_is_no_adapter_for_this_model_is_refused(engine: LocalEngine) -> None:
    good = files_of(engine.adapters.exported(trained(engine), {}))
    config = json.loads(good[peft_files.CONFIG])
    tensors = load(good[peft_files.WEIGHTS])
    first = next(iter(tensors))

    def changed(**values: Any) -> bytes:
        return zipped(good | {peft_files.CONFIG: json.dumps(config | values).encode()})

    def weights(**values: torch.Tensor) -> bytes:
        return zipped(good | {peft_files.WEIGHTS: save({**tensors, **values})})

    nan = {first: torch.full_like(tensors[first], torch.nan)}
    hostile = {
        "other shapes": weights(**{first: torch.zeros(4, 3)}),
        "no such layer": weights(**{"base_model.model.nothing.lora_A.weight": torch.zeros(1)}),
        "half a layer": zipped(good | {peft_files.WEIGHTS: save({first: tensors[first]})}),
        "no numbers": zipped(good | {peft_files.WEIGHTS: save(tensors | nan)}),
        "another kind": changed(peft_type="PREFIX_TUNING"),
        "a variant": changed(use_dora=True),
        "a bias": changed(bias="all"),
        "alpha of text": changed(lora_alpha="ten"),
        "alpha of 400 digits": zipped(
            good | {peft_files.CONFIG: json.dumps(config).replace("8.0", "9" * 400, 1).encode()}
        ),
        "alpha NaN": changed(lora_alpha=float("nan")),
        "complex": weights(**{first: torch.zeros_like(tensors[first], dtype=torch.complex64)}),
        "rank of 4,000": weights(
            **{
                name: torch.zeros(4000, one.shape[1]) if "lora_A" in name else torch.zeros(one.shape[0], 4000)
                for name, one in tensors.items()
            }
        ),
        "config no object": zipped(good | {peft_files.CONFIG: b"[]"}),
        "config no JSON": zipped(good | {peft_files.CONFIG: b"{"}),
        "weights no safetensors": zipped(good | {peft_files.WEIGHTS: b"x" * 100}),
        "pickle": zipped({peft_files.CONFIG: good[peft_files.CONFIG], "adapter_model.bin": pickle.dumps({})}),
        "nothing": zipped({}),
        "no zip": b"hello",
        "cut": zipped(good)[:-40],
    }
    before = len(engine.adapters.of("me"))
    for data in hostile.values():
        with pytest.raises(BadFile):
            engine.adapters.imported(tiny.LLAMA, "x.zip", data, "me")
    assert len(engine.adapters.of("me")) == before


def test_a_zip_that_grows_is_refused_before_it_is_unpacked(engine: LocalEngine) -> None:
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as folder:
            folder.writestr(peft_files.CONFIG, "{}")
            folder.writestr(peft_files.WEIGHTS, bytes(engine._settings.max_adapter_file_bytes + 1))
        data = file.getvalue()
    assert len(data) < 2**20
    with pytest.raises(BadFile, match="too large"):
        engine.adapters.imported(tiny.LLAMA, "x.zip", data, "me")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_zip_with_wrong_bytes_is_refused_or_read(engine: LocalEngine, data: st.DataObject) -> None:
    good = bytearray(engine.adapters.exported(engine.adapters.of("mutated")[0].model_id, {}))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadFile, OtherBase):
        made = engine.adapters.imported(
            tiny.LLAMA, data.draw(st.text(max_size=20)), bytes(good), "reader"
        ).model_id
        assert all(change.is_finite() for change in engine.adapters.get(made).changes.values())
        engine.adapters.remove(made, "reader")


@pytest.mark.parametrize(
    "shape", ["[9223372036854775808, 0]", "[1e3]", "[-1]", "[true]", "9", "[" * 900 + "]" * 900]
)
def test_a_shape_that_cannot_be_is_a_sentence(shape: str) -> None:
    head = f'{{"a": {{"dtype": "F32", "shape": {shape}, "data_offsets": [0, 0]}}}}'.encode()
    with pytest.raises(BadFile, match="not a safetensors"):
        peft_files._tensors(len(head).to_bytes(8, "little") + head, 2**26)


def test_a_head_of_very_many_tensors_is_refused_unread() -> None:
    """Packed it is small: 1 MB of a zip took 8 s and 1 GB."""
    entry = '"t%d": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}'
    head = ("{" + ", ".join(entry % number for number in range(400_000)) + "}").encode()
    begin = time.process_time()
    with pytest.raises(BadFile, match="too large"):
        peft_files._tensors(len(head).to_bytes(8, "little") + head, 2**26)
    assert time.process_time() - begin < 1

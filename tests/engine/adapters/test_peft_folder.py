"""Which files of a zip are the adapter, and that nothing else of it costs anything."""

from __future__ import annotations

import json
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engine.adapters.peft_folder import CARD, CONFIG, PICKLED, SCRIPT, WEIGHTS, unpacked
from playground.engine.local.engine import LocalEngine
from playground.errors import BadFile, TwoAdapters
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import same_to_rounding
from tests.engine.peft_adapters import logits, read_by_peft, with_config, written_by_peft, zipped

LIMITS = Settings(max_adapter_files=30, max_adapter_file_bytes=1000)
OF_TRAINING = ("training_args.bin", "optimizer.pt", "rng_state.pth", "scheduler.pt", "README.md", "a.pkl")


def adapter(folder: str, text: str = "x", *, card: bool = False) -> dict[str, bytes]:
    """An adapter's files in a folder; `text` tells it from others."""
    files = {CONFIG: text.encode(), WEIGHTS: f"weights of {text}".encode()}
    if card:
        files[CARD] = f"card of {text}".encode()
    return {f"{folder}{name}": data for name, data in files.items()}


def test_of_a_training_folder_the_top_adapter_is_taken_and_the_rest_named(tiny_engine: LocalEngine) -> None:
    settings = tiny_engine._settings
    top = written_by_peft(settings, tiny.LLAMA, seed=1, target_modules=["q_proj"], r=2)
    earlier = written_by_peft(settings, tiny.LLAMA, seed=2, target_modules=["q_proj"], r=2)
    files = {f"out/checkpoint-10/{name}": data for name, data in earlier.items()}
    files |= {f"out/{name}": pickle.dumps({}) for name in OF_TRAINING}
    files |= {f"out/{name}": data for name, data in with_config(top, base_model_name_or_path="llama").items()}
    taken = tiny_engine.adapters.imported(tiny.LLAMA, "out.zip", zipped(files), "me")
    same_to_rounding(logits(tiny_engine, taken.model_id), read_by_peft(settings, tiny.LLAMA, top))
    assert set(taken.ignored) == files.keys() - {f"out/{CONFIG}", f"out/{WEIGHTS}"}
    tiny_engine.adapters.remove(taken.model_id, "me")


def test_a_file_without_a_name_is_a_sentence() -> None:
    whole = zipped({CONFIG: b"{}", WEIGHTS: b"", "xy": b""})
    with pytest.raises(BadFile, match="not a zip"):
        unpacked(whole.replace(b"xy", b"\0y"), Settings())  # a name ends before its first zero


@pytest.mark.parametrize("name", [b"..", b"//", b"/."])
def test_a_file_whose_name_leads_nowhere_is_ignored(name: bytes) -> None:
    whole = zipped({CONFIG: b"{}", WEIGHTS: b"", "xy": b""})
    assert unpacked(whole.replace(b"xy", name), Settings()).config == b"{}"


@given(
    folders=st.sets(
        st.lists(st.sampled_from(["a", "b", "checkpoint-1"]), max_size=3).map("/".join),
        min_size=1,
        max_size=9,
    ),
    windows=st.booleans(),
)
def test_the_adapter_with_the_fewest_folders_above_is_taken(folders: set[str], windows: bool) -> None:
    files: dict[str, bytes] = {}
    for folder in folders:
        files |= adapter(f"{folder}/" if folder else "", folder or "top", card=True)
    if windows:
        files = {name.replace("/", "\\"): data for name, data in files.items()}
    depth = {folder: len(PurePosixPath(folder).parts) for folder in folders}
    nearest = [folder for folder in folders if depth[folder] == min(depth.values())]
    if len(nearest) > 1:
        with pytest.raises(TwoAdapters) as asked:
            unpacked(zipped(files), LIMITS)
        assert {asked.value.params["first"], asked.value.params["second"]} <= set(nearest)
        return
    found = unpacked(zipped(files), LIMITS)
    text = nearest[0] or "top"
    assert (found.config, found.card) == (text.encode(), f"card of {text}".encode())
    assert found.weights == f"weights of {text}".encode()
    assert len(found.ignored) == 3 * (len(folders) - 1)


def test_weights_that_are_there_only_as_a_pickle_are_refused() -> None:
    pickled = {CONFIG: b"{}", PICKLED: pickle.dumps({})}
    for files in (pickled, pickled | adapter("checkpoint-10/"), {PICKLED: b""}):
        with pytest.raises(BadFile, match="pickled"):
            unpacked(zipped(files), LIMITS)
    beside = unpacked(zipped(pickled | adapter("")), LIMITS)
    assert beside.ignored == (PICKLED,)


def test_a_folder_without_an_adapter_is_no_candidate() -> None:
    found = unpacked(zipped({CONFIG: b"of nothing"} | adapter("last/", "last")), LIMITS)
    assert found.config == b"last"
    assert found.ignored == (CONFIG,)
    for files in ({}, {"inner.zip": zipped(adapter(""))}, {CONFIG: b"{}", f"a/{WEIGHTS}": b""}):
        with pytest.raises(BadFile, match=r"no adapter_config\.json"):
            unpacked(zipped(files), LIMITS)


@pytest.mark.parametrize("folder", ["../../", "/etc/", "C:\\", "a/../../b/"])
def test_names_that_lead_elsewhere_lead_nowhere(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert unpacked(zipped(adapter(folder, "it")), LIMITS).config == b"it"
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["a", "b"]


def test_what_is_ignored_is_not_unpacked_and_what_is_used_is_bounded() -> None:
    bomb = bytes(2**22)
    beside = zipped(adapter("") | {"checkpoint-1/optimizer.pt": bomb}, zipfile.ZIP_DEFLATED)
    assert unpacked(beside, LIMITS).ignored == ("checkpoint-1/optimizer.pt",)
    for name in (CONFIG, WEIGHTS):
        with pytest.raises(BadFile, match="too large"):
            unpacked(zipped(adapter("") | {name: bomb}, zipfile.ZIP_DEFLATED), LIMITS)
    card = zipped(adapter("") | {CARD: bomb}, zipfile.ZIP_DEFLATED)
    assert unpacked(card, LIMITS).ignored == (CARD,)


def test_a_size_that_lies_is_found_out() -> None:
    data = bytearray(zipped(adapter("") | {WEIGHTS: bytes(2**20)}, zipfile.ZIP_DEFLATED))
    for place in range(len(data) - 4):
        if data[place : place + 4] == (2**20).to_bytes(4, "little"):
            data[place : place + 4] = (100).to_bytes(4, "little")
    with pytest.raises(BadFile, match="not a zip file that can be unpacked"):
        unpacked(bytes(data), LIMITS)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_cannot_be_read_in_part_is_refused_unread(
    compression: int,
) -> None:
    """Python unpacks these whole before it looks at the size: 4 kB can be 100 MB."""
    data = zipped(adapter(""), compression)
    with pytest.raises(BadFile, match="packed in an unusual way"):
        unpacked(data, LIMITS)


def test_an_encrypted_adapter_is_refused_as_what_it_is() -> None:
    data = bytearray(zipped(adapter("")))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + offset] |= 1
            place = data.find(mark, place + 1)
    with pytest.raises(BadFile, match="encrypted"):
        unpacked(bytes(data), LIMITS)


def test_a_zip_of_very_many_files_is_refused_before_they_are_listed() -> None:
    files = adapter("") | {f"{number}": b"" for number in range(28)}
    assert len(unpacked(zipped(files), LIMITS).ignored) == 28
    with pytest.raises(BadFile, match="too many files"):
        unpacked(zipped(files | {"one more": b""}), LIMITS)


@given(data=st.binary(max_size=300))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    with pytest.raises(BadFile):
        unpacked(data, LIMITS)


def test_the_run_card_beside_an_own_adapter_names_it(tiny_engine: LocalEngine) -> None:
    settings = tiny_engine._settings
    files = written_by_peft(settings, tiny.LLAMA, target_modules=["q_proj", "v_proj"], r=8, lora_alpha=16)
    files = with_config(files, base_model_name_or_path=tiny.LLAMA)

    def told(card: object) -> tuple[str, int]:
        data = card if isinstance(card, bytes) else json.dumps(card).encode()
        taken = tiny_engine.adapters.imported(
            tiny.LLAMA, "of the file.zip", zipped({**files, CARD: data}), "me"
        )
        [info] = [one for one in tiny_engine.adapters.of("me") if one.model_id == taken.model_id]
        assert (info.lora.r, info.lora.lora_alpha, info.lora.target_modules) == (
            8,
            16.0,
            ("q_proj", "v_proj"),
        )
        assert taken.ignored == ()
        tiny_engine.adapters.remove(taken.model_id, "me")
        return info.name, info.step

    assert told({"settings": {"name": "Talk like a pirate"}, "adapter_step": 24}) == (
        "Talk like a pirate",
        24,
    )
    for bad in (
        b"", b"\xff", b"[" * 9999, [], {"settings": []}, {"settings": {"name": 7}, "adapter_step": 1},
        {"settings": {"name": "x"}, "adapter_step": -1}, {"settings": {"name": "x"}, "adapter_step": True},
    ):  # fmt: skip
        assert told(bad) == ("of the file", 0)
    name, _step = told({"settings": {"name": "a\ud800\x00" + "b" * 999}, "adapter_step": 1})
    assert name.startswith("ab")
    assert len(name) <= 80
    name.encode()


def test_an_own_adapter_comes_back_as_it_left(tiny_engine: LocalEngine) -> None:
    """Also one that came as a file, or out of two: it has no run, and so no run card of a page."""
    files = written_by_peft(
        tiny_engine._settings, tiny.LLAMA, target_modules=["q_proj", "v_proj"], r=8, lora_alpha=16
    )
    card = {"settings": {"name": "Talk like a pirate"}, "adapter_step": 24}
    files = {**with_config(files, base_model_name_or_path=tiny.LLAMA), CARD: json.dumps(card).encode()}
    first = tiny_engine.adapters.imported(
        tiny.LLAMA, "first.zip", zipped({**files, SCRIPT: b"print()"}), "me"
    )
    assert first.ignored == ()
    added = tiny_engine.adapters.added(first.model_id, first.model_id, "me")
    known = {info.model_id: info for info in tiny_engine.adapters.of("me")}
    for model_id in (first.model_id, added):
        again = tiny_engine.adapters.imported(
            tiny.LLAMA, "again.zip", tiny_engine.adapters.exported(model_id, {}), "me"
        )
        assert again.ignored == ()
        [back] = [one for one in tiny_engine.adapters.of("me") if one.model_id == again.model_id]
        left = known[model_id]
        assert replace(back, model_id=left.model_id) == replace(left, method="lora")
        tiny_engine.adapters.remove(again.model_id, "me")
    beside = unpacked(zipped({**adapter(""), SCRIPT: b"print()"}), LIMITS)
    assert beside.ignored == (SCRIPT,), "a stranger's script is named"
    for model_id in known:
        tiny_engine.adapters.remove(model_id, "me")

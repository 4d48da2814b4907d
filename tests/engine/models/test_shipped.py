"""Shipped models are read where they lie; set-up writes nothing for them, and damage is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from playground.engine.models.catalogue import catalogue
from playground.engine.models.loading import load, locate, model_info, pull
from playground.engine.models.shipped import SHIPPED, shipped_folder
from playground.engine.models.whole_folder import sha256_of
from playground.errors import ModelDamaged
from playground.settings import DATES_MODEL, Settings
from tests.engine.models.wheels import below, silent
from tests.server.command import invoke, one_sentence


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the dates model in a copy of the assets, which a test may damage."""
    shutil.copytree(shipped_folder(DATES_MODEL), tmp_path / "assets" / "trained" / "dates-t5")
    monkeypatch.setattr("playground.engine.models.shipped.site_root", lambda: tmp_path)
    return shipped_folder(DATES_MODEL)


@pytest.mark.parametrize("model_id", SHIPPED)
def test_a_shipped_model_is_there_without_set_up(empty_settings: Settings, model_id: str) -> None:
    entry = catalogue(empty_settings)[model_id]
    folder = locate(entry, empty_settings)
    assert folder == pull(entry, empty_settings, silent) == shipped_folder(model_id)
    info = model_info(entry, empty_settings)
    assert (info.state, info.revision) == ("waiting", sha256_of(folder / "model.safetensors"))
    loaded = load(entry, empty_settings, silent)
    assert loaded.info.n_parameters * 4 < entry.size_bytes
    assert below(empty_settings) == set(), "nothing is written"


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_damaged_one_is_told_and_left_as_it_is(copied: Path, empty_settings: Settings, name: str) -> None:
    content = (copied / name).read_bytes()
    (copied / name).write_bytes(content[:-1])
    entry = catalogue(empty_settings)[DATES_MODEL]
    assert locate(entry, empty_settings) is None
    assert model_info(entry, empty_settings).state == "absent"
    for bring in (pull, load):
        with pytest.raises(ModelDamaged, match="Install the playground again"):
            bring(entry, empty_settings, silent)
    assert (copied / name).read_bytes() == content[:-1]


def test_a_changed_byte_of_the_weights_is_found_by_pull_and_nothing_is_thrown_away(
    copied: Path, empty_settings: Settings
) -> None:
    weights = copied / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    result = invoke("pull", DATES_MODEL, PLAYGROUND_CACHE_DIR=str(empty_settings.cache_dir))
    assert "Install the playground again." in one_sentence(result)
    assert weights.read_bytes() == content

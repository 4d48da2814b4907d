"""The script trains networks on pairs, always the same, and what is shipped is what its note says."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from playground.engine.contract.networks import LengthCount, NetworkInfo, UnrollRequest
from playground.engine.contract.pairs import PairSettings, pairs_request
from playground.engine.local.engine import LocalEngine
from playground.engine.models import whole_folder
from playground.engine.models.shipped import trained_assets
from playground.engine.recurrent.trained import SHIPPED, WEIGHTS, of_file, shipped
from playground.engine.recurrent.writing import n_right
from playground.trained import pairs
from playground.trained.scripts import SCRIPTS

MAX_BYTES = 10**6
MARGIN = 2  # pairs: another processor rounds otherwise


@pytest.fixture(params=SHIPPED)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def note(name: str) -> dict[str, Any]:
    return dict(json.loads((trained_assets() / name / whole_folder.METADATA).read_text("utf-8")))


def losses(settings: PairSettings, n_steps: int) -> list[float]:
    asked = replace(settings, n_steps=n_steps)
    return [loss for _network, loss in pairs.trained(pairs_request(asked, ""), every=1)]


def test_every_byte_of_a_shipped_network_is_in_its_note(name: str) -> None:
    folder, said = trained_assets() / name, note(name)
    assert whole_folder.damage(folder) == ""
    assert {path.name for path in folder.iterdir()} == {WEIGHTS, whole_folder.METADATA}
    assert said["revision"] == whole_folder.sha256_of(folder / WEIGHTS)
    assert (folder / WEIGHTS).stat().st_size <= MAX_BYTES
    assert said["source"] == f"python -m playground.trained {name}"
    assert name in SCRIPTS


def test_a_shipped_network_was_trained_as_its_script_says(name: str) -> None:
    network = shipped(name)
    assert network.settings == pairs.RECIPES[name]
    assert network.step == network.settings.n_steps
    request = pairs_request(network.settings, "")
    assert (network.source_characters, network.target_characters) == (
        request.source_characters,
        request.target_characters,
    )


def test_a_shipped_network_writes_as_many_held_out_pairs_as_its_note_says(name: str) -> None:
    network = shipped(name)
    held_out = pairs_request(network.settings, "").held_out
    with torch.no_grad():
        right = n_right(network.network, held_out)
    assert right == pytest.approx(note(name)["figures"]["held_out_exact"] * len(held_out), abs=MARGIN)
    for said in (network.exact[2], network.exact[len(network.exact) // 2]):
        found = pairs.counted(network, said.length)
        assert found.n_asked == said.n_asked
        assert found.n_right == pytest.approx(said.n_right, abs=MARGIN)


def test_a_short_training_learns_and_is_the_same_again(name: str) -> None:
    settings = pairs.RECIPES[name]
    once = losses(settings, 12)
    assert sum(once[-3:]) < sum(once[:3])
    assert losses(settings, 2) == losses(settings, 2) == once[:2] != losses(replace(settings, seed=1), 2)


def test_the_script_writes_a_whole_network_and_its_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = replace(pairs.RECIPES["reverse-gru-none"], n_steps=2)
    monkeypatch.setattr(pairs, "RECIPES", {"reverse-gru-none": short})
    monkeypatch.setattr(pairs, "N_EACH", 2)
    said: list[str] = []
    SCRIPTS["reverse-gru-none"](tmp_path, said.append)
    made = of_file((tmp_path / "reverse-gru-none" / WEIGHTS).read_bytes())
    assert (made.settings, made.step) == (short, 2)
    assert [one.length for one in made.exact] == [*range(2, 41, 2)]
    assert whole_folder.damage(tmp_path / "reverse-gru-none") == ""
    assert said[-1].startswith("reverse-gru-none: ")


def by_length(name: str) -> dict[int, LengthCount]:
    return {one.length: one for one in shipped(name).exact}


def test_one_vector_forgets_long_words_and_attention_does_not() -> None:
    """The claim of the page's first picture, at lengths that both were trained on."""
    without, attending = by_length("reverse-gru-none"), by_length("reverse-gru-additive")
    assert without[4].n_right > without[10].n_right > without[16].n_right
    for length in (10, 12, 14, 16):
        assert attending[length].n_right > without[length].n_right + 40
    assert attending[40].n_right < 10, "neither was trained that far"


def test_dates_are_written_exactly_in_both_languages() -> None:
    assert note("dates-gru-additive")["figures"]["held_out_exact"] >= 0.95
    assert note("dates-transformer-dot")["figures"]["held_out_exact"] >= 0.95


def test_the_alignment_of_an_english_date_crosses(tiny_engine: LocalEngine) -> None:
    """Day, month and year are written in another order than they are read."""
    source = "3 May 2026"
    told = tiny_engine.networks.unroll(UnrollRequest("dates-gru-additive", source=source))
    info = tiny_engine.networks.info("dates-gru-additive")
    assert info.target.text(told.output_ids.tolist()) == "2026-05-03"
    assert told.weights is not None
    places = told.weights.argmax(1)
    year, month, day = places[2:4].mean(), places[5:7].mean(), places[8:10].mean()
    assert year > month > day


def test_shipped_networks_are_there_at_once_and_belong_to_everybody(tiny_engine: LocalEngine) -> None:
    shipped.cache_clear()
    started = time.process_time()
    infos = tiny_engine.networks.shipped()
    assert time.process_time() - started < 1
    assert [one.network_id for one in infos] == [*SHIPPED]
    for info in infos:
        assert isinstance(info, NetworkInfo)
        assert info.is_shipped
        assert tiny_engine.networks.belongs(info.network_id, "anybody")
        tiny_engine.networks.remove(info.network_id, "anybody")
        assert tiny_engine.networks.info(info.network_id) == info


def test_a_file_gives_the_same_network_back(name: str) -> None:
    network = shipped(name)
    again = of_file(network.file())
    assert asdict(again.settings) == asdict(network.settings)
    assert all(torch.equal(value, again.values[key]) for key, value in network.values.items())

"""The shipped points of the ways to adapt: counted by hand, and a short version gives what it must."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.core.adapting import FILE, FOLDER, RATES, SIZE, WAYS, n_trained, relative_times, shipped
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.models import whole_folder
from playground.engine.models.shipped import trained_assets
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained import adapters as script
from playground.trained.scripts import SCRIPTS
from tests import tiny
from tests.engine.adapters.other_ways import made
from tests.engine.training.learning import texts


def test_the_note_has_the_figures_of_every_way() -> None:
    folder = trained_assets() / FOLDER
    said = json.loads((folder / whole_folder.METADATA).read_text("utf-8"))
    assert said["revision"] == said["files"][FILE]["sha256"] == whole_folder.sha256_of(folder / FILE)
    assert (said["script"], said["seed"]) == (script.__name__, script.SEED)
    assert {FOLDER, "adapter-times"} <= set(SCRIPTS)
    told = shipped()
    assert told.model_id == DEFAULT_DECODER
    assert {one.method for one in told.points} == set(WAYS)
    for one in told.points:
        assert said["figures"][f"{one.method}_held_out"] == one.held_out < told.base
        assert one.learning_rate == RATES[one.method]
        shapes = [(576, 576), (192, 576)] * 30  # queries and values of 30 blocks
        if one.method == "last_block":
            shapes = [(576, 576), (192, 576), (192, 576), (576, 576), (1536, 576), (1536, 576), (576, 1536)]
        sizes = {"n_layer": 30, "d_model": 576, "d_keys": 192, "shapes": shapes}
        assert one.n_trained == n_trained(one.method, one.size, **sizes)
        assert one.size == (0 if one.method == "last_block" else SIZE)


def test_the_times_are_of_every_way_and_the_base_in_every_round() -> None:
    told = shipped()
    assert set(told.times) == {"base", *WAYS}
    assert {len(each) for each in told.times.values()} == {script.N_ROUNDS}
    known = relative_times(told.times)
    for one in told.points:
        assert one.token_s == known[one.method][0] > 0.9


@pytest.fixture(scope="module")
def engine(tiny_settings: Settings) -> Iterator[Engine]:
    engine = create_engine(tiny_settings)
    yield engine
    engine.close()


def test_a_short_version_trains_and_times_every_way(engine: Engine) -> None:
    train, held_out = texts(8, 1), texts(3, 2)
    base, models = None, {}
    for method in WAYS:
        own, point = script.trained(engine, method, train, held_out, model=tiny.LLAMA, n_steps=4, size=2)
        base = base or own
        assert own is None or own == pytest.approx(base)
        assert point.first != point.held_out
        assert 0 < point.step <= 4
        models[method] = made(engine, tiny.LLAMA, method, owner=f"timed {method}")  # type: ignore[arg-type]
    said: list[str] = []
    found = script.timed(engine, models, 2, said.append, model=tiny.LLAMA)
    assert set(found) == {"base", *WAYS}
    assert all(len(each) == 2 and min(each) > 0 for each in found.values())
    assert [line.partition(":")[0] for line in said] == ["round 1", "round 2"]


def test_what_is_there_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script goes on where it was stopped."""
    told = shipped()
    script._write(tmp_path, told)
    assert script._known(tmp_path, told.model_id, told.revision) == told
    assert script._known(tmp_path, told.model_id, "another").points == ()
    assert script._known(tmp_path / "none", told.model_id, told.revision).times == {}

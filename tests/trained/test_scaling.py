"""The shipped runs of the scaling laws: what their note says is true, and their script trains them again."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from playground.core.pretraining import count_bits, parts
from playground.core.scaling_runs import AXES, FILE, FOLDER, MODELS_FILE, held_out_costs, points, shipped
from playground.core.scaling_text import held_out_text, whole_text
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.scaling_runs import (
    BATCH_SIZE,
    BETWEEN,
    N_STEPS,
    SHAPES,
    WINDOW,
    part_of,
    scaling_request,
)
from playground.engine.models import whole_folder
from playground.engine.models.shipped import trained_assets
from playground.engine.pretraining.shapes import n_parameters
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained import scaling as script
from playground.trained.scripts import SCRIPTS


def test_the_note_has_the_figures_of_the_table() -> None:
    folder = trained_assets() / FOLDER
    said = json.loads((folder / whole_folder.METADATA).read_text("utf-8"))
    assert said["revision"] == said["files"][FILE]["sha256"] == whole_folder.sha256_of(folder / FILE)
    assert (said["script"], said["seed"]) == (script.__name__, script.SEED)
    assert FOLDER in SCRIPTS
    assert sum(one.stat().st_size for one in folder.iterdir()) < 2**20
    for one in shipped():
        assert said["figures"][one.name] == one.last.bits_per_byte
    for axis in AXES:
        counted = [one for one in points(shipped(), axis) if one.is_fitted]
        slope = np.polyfit(np.log([one.x for one in counted]), np.log([one.loss for one in counted]), 1)[0]
        assert said["figures"][f"exponent_{axis}"] == pytest.approx(-slope)


def test_every_recipe_is_there_with_the_amounts_that_it_says() -> None:
    assert [one.name for one in shipped()] == [one.name for one in script.recipes()]
    assert len(shipped()) >= 12
    for one, recipe in zip(shipped(), script.recipes(), strict=True):
        shape = SHAPES[recipe.shape]
        assert (one.d_model, one.n_layers, one.n_heads) == (shape.d_model, shape.n_layers, shape.n_heads)
        assert one.n_parameters == shape.n_parameters
        assert one.n_bytes == len(part_of(whole_text(), recipe.share))
        assert one.learning_rate == shape.learning_rate
        assert [at.n_tokens for at in one.measured] == [at.step * BATCH_SIZE * WINDOW for at in one.measured]
        assert one.measured[0].step == 0
        assert one.last.step == N_STEPS
        assert 7 < one.measured[0].bits_per_byte < 9, "random weights know nothing: 8 bits"
        assert one.best.bits_per_byte < 6
        assert one.last.seconds > 0


def test_what_the_lesson_says_of_the_runs() -> None:
    """With an eighth of the text the larger models learn it by heart: their held-out loss rises again."""
    largest = max((one for one in shipped() if one.share == script.EIGHTH), key=lambda one: one.n_parameters)
    assert largest.last.bits_per_byte > largest.best.bits_per_byte
    whole = {one.n_parameters: one.last.bits_per_byte for one in shipped() if one.is_on_all and not one.seed}
    sizes = sorted(whole)
    assert [whole[size] for size in sizes] == sorted(whole.values(), reverse=True), (
        "each larger one ends lower"
    )
    cut = parts(whole_text())
    lines = count_bits(cut.train, cut.held_out)
    assert whole[sizes[-1]] < lines[1], "better than counting single bytes"


def test_shapes_count_their_parameters_as_the_engine_does() -> None:
    for shape in {**SHAPES, **BETWEEN}.values():
        request = scaling_request(whole_text(), shape, "a", n_steps=3)
        assert shape.n_parameters == n_parameters(request.settings)


def test_every_run_is_measured_on_the_same_bytes() -> None:
    requests = [scaling_request(whole_text(), SHAPES["d16"], "a", share=share) for share in (1.0, 0.25)]
    assert requests[0].held_out == requests[1].held_out
    measured = b"".join(one.data[one.n_context :] for one in requests[0].held_out)
    assert measured.decode("utf-8", "ignore") == held_out_text()
    assert len(requests[0].train) > len(requests[1].train)
    part = part_of(whole_text(), 0.25)
    assert all(one.data in part for one in requests[1].train)


@pytest.fixture(scope="module")
def engine(tiny_settings: Settings) -> Iterator[Engine]:
    made = create_engine(tiny_settings.model_copy(update={"torch_threads": 1}))
    yield made
    made.close()


def test_a_short_run_of_the_script_goes_as_the_shipped_one_began(engine: Engine) -> None:
    """A run of 33 steps is the beginning of one of 300: the learning rate does not know where it ends."""
    known = next(one for one in shipped() if one.name == "d16")
    early = [at for at in known.measured if 0 < at.step <= 37]
    again = script.trained(engine, script.Recipe("d16", 1.0), n_steps=early[-1].step)
    losses = {at.step: at.bits_per_byte for at in again.measured}
    assert again.n_parameters == known.n_parameters
    assert losses[0] == pytest.approx(known.measured[0].bits_per_byte, abs=1e-3)
    assert losses[early[-1].step] == pytest.approx(early[-1].bits_per_byte, abs=0.02)


@pytest.fixture(scope="module")
def real_engine() -> Iterator[Engine]:
    made = create_engine(Settings(device="cpu", torch_threads=1))
    yield made
    made.close()


@pytest.mark.real
def test_the_embedded_model_costs_what_the_table_says(real_engine: Engine) -> None:
    [(key, found)] = held_out_costs().items()
    assert key[0] == DEFAULT_DECODER
    revision, again = script.model_cost(real_engine, DEFAULT_DECODER, Settings().max_tokens)
    assert revision == key[1]
    assert again.n_bytes == found.n_bytes == len(held_out_text().encode())
    assert again.total_bits == pytest.approx(found.total_bits, rel=1e-4)
    assert (trained_assets() / FOLDER / MODELS_FILE).is_file()

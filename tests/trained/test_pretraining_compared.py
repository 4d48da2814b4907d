"""The compared runs are trained always the same, and what is shipped is what their script begins with."""

from __future__ import annotations

import json

import pytest

from playground.core.pretraining_compared import KINDS, NAME, compared_run, of_file
from playground.core.pretraining_run import LANGUAGES, shipped_run
from playground.engine.contract.pretraining import PretrainingSettings
from playground.engine.models import whole_folder
from playground.engine.models.shipped import trained_assets
from playground.engine.training.pretraining_learner import PretrainingLearner, PretrainingSlot
from playground.engine.training.run import text_order
from playground.trained import pretraining_compared
from playground.trained.scripts import SCRIPTS

MAX_BYTES = 10**6
N_AGAIN = 2  # steps


def test_every_byte_is_in_its_note() -> None:
    folder = trained_assets() / NAME
    assert whole_folder.damage(folder) == ""
    names = {f"{language}-{kind}.json" for language in LANGUAGES for kind in KINDS}
    assert {path.name for path in folder.iterdir()} == names | {whole_folder.METADATA}
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MAX_BYTES
    note = json.loads((folder / whole_folder.METADATA).read_text("utf-8"))
    assert note["seed"] == pretraining_compared.SEED
    assert NAME in SCRIPTS
    for language in LANGUAGES:
        for kind in KINDS:
            run = compared_run(language, kind)
            assert note["figures"][f"held_out_nats_{language}-{kind}"] == run.held_out[-1][1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_first_losses_come_again(language: str, kind: str) -> None:
    run = compared_run(language, kind)
    settings = PretrainingSettings(**run.settings)
    request = pretraining_compared.request_of(language, kind, settings.n_steps)
    assert request.settings == settings
    learner = PretrainingLearner([PretrainingSlot(request)], lambda: None)
    order, size = (
        text_order(len(request.train), N_AGAIN * settings.batch_size, settings.seed),
        settings.batch_size,
    )
    losses = []
    for step in range(N_AGAIN):
        losses += learner.step([[request.train[at] for at in order[step * size : (step + 1) * size]]])
    assert losses == pytest.approx([loss for _step, loss in run.train[:N_AGAIN]], abs=2e-3)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_next_byte_is_the_run_of_the_first_picture(language: str) -> None:
    """Trained beside others, and alone: the same to what other sums round."""
    here, there = compared_run(language, "next"), shipped_run(language)
    assert [step for step, _loss in here.held_out] == [step for step, _loss in there.held_out]
    for (_step, mine), (_same, alone) in zip(here.held_out, there.held_out, strict=True):
        assert mine == pytest.approx(alone, abs=5e-3)


def test_a_file_is_read_as_it_was_written() -> None:
    run = compared_run("en", "next")
    assert of_file(run.file()) == run

"""The shipped text and runs from zero, and the scripts that made them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from playground.core.pretraining import bits, count_bits, parts
from playground.core.pretraining_run import LANGUAGES, ShippedRun, folder, read, shipped_run, shipped_text
from playground.engine.contract.pretraining import (
    MAX_TEXT_BYTES,
    PretrainingSettings,
    fixed_tokens,
)
from playground.engine.models.shipped import trained_assets
from playground.engine.models.whole_folder import damage, origin
from playground.engine.training.pretraining_learner import PretrainingLearner, PretrainingSlot
from playground.engine.training.run import text_order
from playground.trained import pretraining, pretraining_texts
from playground.trained.pretraining import request_of

MOST_CPU_S = 120  # 60 s on two cores


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_the_text_is_composed_and_small_enough(language: str) -> None:
    text = shipped_text(language)
    assert 100_000 < len(text.encode()) <= MAX_TEXT_BYTES
    cut = parts(text)
    assert cut.train.startswith(text[:100].encode())
    letters = sum("가" <= one <= "힣" for one in text)
    assert (letters > len(text) / 3) == (language == "ko")


def test_its_script_writes_such_a_text(tmp_path: Path) -> None:
    """Lessons go on being written, so it is not the same to the letter; most of its lines are."""
    pretraining_texts.make(tmp_path, lambda _line: None)
    for each in LANGUAGES:
        made = (tmp_path / "pretraining" / f"text-{each}.txt").read_text("utf-8")
        shipped = set(shipped_text(each).splitlines())
        assert len(shipped & set(made.splitlines())) > 0.7 * len(shipped)
        assert len(made.encode()) <= MAX_TEXT_BYTES


def test_every_byte_is_in_the_note_and_all_is_small() -> None:
    assert not damage(folder())
    for file in folder().iterdir():
        assert file.stat().st_size <= 10**6
    assert origin(folder())["script"] == "playground.trained.pretraining"


def test_the_run_beats_the_trigram_within_the_time(language: str) -> None:
    run = shipped_run(language)
    cut = parts(shipped_text(language))
    assert run.count_bits == pytest.approx(count_bits(cut.train, cut.held_out))
    assert bits(run.held_out[-1][1]) < run.count_bits[3] - 0.2
    assert run.cpu_s < MOST_CPU_S
    figures = origin(folder())["figures"]
    assert figures[f"bits_{language}"] == pytest.approx(bits(run.held_out[-1][1]))
    assert figures[f"trigram_bits_{language}"] == pytest.approx(run.count_bits[3])


def test_the_run_is_whole(language: str) -> None:
    run = shipped_run(language)
    request = request_of(language)
    assert PretrainingSettings(**run.settings) == request.settings
    assert (run.fixed.encode(), run.tokens, run.mapped) == (
        request.fixed, fixed_tokens(request), request.mapped
    )  # fmt: skip
    n, n_steps = len(run.steps), request.settings.n_steps
    assert run.steps == tuple(step for step, _loss in run.held_out)
    assert (run.steps[0], run.steps[-1], len(run.train)) == (0, n_steps, n_steps)
    assert run.attention.shape == (n, 2, 4, len(run.tokens), len(run.tokens))
    assert run.attention.sum(-1).astype(float) == pytest.approx(1, abs=5e-3)
    assert np.allclose(np.triu(run.attention[0, 0, 0].astype(float), 1), 0), "nobody looks ahead"
    assert run.embedding.shape == (n, len(run.mapped), request.settings.d_model)
    assert {one.step for one in run.samples} == {0, 10, 25, 50, 100, n_steps}
    assert all(one.text for one in run.samples)


def test_the_first_steps_again_are_those_of_the_shipped_run(language: str) -> None:
    request, run = request_of(language), shipped_run(language)
    slot = PretrainingSlot(request)
    learner = PretrainingLearner([slot], lambda: None)
    size = request.settings.batch_size
    order = text_order(len(request.train), request.settings.n_steps * size, request.settings.seed)
    for step in range(6):
        [loss] = learner.step([[request.train[i] for i in order[size * step : size * (step + 1)]]])
        assert loss == pytest.approx(run.train[step][1], abs=2e-3)
    told = learner.observe(0, request, 6)
    assert told.attention.shape == run.attention.shape[1:]


def test_the_script_writes_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretraining, "LANGUAGES", ("en",))
    shape = {"n_steps": 3, "d_model": 16, "n_heads": 2, "n_layers": 1, "batch_size": 2}
    pretraining.make(tmp_path, lambda _line: None, **shape)
    run: ShippedRun = read(tmp_path / "pretraining", "en")
    assert (run.settings["n_steps"], run.steps) == (3, (0, 3))
    assert {one.step for one in run.samples} == {0, 3}
    assert not damage(tmp_path / "pretraining")
    assert trained_assets() / "pretraining" == folder()

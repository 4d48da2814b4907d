"""The shipped record of drift: its note, a short version, and the base's own texts asked again."""

from __future__ import annotations

import json
import math

import pytest

from playground.core.adapting import N_STEPS
from playground.core.drift import FILE, FOLDER, PROMPTS, DriftRecord, mean_shifts, shipped
from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.generation import GenerateRequest
from playground.engine.models import whole_folder
from playground.engine.models.shipped import trained_assets
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained import drift as script
from playground.trained.scripts import SCRIPTS
from tests import tiny


def test_the_note_has_the_figures_of_the_record() -> None:
    folder = trained_assets() / FOLDER
    said = json.loads((folder / whole_folder.METADATA).read_text("utf-8"))
    assert said["revision"] == said["files"][FILE]["sha256"] == whole_folder.sha256_of(folder / FILE)
    assert said["script"] == script.__name__
    assert FOLDER in SCRIPTS
    record = shipped()
    assert (record.model_id, record.n_steps) == (DEFAULT_DECODER, N_STEPS)
    assert said["figures"] == {f"shift_{who}": one for who, one in mean_shifts(record.rows).items()}
    assert len(record.texts["a"]) == len(record.texts["b"]) == len(PROMPTS)
    assert record.texts["a"] != record.texts["b"]


def test_a_short_version_gives_a_record(tiny_settings: Settings) -> None:
    engine = create_engine(tiny_settings)
    try:
        record = script.measured(engine, tiny.LLAMA, 2, PROMPTS[:2])
        assert {row.written_by for row in record.rows} <= {"a", "b"}
        assert len(record.texts["a"]) == 2
        for row in record.rows:
            assert row.bits_a > 0
            assert row.n_bytes == len(row.text.encode())
        assert engine.adapters.of("drift") == []
    finally:
        engine.close()


@pytest.mark.real
def test_the_base_writes_the_shipped_texts_as_probably_as_the_record_says(real_settings: Settings) -> None:
    record = shipped()
    engine = create_engine(real_settings)
    try:
        _check(engine, record)
    finally:
        engine.close()


def _check(engine: Engine, record: DriftRecord) -> None:
    for prompt, text in list(zip(PROMPTS, record.texts["a"], strict=True))[:2]:
        asked = GenerateRequest(
            record.model_id, prompt, sampling=GREEDY, n_top=1, max_new_tokens=script.N_TOKENS
        )
        steps = list(engine.generate(asked))
        assert "".join(step.text for step in steps) == text
        row = next(row for row in record.rows if (row.prompt, row.written_by) == (prompt, "a"))
        said = [step for step in steps if step.finish_reason != "end_of_text"]  # the mark is no text
        bits = -sum(step.logprob for step in said) / math.log(2) / row.n_bytes
        assert row.bits_a == pytest.approx(bits, rel=0.02)

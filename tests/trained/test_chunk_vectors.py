"""The shipped chunks are what their script makes, and no question is in a chunk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from playground.core.indexes import shipped
from playground.core.indexes.shipped import shipped_chunks
from playground.engine.models import whole_folder
from playground.engine.models.shipped import trained_assets
from playground.settings import Settings
from playground.trained import chunk_vectors as script
from playground.trained.scripts import SCRIPTS

FOLDER = trained_assets() / shipped.FOLDER


def test_the_texts_are_those_that_the_script_cuts() -> None:
    kept = shipped_chunks()
    assert FOLDER.name in SCRIPTS
    assert kept.chunks == script.chunks(script.N_SHIPPED)
    assert kept.questions == script.questions()
    assert len(set(kept.chunks)) == 2_000
    assert sum(len(chunk.split()) in script.WINDOWS for chunk in kept.chunks) == 2_000


def test_no_question_is_in_a_chunk() -> None:
    words = " ".join(script._words())
    assert [question for question in script.questions() if question in words] == []


def test_a_smaller_set_lies_within_a_larger_one_and_more_than_there_are_is_refused() -> None:
    assert script.chunks(300) == script.chunks(1_000)[:300]
    with pytest.raises(ValueError, match="chunks of"):
        script.chunks(10**6)


@pytest.mark.real
def test_the_encoder_gives_the_shipped_vectors(
    tmp_path: Path, with_e5: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "Settings", lambda: with_e5)
    said: list[str] = []
    script.make(tmp_path, said.append, n=40)
    made, kept = shipped.read(tmp_path / shipped.FOLDER / shipped.FILE), shipped_chunks()
    assert made.chunks == kept.chunks[:40]
    assert float((made.vectors * kept.vectors[:40]).sum(axis=1).min()) > 0.999
    assert float((made.question_vectors * kept.question_vectors).sum(axis=1).min()) > 0.999
    assert said


def test_the_note_says_what_rounding_costs() -> None:
    note = json.loads((FOLDER / whole_folder.METADATA).read_text("utf-8"))
    assert whole_folder.damage(FOLDER) == ""
    assert 0.9999 < next(iter(note["figures"].values())) < 1
    np.testing.assert_allclose(np.linalg.norm(shipped_chunks().vectors, axis=1), 1, atol=1e-6)

"""The shipped measurements are those of the plan; their script gives the same recall again."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from playground.core.indexes import measured
from playground.core.indexes.shipped import shipped_chunks
from playground.core.indexes.shipped_points import read, shipped_points
from playground.trained import index_measurements as script
from playground.trained.scripts import SCRIPTS


def test_the_shipped_points_are_those_of_the_plan() -> None:
    shipped = shipped_points()
    plan = measured.plan(shipped.n_vectors, 384)
    expected = [(one.index, one.settings, value) for one in plan for value in one.values]
    assert [(point.index, point.built, point.value) for point in shipped.points] == expected
    assert script.NAME in SCRIPTS
    assert shipped.n_questions == 200
    assert shipped.processor


def test_knobs_buy_recall_and_exact_search_has_all() -> None:
    points = shipped_points().points
    assert points[0].index == "flat"
    assert points[0].recall == 1.0
    for before, after in itertools.pairwise(points):
        if before.index == after.index and before.built == after.built:
            assert after.recall >= before.recall - 0.01
    best = {name: max(point.recall for point in points if point.index == name) for name in ("hnsw", "ivf")}
    assert min(best.values()) >= 0.95


def test_the_script_writes_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = shipped_chunks()
    few = chunks.vectors[:300], chunks.question_vectors[:20]
    monkeypatch.setattr(script, "kept_vectors", lambda _folder, n, _tell: few if n == 300 else None)
    plan = measured.plan(300, 384)[:3]
    monkeypatch.setattr(measured, "plan", lambda _n, _d: plan)
    said: list[str] = []
    script.make(tmp_path, said.append, n=300)
    made = read(tmp_path / script.NAME / script.FILE)
    assert made.n_vectors == 300
    assert len(said) == len(made.points) == 3
    again = list(measured.measured(*few, plan))
    np.testing.assert_allclose([one.recall for one in made.points], [one.recall for one in again])

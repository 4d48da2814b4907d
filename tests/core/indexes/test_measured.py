"""Measured points: exact search finds all, knobs move recall up, bytes are those of the index's file."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.row_16_recall import Real
from playground.core.indexes import measured
from playground.core.indexes.measured import Built, Point

PLAN = (
    Built("flat"),
    Built("ivf", (("cells", 16),), "nprobe", (1, 4, 16)),
    Built("lsh", (("bits", 64),), "bits", (64,)),
    Built("pq", (("m", 8), ("bits", 4)), "m", (8,)),
    Built("hnsw", (("M", 8),), "ef", (10, 64)),
)


@pytest.fixture(scope="module")
def points(real: Real) -> list[Point]:
    return list(measured.measured(real.vectors[:600], real.questions[:40], PLAN))


def test_every_setting_has_a_point_in_order(points: list[Point]) -> None:
    assert [(point.index, point.value) for point in points] == [
        (one.index, value) for one in PLAN for value in one.values
    ]
    assert measured.n_points(PLAN) == len(points)


def test_exact_search_finds_all_and_knobs_find_more(points: list[Point]) -> None:
    assert points[0].recall == points[0].recall_low == 1.0
    probes = [point.recall for point in points if point.index == "ivf"]
    assert probes == sorted(probes)
    assert probes[0] < probes[-1] == 1.0
    narrow, wide = (point.recall for point in points if point.index == "hnsw")
    assert narrow < wide


def test_recall_is_that_of_brute_force(real: Real, points: list[Point]) -> None:
    import faiss

    vectors, questions = real.vectors[:600], real.questions[:40]
    distances = ((vectors[None] - questions[:, None]) ** 2).sum(axis=2)
    exact = np.argsort(distances, axis=1, kind="stable")[:, :10]
    index = faiss.IndexHNSWFlat(384, 8)
    index.hnsw.efConstruction, index.hnsw.efSearch = 40, 64
    index.add(vectors)
    found = index.search(questions, 10)[1]
    shares = [
        len(set(own) & set(other)) / 10 for own, other in zip(exact.tolist(), found.tolist(), strict=True)
    ]
    assert points[-1].recall == pytest.approx(np.mean(shares), abs=0.02)


def test_intervals_hold_their_value_and_shrink_with_more_questions(real: Real, points: list[Point]) -> None:
    for point in points:
        assert point.recall_low <= point.recall <= point.recall_high
        assert 0 < point.us_low <= point.us <= point.us_high
    many = list(measured.measured(real.vectors[:600], real.questions, PLAN[:2]))[1]
    few = next(point for point in points if point.index == "ivf")
    assert many.recall_high - many.recall_low < few.recall_high - few.recall_low


def test_bytes_are_those_of_the_file(points: list[Point]) -> None:
    sizes = {point.index: point.bytes_a_vector for point in points}
    assert sizes["flat"] == pytest.approx(4 * 384, abs=1)
    assert sizes["pq"] == pytest.approx(4 + 4 * 16 * 384 / 600, abs=1)  # half a byte a part, and the codebook
    assert sizes["ivf"] == pytest.approx(4 * 384 + 8 + 4 * 384 * 16 / 600, abs=3)
    assert sizes["hnsw"] > 4 * 384 + 4 * 2 * 8


def test_closing_it_stops_before_the_next_point(real: Real) -> None:
    running = measured.measured(real.vectors[:100], real.questions[:5], PLAN)
    assert next(running).index == "flat"
    running.close()
    assert list(running) == []


@pytest.mark.parametrize("n", [40, 300, 2_000, 100_000])
def test_a_plan_fits_its_vectors(n: int) -> None:
    plan = measured.plan(n, 384)
    assert plan[0] == Built("flat")
    assert {one.index for one in plan} == {"flat", "ivf", "lsh", "pq", "hnsw"}
    for one in plan:
        settings = dict(one.settings)
        if one.index == "ivf":
            assert max(one.values) <= settings["cells"] <= n
        if one.index == "pq":
            assert 2 ** settings["bits"] <= n

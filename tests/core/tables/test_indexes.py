"""Tables of indexes: neighbours of both answers, points as they are drawn."""

from __future__ import annotations

import numpy as np

from playground.core.indexes.measured import Point
from playground.core.tables import indexes as tables

DISTANCES = np.array([0.4, 0.1, 0.9, 0.2], dtype=np.float32)


def point(index: str, value: int, **built: int) -> Point:
    knob = {"flat": "", "ivf": "nprobe", "hnsw": "ef", "pq": "m"}[index]
    return Point(index, tuple(built.items()), knob, value, 0.5, 0.4, 0.6, 1_200, 900, 1_500, 8, 0)  # type: ignore[arg-type]


def test_neighbours_of_both_answers_stand_nearest_first() -> None:
    table = tables.neighbours(["a", "b", "c", "d"], DISTANCES, np.array([1, 3]), np.array([1, 0]))
    assert table.chunk.tolist() == [2, 4, 1]
    assert table.text.tolist() == ["b", "d", "a"]
    assert table.exact.tolist() == [True, True, False]
    assert table.found.tolist() == [True, False, True]
    np.testing.assert_allclose(table.cosine, 1 - table.squared_distance / 2)


def test_points_that_differ_in_their_knob_only_share_a_line() -> None:
    points = [
        point("ivf", 1, cells=8),
        point("ivf", 4, cells=8),
        point("pq", 4, m=4, bits=8),
        point("pq", 8, m=8, bits=8),
    ]
    table = tables.points(points)
    assert table.line.tolist() == ["ivf cells 8", "ivf cells 8", "pq bits 8", "pq bits 8"]
    assert table.settings.tolist() == ["cells 8, nprobe 1", "cells 8, nprobe 4", "m 4, bits 8", "m 8, bits 8"]


def test_the_ends_of_lines_have_labels() -> None:
    points = [
        point("flat", 0),
        *(point("ivf", n, cells=8) for n in (1, 2, 8)),
        *(point("hnsw", ef, M=16) for ef in (10, 64)),
    ]
    table = tables.drawn(points, "exact")
    assert table.label.tolist() == ["exact", "1", "", "8", "M 16, ef 10", ""]
    assert set(table.interval) == {"0.400 – 0.600"}
    assert set(table.repeats) == {"900 – 1,500"}

"""Measurements of indexes that come with the playground, from `playground.trained.index_measurements`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from playground.core.indexes.measured import Point
from playground.paths import site_root


@dataclass(frozen=True, slots=True)
class ShippedPoints:
    """The points, and the machine that they are of.

    Attributes:
        points: The points.
        n_vectors, n_questions: Number of vectors and of questions.
        processor, faiss: Name of the processor, version of faiss.
    """

    points: tuple[Point, ...]
    n_vectors: int
    n_questions: int
    processor: str
    faiss: str


@cache
def shipped_points() -> ShippedPoints:
    """The measurements that are shipped, read once."""
    return read(site_root() / "assets" / "trained" / "index-measurements" / "points.json")


def read(path: Path) -> ShippedPoints:
    """The measurements of a file."""
    note = json.loads(path.read_text("utf-8"))
    points = tuple(map(_point, note["points"]))
    return ShippedPoints(points, note["n_vectors"], note["n_questions"], note["processor"], note["faiss"])


def _point(kept: dict[str, Any]) -> Point:
    built = tuple((str(name), int(value)) for name, value in kept["built"])
    return Point(**{**kept, "built": built})

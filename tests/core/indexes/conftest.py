"""Vectors of real chunks, and the exact answers to the questions."""

from __future__ import annotations

import pytest

from benchmarks.row_16_recall import Real, real_of
from playground.core.indexes.shipped import shipped_chunks


@pytest.fixture(scope="session")
def real() -> Real:
    """The shipped chunks."""
    shipped = shipped_chunks()
    return real_of(shipped.vectors, shipped.question_vectors)

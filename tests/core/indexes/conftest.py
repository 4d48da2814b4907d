"""Vectors of real chunks, and the exact answers to the questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from playground.core.indexes.flat import Flat
from playground.core.indexes.found import Found, Places, Vectors, recall
from playground.core.indexes.shipped import shipped_chunks

K = 10


@dataclass(frozen=True)
class Real:
    """Chunks' vectors [n, d], questions' vectors [question, d], the exact answers [question, K]."""

    vectors: Vectors
    questions: Vectors
    exact: Places

    def recall(self, search: Callable[[Vectors], Found]) -> float:
        """Mean recall@10 of a search over the questions."""
        found = [search(question).places for question in self.questions]
        return self.recall_of(found)

    def recall_of(self, found: list[Places] | Places) -> float:
        """Mean recall@10 of answers. Shape [question, K]."""
        return float(np.mean([recall(own, exact) for own, exact in zip(found, self.exact, strict=True)]))


def real_of(vectors: Vectors, questions: Vectors) -> Real:
    flat = Flat(vectors)
    return Real(vectors, questions, np.stack([flat.search(one, K).places for one in questions]))


@pytest.fixture(scope="session")
def real() -> Real:
    shipped = shipped_chunks()
    return real_of(shipped.vectors, shipped.question_vectors)

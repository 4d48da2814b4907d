"""Exact search against brute force, SciPy and faiss."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import distance

from benchmarks.row_16_recall import K, Real
from playground.core.indexes.flat import Flat, Measure
from playground.core.indexes.found import nearest, recall

BY_SCIPY = {"cosine": distance.cosine, "l2": distance.sqeuclidean, "dot": lambda a, b: -float(a @ b)}


@pytest.fixture
def stretched() -> np.ndarray:
    """Vectors of different lengths, so that the measures disagree."""
    drawn = np.random.default_rng(0)
    return (drawn.standard_normal((300, 12)) * drawn.uniform(0.2, 4, (300, 1))).astype(np.float32)


@pytest.mark.parametrize("measure", ["cosine", "l2", "dot"])
def test_exact_search_is_brute_force_with_scipys_distances(stretched: np.ndarray, measure: Measure) -> None:
    query = stretched[7] * 0.4 + stretched[9]
    expected = np.array([BY_SCIPY[measure](one.astype(float), query.astype(float)) for one in stretched])
    found = Flat(stretched, measure).search(query, K)
    assert found.places.tolist() == np.argsort(expected)[:K].tolist()
    np.testing.assert_allclose(found.distances, np.sort(expected)[:K], rtol=1e-4, atol=1e-5)
    assert found.n_distances == 300


def test_the_measures_disagree_on_vectors_of_different_lengths(stretched: np.ndarray) -> None:
    found = {name: tuple(Flat(stretched, name).search(stretched[3], K).places) for name in BY_SCIPY}
    assert len(set(found.values())) == 3


def test_on_vectors_of_length_1_all_measures_agree(real: Real) -> None:
    question = real.questions[0]
    for measure in ("cosine", "dot"):
        assert Flat(real.vectors, measure).search(question, K).places.tolist() == real.exact[0].tolist()


def test_exact_search_is_that_of_faiss(real: Real) -> None:
    import faiss

    index = faiss.IndexFlatL2(real.vectors.shape[1])
    index.add(real.vectors)
    distances, places = index.search(real.questions, K)
    np.testing.assert_array_equal(real.exact, places)
    own = Flat(real.vectors).search(real.questions[5], K)
    np.testing.assert_allclose(own.distances, distances[5], atol=1e-5)


def test_ties_go_to_the_first_row_and_fewer_vectors_give_fewer() -> None:
    vectors = np.ones((5, 2), dtype=np.float32)
    assert Flat(vectors).search(vectors[0], 3).places.tolist() == [0, 1, 2]
    assert Flat(vectors).search(vectors[0], 9).places.tolist() == [0, 1, 2, 3, 4]
    nothing = nearest(np.empty(0, np.int64), np.empty(0, np.float32), 3, 0)
    assert len(nothing.places) == 0


def test_recall_is_the_share_of_the_exact_answer() -> None:
    assert recall(np.array([1, 2, 3]), np.array([3, 2, 9, 8])) == 0.5
    assert recall(np.empty(0, np.int64), np.array([1])) == 0.0

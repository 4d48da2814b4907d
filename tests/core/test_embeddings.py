"""Neighbours equal brute force over the whole vocabulary; centring without a copy equals the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from playground.core.embeddings import (
    MEASURES,
    EmbeddingTable,
    analogy_query,
    nearest,
    random_pairs,
    rank_of,
    similarities,
)

if TYPE_CHECKING:
    from playground.settings import Settings


def table(vectors: NDArray[np.float32]) -> EmbeddingTable:
    return EmbeddingTable("m", "r", "float32", "cpu", np.ascontiguousarray(vectors, dtype=np.float32))


def brute(vectors: NDArray[np.float32], query: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    """All three measures from their definitions, in double precision, with a centred copy."""
    v, q = vectors.astype(np.float64), query.astype(np.float64)
    m = v.mean(axis=0)

    def cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b)
        return np.divide(a @ b, lengths, out=np.zeros(len(a)), where=lengths > 0)

    return {"cosine": cosine(v, q), "centred": cosine(v - m, q - m), "dot": v @ q}


def random_table(seed: int, rows: int = 300, columns: int = 24) -> EmbeddingTable:
    rng = np.random.default_rng(seed)
    return table(rng.normal(size=(rows, columns)) * rng.uniform(0.5, 3, (rows, 1)) + rng.normal(size=columns))


@pytest.mark.parametrize("seed", range(8))
def test_similarities_equal_brute_force(seed: int) -> None:
    made = random_table(seed)
    query = made.vectors[seed] - made.vectors[seed + 1]
    expected = brute(made.vectors, query)
    for measure, got in similarities(made, query).items():
        np.testing.assert_allclose(got, expected[measure], atol=1e-4, err_msg=measure)


@given(
    arrays(np.float32, st.integers(2, 60), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0, -1.0])),
    st.integers(1, 70),
    st.sets(st.integers(0, 59), max_size=4),
)
@settings(max_examples=300)
def test_nearest_equals_a_full_stable_sort(values: NDArray[np.float32], n: int, left_out: set[int]) -> None:
    without = tuple(token_id for token_id in left_out if token_id < len(values))
    ordered = sorted(range(len(values)), key=lambda i: (-values[i], i))
    expected = [i for i in ordered if i not in without][:n]
    found = nearest(values, "cosine", n, without=without)
    assert found.token_ids.tolist() == expected
    assert found.similarities.tolist() == [values[i] for i in expected]
    assert found.ranks.tolist() == [ordered.index(i) + 1 for i in expected]


def test_rank_leaves_out_what_it_is_told() -> None:
    values = np.array([0.9, 0.8, 0.7, 0.1], dtype=np.float32)
    assert rank_of(values, 2) == 3
    assert rank_of(values, 2, without=(0, 3)) == 2


@pytest.fixture(scope="module")
def real_table(real_settings: Settings) -> EmbeddingTable:
    from safetensors.numpy import load_file

    from playground.engine.models.catalogue import model_folder
    from playground.settings import DEFAULT_DECODER

    weights = load_file(model_folder(DEFAULT_DECODER, real_settings) / "model.safetensors")
    return table(weights["model.embed_tokens.weight"])


@pytest.mark.real
@pytest.mark.parametrize("word_id", [3996, 0, 49_151])
def test_neighbours_over_the_real_vocabulary_equal_brute_force(
    word_id: int, real_table: EmbeddingTable
) -> None:
    made = real_table
    assert made.vectors.shape == (49_152, 576)
    values = similarities(made, made.vectors[word_id])
    expected = brute(made.vectors, made.vectors[word_id])
    for measure in MEASURES:
        found = nearest(values[measure], measure, 20, without=(word_id,))
        order = np.argsort(-expected[measure], kind="stable")
        order = order[order != word_id][:20]
        np.testing.assert_allclose(found.similarities, expected[measure][order], atol=2e-5, rtol=1e-5)
        same = found.token_ids == order
        gap = np.abs(expected[measure][found.token_ids] - expected[measure][order])
        assert (same | (gap < 1e-5)).all(), "only ties may change places"


def test_a_zero_vector_is_similar_to_nothing_and_breaks_nothing() -> None:
    made = table(np.array([[0, 0], [1, 0], [0, 2]], dtype=np.float32))
    values = similarities(made, made.vectors[0])
    assert values["cosine"].tolist() == [0, 0, 0]
    assert all(np.isfinite(value).all() for value in values.values())


def test_identical_vectors_have_no_direction_from_their_mean() -> None:
    made = table(np.full((5, 3), 2, dtype=np.float32))
    assert np.abs(similarities(made, made.vectors[0])["centred"]).max() <= 1e-3
    assert np.isfinite(random_pairs(made, 0, 10).centred).all()


def test_random_pairs_are_two_different_tokens_and_their_own_similarities() -> None:
    made = random_table(3, rows=50)
    pairs = random_pairs(made, seed=7, n_pairs=500)
    random = np.random.Generator(np.random.Philox(key=7))
    first = random.integers(0, 50, 500)
    second = (first + random.integers(1, 50, 500)) % 50
    assert (first != second).all()
    for measure in MEASURES:
        expected = [
            brute(made.vectors, made.vectors[a])[measure][b] for a, b in zip(first, second, strict=True)
        ]
        np.testing.assert_allclose(pairs.of(measure), expected, atol=1e-4)
    assert not np.array_equal(random_pairs(made, 8, 500).cosine, pairs.cosine)


def test_analogy_is_arithmetic_on_the_rows() -> None:
    made = random_table(1)
    expected = made.vectors[4] - made.vectors[9] + made.vectors[2]
    np.testing.assert_array_equal(analogy_query(made, 4, 9, 2), expected)


def test_table_is_read_only_and_refuses_another_shape() -> None:
    made = random_table(0)
    with pytest.raises(ValueError, match="read-only"):
        made.vectors[0, 0] = 1
    with pytest.raises(ValueError, match="shape"):
        table(np.zeros(3))

"""Product quantization: lossless with enough entries, its distances are those to the rebuilt vectors."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.row_16_recall import K, Real
from playground.core.indexes.pq import Pq, decoded, encoded, squared_error


def test_with_as_many_entries_as_vectors_they_are_reproduced(real: Real) -> None:
    vectors = real.vectors[:200]
    index = Pq.build(vectors, 8, 8, seed=0)
    np.testing.assert_array_equal(index.reconstructed(), vectors)


def test_the_looked_up_sum_is_the_distance_to_the_rebuilt_vector(real: Real) -> None:
    index = Pq.build(real.vectors, 12, 4, seed=0)
    found = index.search(real.questions[0], K)
    rebuilt = index.reconstructed()
    exact = ((rebuilt - real.questions[0]) ** 2).sum(axis=1)
    np.testing.assert_allclose(found.distances, exact[found.places], atol=1e-5)
    np.testing.assert_allclose(found.distances, np.sort(exact)[:K], atol=1e-5)
    assert (found.n_distances, found.n_codes) == (16, 2_000)


def test_every_code_names_the_nearest_entry(real: Real) -> None:
    index = Pq.build(real.vectors[:300], 6, 4, seed=0)
    parts = real.vectors[:300].reshape(300, 6, 64)
    for part in range(6):
        distances = ((parts[:, part, None] - index.codebooks[part]) ** 2).sum(axis=2)
        chosen = distances[np.arange(300), index.codes[:, part]]
        np.testing.assert_allclose(chosen, distances.min(axis=1), atol=1e-6)


def test_more_bytes_never_lose_more(real: Real) -> None:
    errors = [
        float(squared_error(real.vectors, Pq.build(real.vectors, m, 4, 0).reconstructed()).mean())
        for m in (2, 8, 24, 96)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 2


def test_codes_take_the_bytes_that_they_say(real: Real) -> None:
    index = Pq.build(real.vectors, 8, 4, seed=0)
    assert index.bytes_a_vector == 4 + 4 * 16 * 384 / 2_000


def test_codes_written_twice_are_the_same(real: Real) -> None:
    index = Pq.build(real.vectors[:500], 8, 5, seed=4)
    again = Pq.build(real.vectors[:500], 8, 5, seed=4)
    np.testing.assert_array_equal(index.codes, again.codes)
    rebuilt = decoded(index.codes, index.codebooks)
    np.testing.assert_array_equal(encoded(rebuilt, index.codebooks), index.codes)


def test_parts_that_do_not_divide_are_refused(real: Real) -> None:
    for n_parts, n_bits in ((5, 8), (8, 0), (8, 17)):
        with pytest.raises(ValueError, match="parts"):
            Pq.build(real.vectors, n_parts, n_bits, 0)

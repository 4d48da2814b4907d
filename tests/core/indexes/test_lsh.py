"""Hyperplanes: bits differ as often as angles say, and buckets hold what their keys say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from benchmarks.row_16_recall import K, Real
from playground.core.indexes import lsh
from playground.core.indexes.lsh import LshCodes, LshTables


def test_two_vectors_differ_in_a_bit_with_probability_angle_over_pi() -> None:
    a, b = np.array([1, 0, 0], np.float32), np.array([np.cos(0.9), np.sin(0.9), 0], np.float32)
    planes = lsh.orthogonal_planes(6_000, 3, seed=0)
    bits = lsh.sides(np.stack([a, b]), np.zeros(3, np.float32), planes)
    assert np.mean(bits[0] != bits[1]) == pytest.approx(0.9 / np.pi, abs=0.02)


def test_planes_are_orthogonal_as_far_as_there_are_dimensions() -> None:
    planes = lsh.orthogonal_planes(20, 8, seed=1)
    np.testing.assert_allclose(planes[:8] @ planes[:8].T, np.eye(8), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(planes, axis=1), 1, atol=1e-6)


def test_codes_are_ranked_by_the_bits_that_differ(real: Real) -> None:
    index = LshCodes.build(real.vectors, 100, seed=0)
    question = real.questions[1]
    bits = lsh.sides(real.vectors, index.middle, index.planes)
    own = lsh.sides(question[None], index.middle, index.planes)
    differing = (bits != own).sum(axis=1)
    found = index.search(question, K)
    np.testing.assert_array_equal(found.distances, differing[found.places])
    assert found.distances.tolist() == sorted(differing)[:K]
    assert (found.n_distances, found.n_codes, index.bytes_a_vector) == (100, 2_000, 13)


def test_a_bucket_holds_the_vectors_on_the_same_side_of_every_plane(real: Real) -> None:
    index = LshTables.build(real.vectors, 6, 3, seed=0)
    for table in range(3):
        bits = lsh.sides(real.vectors, index.middle, index.planes[table])
        written = ["".join("01"[bit] for bit in row) for row in bits.astype(int)]
        for key, rows in index.buckets[table].items():
            assert {written[row] for row in rows} == {f"{key:06b}"}
        assert sum(map(len, index.buckets[table].values())) == 2_000


def test_a_stored_vector_finds_itself_in_its_own_bucket(real: Real) -> None:
    index = LshTables.build(real.vectors, 10, 1, seed=0)
    found = index.search(real.vectors[77], 1)
    assert found.places[0] == 77
    assert found.distances[0] == 0
    assert found.n_distances == 10 + len(index.buckets[0][int(index.keys[0, 77])])


def test_probes_turn_the_bits_of_the_nearest_planes_first(real: Real) -> None:
    index = LshTables.build(real.vectors, 5, 1, seed=0)
    question = real.questions[2]
    signed = index.signed_distances(question)[0].astype(float)
    probes = index.probed(question, 32)[0]
    assert sorted(probes) == list(range(32))

    def cost(key: int) -> float:
        turned = [key >> (4 - bit) & 1 != (signed[bit] >= 0) for bit in range(5)]
        return float((signed**2)[turned].sum())

    costs = [cost(key) for key in probes]
    assert costs == sorted(costs)
    assert costs[0] == 0


def test_all_buckets_together_are_exact_and_more_probes_never_find_less(real: Real) -> None:
    index = LshTables.build(real.vectors, 7, 2, seed=0)
    recalls = [real.recall(lambda one, n=n: index.search(one, K, n)) for n in (1, 4, 16, 128)]
    assert recalls == sorted(recalls)
    assert recalls[-1] == 1.0
    assert recalls[0] < recalls[1]


def test_the_same_seed_gives_the_same_planes(real: Real) -> None:
    keys = [LshTables.build(real.vectors, 8, 2, seed).keys for seed in (1, 1, 2)]
    np.testing.assert_array_equal(keys[0], keys[1])
    assert not np.array_equal(keys[0], keys[2])


def test_impossible_numbers_of_bits_are_refused(real: Real) -> None:
    for n_bits in (0, 64):
        with pytest.raises(ValueError, match="bits"):
            LshTables.build(real.vectors, n_bits, 1, 0)


def test_sets_come_by_the_sum_of_their_costs() -> None:
    costs = [0.1, 0.4, 0.5, 1.0]
    sets = [tuple(chosen) for chosen in lsh._cheapest(costs)]
    every = [chosen for n in range(1, 5) for chosen in itertools.combinations(range(4), n)]
    assert sorted(sets) == sorted(every)
    sums = [sum(costs[place] for place in chosen) for chosen in sets]
    assert np.all(np.diff(sums) >= -1e-12)

"""What was learned and lost: the best of a kind, beside plain training, in bits, as a file and as tables."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from playground.core.forgetting import (
    ForgettingMethod,
    ForgettingTable,
    MeasuredForgetting,
    beside_plain,
    best,
    distance,
    everyday,
    general,
    penalty,
    read,
    written,
)
from playground.core.lora import LowRank
from playground.core.tables import forgetting as frames

PLAIN, WEAK, STRONG = (
    ForgettingMethod("plain"),
    ForgettingMethod("ewc", 1.0),
    ForgettingMethod("ewc", 10.0),
)


def run(method: ForgettingMethod, held_out: float, prose: float, seed: int = 0) -> MeasuredForgetting:
    return MeasuredForgetting(method, seed, ((0, 3.0), (4, held_out)), ((0, 2.0), (4, prose)), 1.0, 2.0)


RUNS = (
    run(PLAIN, 1.0, 4.0),
    run(WEAK, 1.25, 3.5),
    run(STRONG, 1.5, 3.0),
    run(PLAIN, 1.0, 3.75, 1),
    run(STRONG, 0.75, 3.5, 1),
)
TABLE = ForgettingTable("a/b", "c", 4, 1e-2, 4, 300, 1_200, RUNS)


def test_the_best_is_chosen_by_the_first_seed_alone() -> None:
    assert best(RUNS, "ewc") == STRONG
    other = replace(RUNS[1], seed=1, general=((0, 2.0), (4, 0.0)))
    assert best((*RUNS, other), "ewc") == STRONG


def test_beside_plain_training_seed_by_seed() -> None:
    found = beside_plain(RUNS, "ewc")
    assert (found.kept, found.missed, found.verdict) == ((1.0, 0.25), (0.5, -0.25), "keeps")
    worse = (*RUNS[:4], run(STRONG, 0.75, 3.8, 1))
    assert beside_plain(worse, "ewc").verdict == "unclear"
    lost = (RUNS[0], run(STRONG, 0.5, 4.25), RUNS[3], run(STRONG, 0.75, 3.8, 1))
    assert beside_plain(lost, "ewc").verdict == "loses"


def test_bits_per_byte_are_those_of_all_tokens_together() -> None:
    assert TABLE.bits_per_byte(2.0) == pytest.approx(2.0 * 300 * math.log2(math.e) / 1_200)


def test_a_table_is_read_as_it_was_written() -> None:
    assert read(written(TABLE)) == TABLE


def test_points_and_curves() -> None:
    points = frames.points(TABLE, [PLAIN, STRONG])
    assert points["role"].tolist() == ["start", "chosen", "other", "chosen", "chosen", "chosen"]
    assert points["held_out"].tolist() == [3.0, 1.0, 1.25, 1.5, 1.0, 0.75]
    assert points["bits"][1] == pytest.approx(TABLE.bits_per_byte(4.0))
    curves = frames.curves({"ewc": (RUNS[2].held_out, RUNS[2].general)}, 0.5)
    assert curves.values.tolist() == [
        [0, 3.0, "ewc", "held_out"], [4, 1.5, "ewc", "held_out"],
        [0, 1.0, "ewc", "general"], [4, 1.5, "ewc", "general"],
    ]  # fmt: skip


def test_distance_and_penalty_are_those_of_the_whole_matrices() -> None:
    random = np.random.default_rng(0)
    changes = [
        LowRank(layer, "q_proj", random.normal(size=(2, 5)), random.normal(size=(4, 2)), 1.5, 1.0)
        for layer in range(3)
    ]
    whole = np.concatenate([1.5 * one.B @ one.A for one in changes])
    fisher = random.random(whole.shape)
    assert distance(changes) == pytest.approx(np.linalg.norm(whole))
    assert penalty(3.0, whole) == pytest.approx(1.5 * distance(changes) ** 2)
    assert penalty(3.0, whole, fisher) == pytest.approx(1.5 * np.einsum("ij,ij,ij", fisher, whole, whole))


@pytest.mark.parametrize("language", ["en", "ko", "de"])
def test_old_rows_are_not_what_measures(language: str) -> None:
    old, measured = everyday(language), general(language)
    assert len(set(old)) == len(old) >= 16
    assert len(measured) == 3
    assert not any(one in text for one in old for text in measured)
    assert (old == everyday("en")) == (language != "ko")

"""Points of the three axes: a law only goes through runs that differ in nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.core.scaling_laws import flops
from playground.core.scaling_runs import (
    AXES,
    Axis,
    Measured,
    TinyRun,
    data_size,
    own_law,
    points,
    read,
    usual_tokens,
    written,
)


def run(n: int, share: float = 1.0, tokens: int = 4_000, seed: int = 0, *, is_own: bool = False) -> TinyRun:
    """A run whose loss follows L = 1 + 20 / N^0.3 + 60 / D^0.4, and rises at its end on little text."""
    steps = [0, tokens // 4, tokens // 2, tokens]
    losses = [8.0, *(1 + 20 * n**-0.3 + 60 * (one * share) ** -0.4 + seed / 1_000 for one in steps[1:])]
    if share < 0.2:
        losses[-1] += 0.3
    measured = tuple(Measured(step, step, loss, step / 10) for step, loss in zip(steps, losses, strict=True))
    name = f"{n}-{share}-{tokens}-{seed}"
    return TinyRun(name, 8, 1, 2, n, share, round(1_000 * share), 4, 16, 0.01, seed, measured, is_own)


RUNS = [
    *(run(n) for n in (100, 300, 1_000, 3_000)), *(run(n, 0.125) for n in (100, 300, 1_000, 3_000)),
    *(run(1_000, share) for share in (0.25, 0.5)), run(300, seed=1),
]  # fmt: skip


def test_the_law_of_parameters_goes_through_runs_on_all_of_the_text() -> None:
    found = points(RUNS, "parameters")
    assert [one.x for one in found if one.is_fitted] == [100, 300, 300, 1_000, 3_000]
    assert len(found) == len(RUNS)
    assert all(one.measured == one.run.last for one in found)


def test_the_law_of_data_goes_through_one_size_at_its_best() -> None:
    found = points(RUNS, "data")
    assert {one.run.n_parameters for one in found} == {data_size(RUNS)} == {1_000}
    assert [one.x for one in found] == [125, 250, 500, 1_000]
    eighth = found[0]
    assert eighth.loss < eighth.run.last.bits_per_byte
    assert eighth.loss == min(one.bits_per_byte for one in eighth.run.measured)


def test_the_law_of_compute_goes_through_what_nothing_cheaper_beats() -> None:
    found = points(RUNS, "compute")
    assert {one.run.share for one in found} == {1.0}
    assert all(one.measured.step > 0 for one in found)
    for one in found:
        assert one.x == flops(one.run.n_parameters, one.measured.n_tokens)
        beaten = any(
            (other.loss < one.loss and other.x <= one.x) or (other.loss == one.loss and other.x < one.x)
            for other in found
        )
        assert one.is_fitted or beaten
        assert not (one.is_fitted and any(o.loss < one.loss and o.x <= one.x for o in found))


def test_a_run_of_the_readers_counts_where_it_differs_in_the_amount_alone() -> None:
    same, shorter, less = (
        run(600, is_own=True), run(600, tokens=2_000, is_own=True), run(600, 0.5, is_own=True)
    )  # fmt: skip
    fitted = {one.run.name: one.is_fitted for one in points([*RUNS, same, shorter, less], "parameters")}
    assert (fitted[same.name], fitted[shorter.name], fitted[less.name]) == (True, False, False)
    assert usual_tokens([*RUNS, shorter, shorter]) == usual_tokens(RUNS) == 4_000
    assert not [one for one in points([*RUNS, same], "data") if one.run is same]
    assert [one for one in points([*RUNS, run(1_000, 0.1, is_own=True)], "data") if one.run.is_own]


@pytest.mark.parametrize("axis", AXES)
def test_points_go_from_little_to_much(axis: Axis) -> None:
    found = points(RUNS[::-1], axis)
    assert [one.x for one in found] == sorted(one.x for one in found)


def test_the_law_in_both_amounts_is_that_of_the_runs() -> None:
    law = own_law(RUNS)
    for one in (each for each in RUNS if each.is_on_all):
        for at in one.settled:
            assert float(law.loss(one.n_parameters, at.n_tokens)) == pytest.approx(at.bits_per_byte, rel=0.01)


def test_a_file_of_runs_is_read_back() -> None:
    rounded = [
        replace(
            one, measured=tuple(replace(at, bits_per_byte=round(at.bits_per_byte, 5)) for at in one.measured)
        )
        for one in RUNS
    ]
    assert list(read(written(rounded))) == rounded

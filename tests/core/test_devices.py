"""Many devices: the examples of the papers by hand."""

from __future__ import annotations

import pytest

from playground.core.devices import PAPERS, SCHEMES, Trained, device, fewest

ZERO = Trained(7_500_000_000, 36, 4096, 2048)


def test_figure_one_of_the_zero_paper() -> None:
    """7.5 B parameters on 64 GPUs: 120 GB, 31.4, 16.6 and 1.9 GB on each."""
    found = [device(ZERO, scheme, 64).total / 1e9 for scheme in ("data", "zero1", "zero2", "zero3")]
    assert found == pytest.approx([120, 31.4, 16.6, 1.9], abs=0.05)
    assert device(ZERO, "zero3", 1024).total / 1e9 == pytest.approx(0.12, abs=0.005)


def test_what_travels_as_in_section_seven() -> None:
    """2Ψ numbers without ZeRO and with stages 1 and 2, 3Ψ with stage 3; states for the others."""
    n = ZERO.n_parameters
    ring = 63 / 64
    for scheme, times in (("data", 2), ("zero1", 2), ("zero2", 2), ("zero3", 3)):
        assert device(ZERO, scheme, 64).sent == pytest.approx(times * n * 2 * ring)
    states = 2048 * 4096 * 2
    assert device(ZERO, "tensor", 8).sent == pytest.approx(4 * 36 * 2 * 7 / 8 * states)
    assert device(ZERO, "pipeline", 8).sent == 2 * states
    assert device(ZERO, "pipeline", 2).sent == states


def test_a_pipeline_has_no_more_parts_than_layers() -> None:
    assert device(ZERO, "pipeline", 36).total == pytest.approx(16 * ZERO.n_parameters / 36)
    assert device(ZERO, "pipeline", 64).total == device(ZERO, "pipeline", 36).total
    assert fewest(ZERO, "pipeline", 3e9) is None
    assert fewest(ZERO, "pipeline", 4e9) == 30


@pytest.mark.parametrize("scheme", SCHEMES)
def test_one_device_has_everything_and_sends_nothing(scheme: str) -> None:
    alone = device(ZERO, scheme, 1)
    assert (alone.total, alone.sent) == (16 * ZERO.n_parameters, 0.0)
    assert PAPERS[scheme]
    for n in (2, 8, 1024):
        more, fewer = device(ZERO, scheme, 2 * n), device(ZERO, scheme, n)
        assert more.total <= fewer.total


def test_the_fewest_devices_are_enough_and_one_less_is_not() -> None:
    for room in (16e9, 40e9, 80e9):
        n = fewest(ZERO, "zero3", room)
        assert n is not None
        assert device(ZERO, "zero3", n).total <= room < device(ZERO, "zero3", n - 1).total
    assert fewest(ZERO, "zero1", 30e9) is None  # 4 bytes a parameter stay on each
    assert fewest(ZERO, "data", 120e9) == 1

"""Numbers that each way trains, and times relative to the base."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.core.adapting import WAYS, Measured, WayPoint, n_trained, read, relative_times, written
from playground.paths import site_root

SIZES = {"n_layer": 2, "d_model": 6, "d_keys": 4}
ONE = WayPoint("lora", 8, 2e-3, 100, 4.0, 2.0, 30)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("lora", 3 * (6 + 6) + 3 * (4 + 6)),
        ("last_block", 6 * 6 + 4 * 6),
        ("bottleneck", 2 * 2 * (3 * 6 + 6 * 3)),
        ("prompt", 3 * 6),
        ("prefix", 3 * 2 * (4 + 4)),
    ],
)
def test_numbers_are_counted_by_hand(method: str, expected: int) -> None:
    assert n_trained(method, 3, **SIZES, shapes=[(6, 6), (4, 6)]) == expected
    assert method in WAYS


def test_a_way_that_there_is_not_has_no_numbers() -> None:
    with pytest.raises(KeyError):
        n_trained("spell", 3, **SIZES, shapes=[])


def test_a_slow_round_slows_both() -> None:
    times = {"base": (0.01, 0.02, 0.01), "lora": (0.011, 0.022, 0.011), "prompt": ()}
    assert relative_times(times) == {"lora": pytest.approx((1.1, 1.1, 1.1))}


def test_what_is_written_is_read_again_with_its_times() -> None:
    told = Measured(
        "owner/m", "abc", 4.5, (ONE, replace(ONE, method="prompt")), {"base": (1.0,), "lora": (1.5,)}
    )
    again = read(written(told))
    assert again.points == (replace(ONE, token_s=1.5), replace(ONE, method="prompt"))
    assert (again.model_id, again.base, again.times) == ("owner/m", 4.5, {"base": (1.0,), "lora": (1.5,)})


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_lesson_counts_as_the_page_does(language: str) -> None:
    lesson = (site_root() / "assets" / "lessons" / language / "finetuning.md").read_text("utf-8")
    sizes = {"n_layer": 30, "d_model": 576, "d_keys": 3 * 64, "shapes": []}  # of SmolLM2
    for method, worked in (("prompt", "8 · 576 = "), ("prefix", "8 · 30 · 2 · 192 = ")):
        assert f"{worked}{n_trained(method, 8, **sizes):,}" in lesson

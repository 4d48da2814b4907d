"""Signs in written texts: loops counted by hand, patterns of personal data, percentiles."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.log_checks import percentiles, personal, repeated_share


@given(st.lists(st.sampled_from("abc"), max_size=60))
def test_a_repeated_run_is_one_that_stood_there_before(words: list[str]) -> None:
    runs = [tuple(words[at : at + 4]) for at in range(len(words) - 3)]
    again = sum(run in runs[:at] for at, run in enumerate(runs))
    expected = again / len(runs) if len(words) >= 12 else 0.0
    assert repeated_share(" ".join(words)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("mail kim.chulsu+x@uni.ac.kr now", ("email",)),
        ("전화 02-123-4567, +82 10-1234-5678", ("phone",)),
        ("주민번호 900101-1234567", ("registration",)),
        ("from 1914-1918 and 3.14159, version 10.0.1.0", ()),
        ("a@b and @home", ()),
        ("", ()),
    ],
)
def test_personal_data_is_found_by_its_form(text: str, kinds: tuple[str, ...]) -> None:
    assert personal(text) == kinds


@given(st.lists(st.floats(0, 100), min_size=2, max_size=40))
def test_percentiles_are_those_of_the_standard_library(seconds: list[float]) -> None:
    middle, late = percentiles(seconds)
    assert middle == pytest.approx(statistics.median(seconds))
    assert late == pytest.approx(statistics.quantiles(seconds, n=100, method="inclusive")[94], abs=1e-8)


def test_no_times_have_no_percentiles() -> None:
    assert all(math.isnan(one) for one in percentiles([]))

"""A turn is the value furthest beyond both ends, as far as it is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.turning import turning_point

VALUES = st.lists(st.floats(-10, 10).map(lambda value: round(value, 2)), min_size=1, max_size=8)


@given(VALUES)
def test_without_a_turn_all_lie_between_the_ends(values: list[float]) -> None:
    low, high = sorted((values[0], values[-1]))
    place = turning_point(values, 2)
    if place is None:
        assert all(low <= value <= high for value in values)
    else:
        assert not low <= values[place] <= high
        furthest = max(max(value - high, low - value) for value in values)
        assert max(values[place] - high, low - values[place]) == pytest.approx(furthest)


def test_a_rise_before_a_fall_is_a_turn_and_one_that_rounds_away_is_none() -> None:
    assert turning_point([-1.10, -0.42, -3.0, -6.81], 2) == 1
    assert turning_point([0.5, 0.501, 0.502, 0.499], 2) is None
    assert turning_point([0.3], 2) is None

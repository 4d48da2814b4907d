"""The calendar beside pandas' own."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.agents.dates import look_up
from playground.core.agents.trouble import ToolTrouble

TODAY = date(2026, 3, 2)
days = st.dates(date(1800, 1, 1), date(2100, 1, 1))


@given(days, st.integers(0, 99), st.sampled_from(["days", "weeks", "months", "years"]), st.sampled_from("+-"))
def test_a_date_is_moved_as_pandas_moves_it(day: date, n: int, unit: str, sign: str) -> None:
    there = pd.Timestamp(day) + pd.DateOffset(**{unit: n if sign == "+" else -n})
    assert look_up(f"{day} {sign} {n} {unit}", TODAY) == f"{there.date()}, {there.day_name()}"


@given(days, days)
def test_days_between_are_counted(first: date, last: date) -> None:
    assert look_up(f"{first} to {last}", TODAY) == f"{last.toordinal() - first.toordinal()} days"


def test_today_is_the_day_that_is_given() -> None:
    assert look_up("today", TODAY) == "2026-03-02, Monday"
    assert look_up("오늘 + 6주", TODAY) == "2026-04-13, Monday"
    assert look_up("2026-01-31 + 1 month", TODAY) == "2026-02-28, Saturday"


@pytest.mark.parametrize(
    ("text", "trouble"),
    [("", "not_a_date"), ("next week", "not_a_date"), ("2026-02-30", "not_a_date"),
     ("2026-13-01", "not_a_date"),
     ("9999-12-31 + 1 day", "too_large"), ("0001-01-01 - 1 month", "too_large"),
     ("today + 999999 years", "too_large"), ("x" * 100_000, "too_long")],
)  # fmt: skip
def test_what_is_no_date_has_a_name(text: str, trouble: str) -> None:
    with pytest.raises(ToolTrouble) as caught:
        look_up(text, TODAY)
    assert caught.value.name == trouble

"""The tool that knows the calendar: days after a date, days between two, the day of the week."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

from playground.core.agents.trouble import ToolTrouble

MAX_CHARS = 60
MAX_COUNT = 100_000  # days, weeks, months or years that are added
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = r"(\d{4}-\d{1,2}-\d{1,2}|today|오늘)"
_UNITS = {"day": "day", "week": "week", "month": "month", "year": "year",
          "일": "day", "주": "week", "개월": "month", "달": "month", "년": "year"}  # fmt: skip
_ADDED = re.compile(rf"{_DAY}\s*([+-])\s*(\d{{1,6}})\s*(day|week|month|year|일|주|개월|달|년)s?")
_BETWEEN = re.compile(rf"{_DAY}\s*(?:to|-|until|부터|에서)\s*{_DAY}")
_ALONE = re.compile(_DAY)


def look_up(written: str, today: date) -> str:
    """Answer a question about dates.

    Args:
        written: "2026-03-01", "today", "2026-03-01 + 10 days", "2026-03-01 to 2026-04-01".
        today: The day that "today" stands for.

    Raises:
        ToolTrouble: It is none of these, or leaves the years 1 to 9999.

    Example:
        >>> look_up("today + 10 days", date(2026, 3, 1)), look_up("2026-03-01 to today", date(2026, 3, 8))
        ('2026-03-11, Wednesday', '7 days')
    """
    if len(written) > MAX_CHARS:
        raise ToolTrouble("too_long", written)
    text = written.strip().lower()
    if found := _ADDED.fullmatch(text):
        count = int(found[3]) * (1 if found[2] == "+" else -1)
        return _named(_moved(_day(found[1], today, written), count, _UNITS[found[4]], written))
    if found := _BETWEEN.fullmatch(text):
        return f"{(_day(found[2], today, written) - _day(found[1], today, written)).days} days"
    if found := _ALONE.fullmatch(text):
        return _named(_day(found[1], today, written))
    raise ToolTrouble("not_a_date", written)


def _day(written: str, today: date, all_of_it: str) -> date:
    if written in ("today", "오늘"):
        return today
    year, month, day = map(int, written.split("-"))
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ToolTrouble("not_a_date", all_of_it) from error


def _moved(day: date, count: int, unit: str, written: str) -> date:
    """A day later; the 31st plus a month is the last day of the next."""
    if abs(count) > MAX_COUNT:
        raise ToolTrouble("too_large", written)
    try:
        if unit in ("day", "week"):
            return day + timedelta(days=count * (7 if unit == "week" else 1))
        months = day.year * 12 + day.month - 1 + count * (12 if unit == "year" else 1)
        year, month = divmod(months, 12)
        return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
    except (ValueError, OverflowError) as error:
        raise ToolTrouble("too_large", written) from error


def _named(day: date) -> str:
    return f"{day.isoformat()}, {_WEEKDAYS[day.weekday()]}"

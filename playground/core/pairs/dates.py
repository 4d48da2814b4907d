"""Dates as people write them in English and Korean, paired with ISO 8601: "3 May 2026" -> "2026-05-03".

An English date changes its order on the way, a Korean one keeps it. Which dates are held out is decided by
the date alone, so that a model trained with any seed has never read one of them in any form.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from types import MappingProxyType

from playground.core.pairs.pair import Pair

FIRST, LAST = date(1900, 1, 1), date(2099, 12, 31)
HELD_OUT_SHARE = 0.1
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]  # not `calendar`'s, which are those of the server's locale
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_WEEKDAYS_KO = "월화수목금토일"


def _ordinal(number: int) -> str:
    """The number of a day as English says it: 1st, 2nd, 3rd, 11th, 23rd."""
    ending = "th" if 11 <= number <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _month(day: date) -> str:
    return _MONTHS[day.month - 1]


def _weekday(day: date) -> str:
    return _WEEKDAYS[day.weekday()]


def _weekday_ko(day: date) -> str:
    return _WEEKDAYS_KO[day.weekday()]


Form = Callable[[date], str]
FORMS: Mapping[str, tuple[Form, ...]] = MappingProxyType(
    {
        "en": (
            lambda day: f"{day.day} {_month(day)} {day.year}",
            lambda day: f"{_month(day)} {day.day}, {day.year}",
            lambda day: f"{_month(day)} {day.day} {day.year}",
            lambda day: f"{_ordinal(day.day)} of {_month(day)} {day.year}",
            lambda day: f"{_month(day)} {_ordinal(day.day)}, {day.year}",
            lambda day: f"{day.day} {_month(day)[:3]} {day.year}",
            lambda day: f"{_month(day)[:3]} {day.day}, {day.year}",
            lambda day: f"{_weekday(day)}, {_month(day)} {day.day}, {day.year}",
            lambda day: f"{_weekday(day)[:3]} {day.day} {_month(day)} {day.year}",
        ),
        "ko": (
            lambda day: f"{day.year}년 {day.month}월 {day.day}일",
            lambda day: f"{day.year}년{day.month}월{day.day}일",
            lambda day: f"{day.year}. {day.month}. {day.day}.",
            lambda day: f"{day.year}년 {day.month:02}월 {day.day:02}일",
            lambda day: f"{day.year}.{day.month:02}.{day.day:02}.",
            lambda day: f"{day.year}년 {day.month}월 {day.day}일 {_weekday_ko(day)}요일",
            lambda day: f"{day.year}년 {day.month}월 {day.day}일({_weekday_ko(day)})",
        ),
    }
)
LANGUAGES = tuple(FORMS)


def is_held_out(day: date) -> bool:
    """True for the tenth of all dates on which no model is ever trained, whatever the seed.

    Example:
        >>> [is_held_out(date(2026, 5, number)) for number in (3, 4, 5)]
        [False, False, True]
    """
    digest = hashlib.sha256(day.isoformat().encode()).digest()
    return int.from_bytes(digest[:8]) < HELD_OUT_SHARE * 2**64


def written(day: date, language: str) -> tuple[Pair, ...]:
    """A date in every written form of a language.

    Example:
        >>> [pair.source for pair in written(date(2026, 5, 3), "ko")][:2]
        ['2026년 5월 3일', '2026년5월3일']
    """
    return tuple(Pair(form(day), day.isoformat()) for form in FORMS[language])


def date_pairs(
    n: int, seed: int, languages: Sequence[str] = LANGUAGES, *, held_out: bool = False
) -> tuple[Pair, ...]:
    """Draw dates between 1900 and 2099, each in a language and a form by chance; a date may come twice.

    Args:
        n: Number of pairs.
        seed: The same seed gives the same pairs.
        languages: Some of `LANGUAGES`.
        held_out: True draws held-out dates only, False the others only.

    Raises:
        ValueError: There is no such language.
    """
    if not languages or not set(languages) <= FORMS.keys():
        raise ValueError(f"languages are some of {LANGUAGES}, not {tuple(languages)}")
    drawn = random.Random(seed)
    pairs: list[Pair] = []
    while len(pairs) < n:
        day = FIRST + timedelta(days=drawn.randrange((LAST - FIRST).days + 1))
        if is_held_out(day) is held_out:
            form = drawn.choice(FORMS[drawn.choice(languages)])
            pairs.append(Pair(form(day), day.isoformat()))
    return tuple(pairs)


def train_and_held_out(
    n_train: int, n_held_out: int, seed: int, languages: Sequence[str] = LANGUAGES
) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """(pairs to train on, pairs to judge by): no date of one is in the other, nor in any other seed's.

    Example:
        >>> train, held_out = train_and_held_out(1000, 100, seed=0)
        >>> {pair.target for pair in train} & {pair.target for pair in held_out}
        set()
    """
    return (
        date_pairs(n_train, seed, languages),
        date_pairs(n_held_out, seed, languages, held_out=True),
    )

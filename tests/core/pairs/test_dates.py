"""Dates against the datetime library, which reads them back."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, timedelta

import pytest

from playground.core.pairs import dates
from playground.core.pairs.pair import Pair

ENGLISH = (
    "%d %B %Y",
    "%B %d, %Y",
    "%B %d %Y",
    "%d of %B %Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%A, %B %d, %Y",
    "%a %d %B %Y",
)
KOREAN = ("%Y년 %m월 %d일", "%Y년%m월%d일", "%Y. %m. %d.", "%Y.%m.%d.")
EVERY_DAY = [dates.FIRST + timedelta(days=number) for number in range((dates.LAST - dates.FIRST).days + 1)]


def read_back(source: str) -> set[date]:
    """Every date that the library reads in a written form."""
    plain = re.sub(r"(\d)(st|nd|rd|th)\b", r"\1", source)
    plain = re.sub(r"( .요일|\(.\))$", "", plain)
    found = set()
    for form in (*ENGLISH, *KOREAN):
        try:
            found.add(datetime.strptime(plain, form).date())
        except ValueError:
            continue
    return found


@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.parametrize("language", dates.LANGUAGES)
def test_a_date_is_read_back_by_the_library(language: str, held_out: bool) -> None:
    for pair in dates.date_pairs(400, 3, [language], held_out=held_out):
        assert read_back(pair.source) == {date.fromisoformat(pair.target)}, pair


def test_every_form_of_a_leap_day_is_read_back() -> None:
    day = date(2096, 2, 29)
    for language, forms in dates.FORMS.items():
        pairs = dates.written(day, language)
        assert len({pair.source for pair in pairs}) == len(forms)
        assert all(read_back(pair.source) == {day} for pair in pairs)


def test_weekdays_are_those_of_the_calendar() -> None:
    assert "Sunday, May 3, 2026" in {pair.source for pair in dates.written(date(2026, 5, 3), "en")}
    korean = {pair.source for pair in dates.written(date(2026, 5, 3), "ko")}
    assert {"2026년 5월 3일 일요일", "2026년 5월 3일(일)"} <= korean
    for number in range(7):
        day = date(2026, 5, 3) + timedelta(days=number)
        assert dates.FORMS["en"][-2](day).startswith(f"{day:%A}, ")


def test_ordinals_end_as_english_does() -> None:
    said = [dates.FORMS["en"][3](date(2026, 1, number)).split()[0] for number in range(1, 32)]
    odd = {1: "1st", 2: "2nd", 3: "3rd", 21: "21st", 22: "22nd", 23: "23rd", 31: "31st"}
    assert said == [odd.get(number, f"{number}th") for number in range(1, 32)]


def test_held_out_dates_are_never_trained_whatever_the_seed() -> None:
    trained = {pair.target for seed in range(20) for pair in dates.date_pairs(500, seed)}
    judged = {pair.target for seed in range(20) for pair in dates.date_pairs(500, seed, held_out=True)}
    assert len(trained) > 8_000
    assert len(judged) > 4_000
    assert not trained & judged
    assert not any(dates.is_held_out(date.fromisoformat(target)) for target in trained)


def test_a_tenth_of_all_dates_is_held_out_in_every_month_and_decade() -> None:
    held_out = [day for day in EVERY_DAY if dates.is_held_out(day)]
    assert len(held_out) / len(EVERY_DAY) == pytest.approx(dates.HELD_OUT_SHARE, abs=0.005)
    assert len({day.month for day in held_out}) == 12
    assert len({day.year // 10 for day in held_out}) == 20


def test_every_form_of_every_language_is_drawn() -> None:
    shapes = Counter(re.sub(r"\d+", "0", pair.source) for pair in dates.date_pairs(3_000, 1, ["ko"]))
    weekdays = [shape for shape in shapes if "요일" in shape]
    assert len(weekdays) == 7
    assert set(shapes) - set(weekdays) >= {"0년 0월 0일", "0년0월0일", "0. 0. 0.", "0.0.0."}
    both = dates.date_pairs(2_000, 1)
    assert 0.4 < sum("년" in pair.source or pair.source[:4].isdigit() for pair in both) / len(both) < 0.6


def test_a_seed_gives_its_pairs_and_another_gives_others() -> None:
    assert dates.date_pairs(50, 7) == dates.date_pairs(100, 7)[:50]
    assert dates.date_pairs(50, 7) != dates.date_pairs(50, 8)
    assert dates.date_pairs(2, 0) == (
        Pair("2038년 4월 1일", "2038-04-01"),
        Pair("1992년 11월 30일", "1992-11-30"),
    )


@pytest.mark.parametrize("languages", [[], ["de"], ["en", "de"]])
def test_an_unknown_language_is_refused(languages: list[str]) -> None:
    with pytest.raises(ValueError, match="languages"):
        dates.date_pairs(1, 0, languages)

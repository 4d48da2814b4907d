"""A judge of two answers: verdicts in both orders, shares of them, and the pairs that are shipped."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.judging import JudgedPair, Share, Verdict, p_first, read_pairs, shares
from playground.paths import site_root

PAIRS = read_pairs((site_root() / "assets/samples/judging.json").read_text("utf-8"))
VERDICTS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=len(PAIRS), max_size=len(PAIRS))


def by_name(verdicts: list[Verdict], longer: list[Verdict] | None = None) -> dict[str, Share]:
    return {one.name: one for one in shares(PAIRS, verdicts, longer)}


@given(st.floats(-700, 0), st.floats(-700, 0))
def test_the_first_wins_with_its_share_of_both(first: float, second: float) -> None:
    p = p_first([first, second])
    assert p == pytest.approx(1 - p_first([second, first]), abs=1e-12)
    assert p == pytest.approx(1 / (1 + math.exp(second - first)) if second - first < 700 else 0, abs=1e-12)


def test_a_judge_that_always_takes_the_first_turns_and_is_right_in_no_mean() -> None:
    found = by_name([Verdict(0.9, 0.9)] * len(PAIRS))
    assert (found["turns"].share, found["first"].share, found["right"].share) == (1, 1, 0)
    assert not found["turns"].may_be_chance


def test_a_judge_that_knows_is_right_whatever_stands_first() -> None:
    found = by_name([Verdict(0.9, 0.1)] * len(PAIRS), [Verdict(0.9, 0.3)] * len(PAIRS))
    assert (found["turns"].share, found["first"].share, found["right"].share) == (0, 0.5, 1)
    assert found["first"].may_be_chance
    assert found["longer"].share == 0.5  # of half the pairs the better answer is the longer one
    assert found["lengthened"].share == 0


def test_a_judge_that_takes_the_longer_one_is_right_in_half_and_falls_for_length() -> None:
    longer = [len(one.better) > len(one.worse) for one in PAIRS]
    verdicts = [Verdict(0.9, 0.2) if one else Verdict(0.3, 0.9) for one in longer]
    found = by_name(verdicts, [Verdict(0.2, 0.9)] * len(PAIRS))
    assert (found["longer"].share, found["right"].share) == (1, 0.5)
    assert found["lengthened"].n_yes == sum(longer)


@given(VERDICTS)
def test_shares_are_counts_with_intervals_around_them(values: list[tuple[float, float]]) -> None:
    verdicts = [Verdict(*one) for one in values]
    for one in shares(PAIRS, verdicts, verdicts):
        low, high = one.interval
        assert 0 <= low <= one.share + 1e-12
        assert one.share <= high + 1e-12 <= 1 + 1e-9
    found = by_name(verdicts, verdicts)
    assert found["lengthened"].n_yes == 0
    assert found["turns"].n_yes == sum((a > 0.5) != (1 - b > 0.5) for a, b in values)


def test_the_pairs_are_ours_balanced_by_language_and_length() -> None:
    assert len(PAIRS) >= 40
    assert len({one.question for one in PAIRS}) == len(PAIRS)
    by_language = Counter(one.language for one in PAIRS)
    assert by_language["en"] == by_language["ko"]
    for language, n in by_language.items():
        own = [one for one in PAIRS if one.language == language]
        assert sum(len(one.better) > len(one.worse) for one in own) == n / 2


@pytest.mark.parametrize("pair", PAIRS, ids=lambda one: one.question)
def test_the_lengthened_answer_is_the_worse_one_and_the_longest(pair: JudgedPair) -> None:
    assert pair.longer.startswith(pair.worse)
    assert len(pair.longer) > max(len(pair.better), len(pair.worse))
    assert pair.better not in pair.longer
    has_hangul = any("가" <= char <= "힣" for char in pair.question)
    assert has_hangul == (pair.language == "ko")

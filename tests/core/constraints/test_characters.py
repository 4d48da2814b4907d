"""Sets of characters are what `re` and Python's own sets say."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from playground.core.constraints.characters import ALL, LAST, Ranges, matched_by, others, shared, united

CODES = st.integers(0, 60)
PAIRS = st.lists(st.tuples(CODES, CODES).map(lambda pair: (min(pair), max(pair))), max_size=6)


def members(ranges: Ranges) -> set[int]:
    return {code for first, last in ranges for code in range(first, last + 1)}


@given(PAIRS, PAIRS)
def test_sets_behave_as_sets(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    one, two = united(left), united(right)
    assert members(one) == {code for first, last in left for code in range(first, last + 1)}
    assert members(shared(one, two)) == members(one) & members(two)
    assert members(united([*one, *two])) == members(one) | members(two)
    assert members(shared(others(one), ((0, 99),))) == set(range(100)) - members(one)
    assert others(others(one)) == one
    assert all(end + 1 < start for (_first, end), (start, _last) in pairwise(one))


def test_all_characters_are_those_that_utf_8_can_write() -> None:
    assert others(()) == ALL
    assert sum(last - first + 1 for first, last in ALL) == LAST + 1 - 2048
    for first, last in ALL:
        assert [len(chr(code).encode()) for code in (first, last)]


def test_a_class_is_what_re_matches_one_by_one() -> None:
    for pattern in (r"\d", r"\s", r"\w"):
        found = matched_by(pattern)
        held = members(found)
        sample = [
            *range(0x300),
            *range(0x1100, 0x1200),
            *range(0xAC00, 0xAC80),
            *range(0x2000, 0x2100),
            0x1D7CE,
        ]
        for code in sample:
            assert (code in held) == bool(re.fullmatch(pattern, chr(code))), (pattern, hex(code))

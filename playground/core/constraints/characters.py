"""Sets of characters as ranges of code points, and the classes of regular expressions as such sets."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from functools import cache

Ranges = tuple[tuple[int, int], ...]  # first and last code point of each, ascending, apart from each other

SURROGATES = (0xD800, 0xDFFF)  # halves of characters: no text in UTF-8 has them
LAST = sys.maxunicode
ALL: Ranges = ((0, SURROGATES[0] - 1), (SURROGATES[1] + 1, LAST))


def united(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The characters of any of the ranges, without surrogates.

    Example:
        >>> united([(100, 120), (65, 90), (110, 130)])
        ((65, 90), (100, 130))
    """
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return shared(tuple(found), ALL)


def others(ranges: Ranges) -> Ranges:
    """All characters that are not among these.

    Example:
        >>> others(others(((65, 90),)))
        ((65, 90),)
    """
    ends = [-1, *(last for _first, last in ranges)]
    starts = [*(first for first, _last in ranges), LAST + 1]
    gaps = [(end + 1, start - 1) for end, start in zip(ends, starts, strict=True) if end + 1 < start]
    return shared(tuple(gaps), ALL)


def shared(left: Ranges, right: Ranges) -> Ranges:
    """The characters that are in both.

    Example:
        >>> shared(((65, 90),), ((70, 72), (80, 99)))
        ((70, 72), (80, 90))
    """
    found: list[tuple[int, int]] = []
    here = there = 0
    while here < len(left) and there < len(right):
        first, last = max(left[here][0], right[there][0]), min(left[here][1], right[there][1])
        if first <= last:
            found.append((first, last))
        if left[here][1] < right[there][1]:
            here += 1
        else:
            there += 1
    return tuple(found)


@cache
def matched_by(pattern: str) -> Ranges:
    r"""The characters that Python's `re` matches with a class such as `\w`.

    Args:
        pattern: One of a handful: the result is kept.

    Example:
        >>> matched_by("(?a:[0-9])")
        ((48, 57),)
    """
    found: list[tuple[int, int]] = []
    for start, end in ALL:
        text = "".join(map(chr, range(start, end + 1)))
        matches = re.finditer(f"(?:{pattern})+", text)
        found += [(start + one.start(), start + one.end() - 1) for one in matches]
    return tuple(found)

"""Numbers in Korean words (Sino-Korean) and back: 이천이십육 is 2026."""

from __future__ import annotations

DIGITS = "영일이삼사오육칠팔구"
_SMALL = ("", "십", "백", "천")  # within four digits
_LARGE = ("", "만", "억")  # of each four digits
LAST = 10**12 - 1


def in_words(number: int) -> str:
    """A number from 0 to 999,999,999,999 in words, without spaces; 일 before 십, 백, 천, 만 is left out.

    Raises:
        ValueError: The number is out of range.

    Example:
        >>> [in_words(number) for number in (0, 16, 2026, 10_000, 110_305, 100_000_000)]
        ['영', '십육', '이천이십육', '만', '십일만삼백오', '일억']
    """
    if not 0 <= number <= LAST:
        raise ValueError(f"numbers go from 0 to {LAST}, not {number}")
    if number == 0:
        return DIGITS[0]
    words = ""
    for unit in reversed(range(len(_LARGE))):
        part = number // 10_000**unit % 10_000
        if part:
            words += ("" if part == 1 and unit == 1 and not words else _four(part)) + _LARGE[unit]
    return words


def _four(number: int) -> str:
    """Up to four digits in words."""
    words = ""
    for place in reversed(range(len(_SMALL))):
        digit = number // 10**place % 10
        if digit:
            words += ("" if digit == 1 and place else DIGITS[digit]) + _SMALL[place]
    return words


def of_words(words: str) -> int:
    """The number that words mean; 일 may be said before every unit (일십, 일만).

    Raises:
        ValueError: They are no number, or their units are not in order.

    Example:
        >>> [of_words(words) for words in ("영", "십육", "일십육", "십일만삼백오", "일억")]
        [0, 16, 16, 110305, 100000000]
    """
    if words == DIGITS[0]:
        return 0
    total, part, digit = 0, 0, 0
    last_small, last_large = len(_SMALL), len(_LARGE)  # units come in falling order
    for sign in words:
        if sign in DIGITS[1:] and not digit and last_small > 0:
            digit = DIGITS.index(sign)
        elif sign in _SMALL[1:] and _SMALL.index(sign) < last_small:
            last_small = _SMALL.index(sign)
            part, digit = part + (digit or 1) * 10**last_small, 0
        elif sign in _LARGE[1:] and _LARGE.index(sign) < last_large:
            last_large = _LARGE.index(sign)
            total, part, digit = total + (part + digit or 1) * 10_000**last_large, 0, 0
            last_small = len(_SMALL)
        else:
            raise ValueError(f"no number: {words}")
    if not words:
        raise ValueError("no number: there are no words")
    return total + part + digit

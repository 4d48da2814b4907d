"""Regular expressions from a stranger's file, matched as `re` does and stopped after a while."""

from __future__ import annotations

import re
import time
from typing import Any

import regex

from playground.errors import Message

_MAX_CHARS = 20_000  # of one, once what it says n times is written out n times
_MAX_ALL_CHARS = 200_000
_COUNT = re.compile(r"\{(\d+)(?:,\d*)?\}")
# what `re` and `regex` read differently, or what `re` says it will read differently; and what no module is
# called, since sets of all letters there are take `re` milliseconds each
_UNCLEAR = re.compile(r"\[\^?\[|\[:|--|&&|~~|\|\||\{(?!\d*,?\d*\})|[^\x00-\x7f]|\\[uU]")


class BadPattern(ValueError):
    """A pattern that cannot be used; `allowed` says which can be."""

    def __init__(self, allowed: Message) -> None:
        self.allowed = allowed
        super().__init__(str(allowed))


class Patterns:
    """Matches regular expressions until its time is up.

    `re` cannot be stopped, and all other threads wait while it matches; `regex` can be, and they do not.

    `regex` writes `x{1000}` out a thousand times when it makes one ready (260 bytes each), so that counts are
    bounded before it sees them.

    Args:
        timeout_s: For everything that is matched with it together.

    Raises:
        BadPattern: From `match` and `fullmatch`.

    Example:
        >>> Patterns(1.0).match("[a-z]+", "q_proj").group()
        'q'
        >>> Patterns(1.0).fullmatch("[a-z]+", "q_proj") is None
        True
    """

    def __init__(self, timeout_s: float) -> None:
        self._until = time.monotonic() + timeout_s
        self._compiled: dict[str, Any] = {}
        self._n_chars = 0

    def match(self, pattern: str, text: str) -> Any:  # noqa: ANN401  (regex is untyped)
        """As `re.match`."""
        return self._timed(pattern, "match", text)

    def fullmatch(self, pattern: str, text: str) -> Any:  # noqa: ANN401
        """As `re.fullmatch`."""
        return self._timed(pattern, "fullmatch", text)

    def _timed(self, pattern: str, method: str, text: str) -> Any:  # noqa: ANN401
        try:
            self._check_time()
            match = getattr(self._of(pattern), method)
            return match(text, timeout=self._check_time(), concurrent=True)
        except TimeoutError:
            raise BadPattern(Message("a pattern that takes less time")) from None

    def _check_time(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _of(self, pattern: str) -> Any:  # noqa: ANN401
        if pattern not in self._compiled:
            n_chars = _written_out(pattern)
            self._n_chars += n_chars
            if n_chars > _MAX_CHARS or self._n_chars > _MAX_ALL_CHARS:
                raise BadPattern(Message("shorter patterns with smaller counts"))
            self._compiled[pattern] = _compiled(pattern)
        return self._compiled[pattern]


def _written_out(pattern: str) -> int:
    r"""Largest length of a pattern once its repetitions are written out.

    Example:
        >>> _written_out("(?:a{3}){20,}"), _written_out(r"\d{0,9}")
        (780, 7)
    """
    n_chars: float = len(pattern)
    for count in _COUNT.findall(pattern):
        n_chars = min(n_chars * max(1.0, float(count)), _MAX_ALL_CHARS + 1)
    return int(n_chars)


def _compiled(pattern: str) -> Any:  # noqa: ANN401
    try:
        if _UNCLEAR.search(pattern):
            raise ValueError
        re.compile(pattern)
        return regex.compile(pattern)
    except (re.error, regex.error, ValueError, OverflowError, RecursionError):
        raise BadPattern(Message("a plain regular expression")) from None

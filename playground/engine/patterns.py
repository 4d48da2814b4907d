"""Regular expressions from a stranger's file, matched as `re` does and stopped after a while."""

from __future__ import annotations

import re
import time
from typing import Any

import regex

from playground.errors import N_

_MAX_CHARS = 20_000
# what `re` and `regex` read differently, or what `re` says it will read differently
_UNCLEAR = re.compile(r"\[\^?\[|\[:|--|&&|~~|\|\||\{(?!\d*,?\d*\})")


class Patterns:
    """Matches regular expressions until its time is up.

    `re` cannot be stopped, and all other threads wait while it matches; `regex` can be, and they do not.

    Args:
        timeout_s: For everything that is matched with it together.

    Raises:
        ValueError: From `match` and `fullmatch`: what the pattern should be.

    Example:
        >>> Patterns(1.0).match("[a-z]+", "q_proj").group()
        'q'
        >>> Patterns(1.0).fullmatch("[a-z]+", "q_proj") is None
        True
    """

    def __init__(self, timeout_s: float) -> None:
        self._until = time.monotonic() + timeout_s
        self._compiled: dict[str, Any] = {}

    def match(self, pattern: str, text: str) -> Any:  # noqa: ANN401  (regex is untyped)
        """As `re.match`."""
        return self._timed(self._of(pattern).match, text)

    def fullmatch(self, pattern: str, text: str) -> Any:  # noqa: ANN401
        """As `re.fullmatch`."""
        return self._timed(self._of(pattern).fullmatch, text)

    def _of(self, pattern: str) -> Any:  # noqa: ANN401
        if pattern not in self._compiled:
            self._compiled[pattern] = _compiled(pattern)
        return self._compiled[pattern]

    def _timed(self, match: Any, text: str) -> Any:  # noqa: ANN401
        try:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            return match(text, timeout=left, concurrent=True)
        except TimeoutError:
            raise ValueError(N_("a pattern that takes less time")) from None


def _compiled(pattern: str) -> Any:  # noqa: ANN401
    try:
        if len(pattern) > _MAX_CHARS or _UNCLEAR.search(pattern):
            raise ValueError
        re.compile(pattern)
        return regex.compile(pattern)
    except (re.error, regex.error, ValueError, OverflowError, RecursionError):
        raise ValueError(N_("a plain regular expression")) from None

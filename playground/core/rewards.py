"""Rewards that a reader may choose for texts: length, a word counted, a regular expression of their own.

A regular expression is a stranger's program. `regex` stops after a while and lets other threads run
meanwhile, which `re` does not; and it writes `x{1000}` out a thousand times, so counts are bounded before it
sees them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import regex
from numpy.typing import ArrayLike, NDArray

from playground.core.canonical import canonical
from playground.errors import BadValue, Message

Kind = Literal["characters", "words", "mentions", "pattern"]
KINDS: Final[tuple[Kind, ...]] = ("characters", "words", "mentions", "pattern")
MAX_WORD, MAX_PATTERN = 40, 200  # characters
TIMEOUT_S = 1.0  # for all texts of one call
_MAX_WRITTEN_OUT = 20_000  # characters of a pattern, once what it says n times is written out n times
_COUNT = regex.compile(r"\{(\d*)(?:,(\d*))?\}")


@dataclass(frozen=True, slots=True)
class TextReward:
    """A reward that can be computed from a text alone.

    Attributes:
        kind: "characters" or "words" count those; "mentions" counts how often the word `wanted` stands in the
            text, within other words too and in any case; "pattern" counts the matches of the regular
            expression `wanted` that are not empty.
        wanted: The word or the regular expression; "" for lengths.
        sign: 1 if more is better, -1 if less is.

    Example:
        >>> TextReward("mentions", "awesome").check()
    """

    kind: Kind
    wanted: str = ""
    sign: Literal[1, -1] = 1

    def check(self) -> None:
        """Refuse what cannot be counted.

        Raises:
            BadValue: An unknown kind or sign, a word or an expression that is empty or too long, or an
                expression that cannot be used.
        """
        if self.kind not in KINDS:
            raise BadValue(name="kind", value=repr(self.kind)[:40], allowed=", ".join(KINDS))
        if self.sign not in (1, -1):
            raise BadValue(name="sign", value=repr(self.sign)[:40], allowed="-1, 1")
        if self.kind == "mentions" and not 0 < len(canonical(self.wanted).strip()) <= MAX_WORD:
            raise _refused(Message("The word"), self.wanted, Message("a word of 1 to 40 characters"))
        if self.kind == "pattern":
            _compiled(self.wanted)


def rewards_of(reward: TextReward, texts: Sequence[str]) -> NDArray[np.float64]:
    """The reward of each text. Shape [text].

    Args:
        reward: What is counted.
        texts: Any texts.

    Raises:
        BadValue: As of `TextReward.check`, or a regular expression takes longer than a second.

    Example:
        >>> rewards_of(TextReward("mentions", "awesome"), ["Awesome, awesome!", "Good."]).tolist()
        [2.0, 0.0]
        >>> rewards_of(TextReward("words", sign=-1), ["so it is"]).tolist()
        [-3.0]
        >>> rewards_of(TextReward("pattern", r"\\d+"), ["from 3 to 14"]).tolist()
        [2.0]
    """
    reward.check()
    if reward.kind == "pattern":
        counts: Iterable[int] = _matches(reward.wanted, texts)
    elif reward.kind == "mentions":
        wanted = canonical(reward.wanted).strip().casefold()
        counts = (canonical(text).casefold().count(wanted) for text in texts)
    elif reward.kind == "words":
        counts = (len(text.split()) for text in texts)
    else:
        counts = (len(canonical(text)) for text in texts)
    return finite_rewards([reward.sign * count + 0.0 for count in counts])


def finite_rewards(values: ArrayLike) -> NDArray[np.float64]:
    """Rewards as they are, wherever they come from, once all of them are numbers. Shape [text].

    Args:
        values: Shape [text].

    Raises:
        BadValue: One is NaN or infinite: no step could be taken after it.

    Example:
        >>> finite_rewards([1, 2.5]).tolist()
        [1.0, 2.5]
    """
    given = np.asarray(values, np.float64)
    broken = given[~np.isfinite(given)]
    if len(broken):
        raise BadValue(name=Message("The reward"), value=f"{broken[0]:g}", allowed=Message("a number"))
    return given


def _matches(pattern: str, texts: Sequence[str]) -> list[int]:
    """Number of matches in each text that are not empty."""
    compiled, until, counts = _compiled(pattern), time.monotonic() + TIMEOUT_S, []
    try:
        for text in texts:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            found = compiled.finditer(text, timeout=left, concurrent=True)
            counts.append(sum(match.start() < match.end() for match in found))
    except TimeoutError:
        slow = Message("a pattern that takes less time")
        raise _refused(Message("The regular expression"), pattern, slow) from None
    except MemoryError:
        small = Message("shorter patterns with smaller counts")
        raise _refused(Message("The regular expression"), pattern, small) from None
    return counts


def _compiled(pattern: str) -> Any:  # noqa: ANN401  (regex is untyped)
    name = Message("The regular expression")
    if not pattern or len(pattern) > MAX_PATTERN:
        raise _refused(name, pattern, Message("an expression of 1 to 200 characters"))
    if _written_out(pattern) > _MAX_WRITTEN_OUT:
        raise _refused(name, pattern, Message("shorter patterns with smaller counts"))
    try:
        return regex.compile(pattern, cache_pattern=False)
    except (regex.error, ValueError, OverflowError, RecursionError, TypeError, KeyError, IndexError):
        raise _refused(name, pattern, Message("a plain regular expression")) from None


def _written_out(pattern: str) -> float:
    r"""Largest length of a pattern once its repetitions are written out.

    Example:
        >>> _written_out("(?:a{3}){20,}"), _written_out(r"\d{,9}")
        (780.0, 54.0)
    """
    n_chars = float(len(pattern))
    for least, most in _COUNT.findall(pattern):
        n_chars = min(n_chars * max(1.0, *(float(count or 1) for count in (least, most))), math.inf)
    return n_chars


def _refused(name: Message, value: str, allowed: Message) -> BadValue:
    return BadValue(name=name, value=repr(value)[:60], allowed=allowed)

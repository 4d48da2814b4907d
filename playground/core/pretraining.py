"""A text that a model learns from which has read nothing else: parts, windows of bytes, lines to beat."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from playground.core.count_model import CountModel

HELD_OUT_SHARE = 10  # a tenth of the text, its end
MAX_HELD_OUT = 8_192  # bytes that are measured; a longer end is cut off there
ORDERS = (1, 2, 3)  # unigram, bigram, trigram
_LN_2 = float(np.log(2))


@dataclass(frozen=True, slots=True)
class Parts:
    """A text in UTF-8, cut where a character begins.

    Attributes:
        train: Bytes to learn from.
        held_out: Bytes behind them, never learned from.
    """

    train: bytes
    held_out: bytes


@dataclass(frozen=True, slots=True)
class ByteWindow:
    """Bytes that a model reads at once.

    Attributes:
        data: The bytes.
        n_context: How many at its beginning are read and do not count.
        draw: Number of its masks, for objectives that hide something: another number, other masks.
        n_told: Tokens that a model is to tell of it, 0 for all bytes behind the context.
    """

    data: bytes
    n_context: int = 0
    draw: int = 0
    n_told: int = 0

    @property
    def n_tokens(self) -> int:
        """Bytes that are read."""
        return len(self.data)

    @property
    def n_trained(self) -> int:
        """Tokens that count in the loss."""
        return self.n_told or len(self.data) - self.n_context


def normal(text: str) -> str:
    """The text composed (NFC), so that a Hangul syllable has three bytes however it was typed.

    Example:
        >>> len(normal("\\u1100\\u1161").encode())
        3
    """
    return unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))


def parts(text: str) -> Parts:
    """The two parts of a text: its last tenth, of which at most 8,192 bytes, is held out.

    The same rule for count models and networks.

    Example:
        >>> parts("0123456789")
        Parts(train=b'012345678', held_out=b'9')
    """
    data = normal(text).encode()
    at = _begin(data, len(data) - len(data) // HELD_OUT_SHARE)
    return Parts(data[:at], data[at : _begin(data, min(len(data), at + MAX_HELD_OUT))])


def halves(text: str) -> tuple[str, str]:
    """The text before and after its middle, cut behind a line where one ends near it: before, after a date.

    Example:
        >>> halves("one\\ntwo\\n")
        ('one\\n', 'two\\n')
    """
    text = normal(text)
    middle = len(text) // 2
    found = text.rfind("\n", middle - len(text) // 20, middle + 1)
    at = found + 1 if found >= 0 else middle
    return text[:at], text[at:]


def _begin(data: bytes, at: int) -> int:
    """The same place, or the begin of the character that it lies in."""
    while 0 < at < len(data) and data[at] & 0xC0 == 0x80:
        at -= 1
    return at


def windows_to_learn(data: bytes, size: int, n_draws: int = 1, n_told: int = 0) -> tuple[ByteWindow, ...]:
    """Windows that overlap by half, as often as masks are drawn anew in each; every byte lies in one.

    Args:
        data: At least `size` bytes.
        size: Bytes of a window.
        n_draws: How often each comes, with other masks.
        n_told: As in `ByteWindow`.
    """
    starts = sorted({*range(0, len(data) - size + 1, max(1, size // 2)), len(data) - size})
    each = [data[start : start + size] for start in starts]
    return tuple(ByteWindow(one, 0, draw, n_told) for draw in range(n_draws) for one in each)


def windows_to_hide(before: bytes, data: bytes, size: int, n_told: int) -> tuple[ByteWindow, ...]:
    """Windows that lie side by side, the last one as far back as it needs: in each something is hidden.

    Args:
        before: Bytes in front of `data`, for a last window that is too short.
        data: Bytes to measure; () comes of none.
        size, n_told: As in `windows_to_learn`.
    """
    whole = before + data
    ends = [min(len(whole), stop) for stop in range(len(before) + size, len(whole) + size, size)]
    return tuple(ByteWindow(whole[max(0, end - size) : end], 0, 0, n_told) for end in ends)


def windows_to_measure(before: bytes, data: bytes, size: int) -> tuple[ByteWindow, ...]:
    """Windows in which every byte of `data` counts once, behind up to a quarter of a window of context.

    Args:
        before: Bytes in front of `data`: they are read, and do not count.
        data: Bytes to measure; () comes of none.
        size: Bytes of a window; all windows have as many, if both parts together do.
    """
    whole, found, at = before + data, list[ByteWindow](), len(before)
    while at < len(whole):
        stop = min(len(whole), at + max(1, size - size // 4))
        start = max(0, stop - size)
        found.append(ByteWindow(whole[start:stop], at - start))
        at = stop
    return tuple(found)


def bits(nats: float) -> float:
    """Bits of a loss in nats.

    Example:
        >>> bits(float(np.log(8)))
        3.0
    """
    return nats / _LN_2


@lru_cache(maxsize=16)
def count_bits(train: bytes, held_out: bytes, orders: Sequence[int] = ORDERS) -> dict[int, float]:
    """Bits per byte of the held-out part under count models of the other: the lines to beat.

    Args:
        train: Bytes that are counted.
        held_out: Bytes that are measured, each behind those before it, the last ones of `train` too.
        orders: Bytes that each model looks at, the one to be told included.

    Returns:
        Order -> mean surprisal, bits per byte; {} where nothing is held out.

    Source:
        Witten-Bell, as in `CountModel`.
    """
    if not held_out:
        return {}
    counted = CountModel(train, max(orders))
    return {order: _mean_bits(counted, order, train, held_out) for order in orders}


def _mean_bits(counted: CountModel, order: int, train: bytes, held_out: bytes) -> float:
    n = order - 1
    whole = train[len(train) - n :] + held_out if n else held_out
    first = len(whole) - len(held_out)
    shares = [counted.probability(whole[at], whole[max(0, at - n) : at]) for at in range(first, len(whole))]
    return -float(np.log2(np.array(shares)).mean())

"""Shared passwords: what is compared of one, and how often a guesser may try."""

from __future__ import annotations

import hmac
from collections import OrderedDict, deque
from typing import Final

from playground.core.addresses import address_group
from playground.core.canonical import canonical


def is_password(given: str, password: str) -> bool:
    """True if both are the same password, in time that does not tell how much of it is right.

    Spaces around it do not count. Hangul typed on a Mac and on a PC differ until they are composed alike.
    """
    return hmac.compare_digest(_compared(given), _compared(password))


def _compared(password: str) -> bytes:
    return canonical(password.strip()).encode("utf-8", "surrogatepass")


class Attempts:
    """Counts the wrong passwords of the last minute per address: a guesser locks out nobody else.

    Args:
        per_address: Wrong passwords per minute that one address may send (a class often shares one).
        addresses: Number of addresses remembered; the one that has been quiet longest is forgotten first.
    """

    window_s: Final = 60.0

    def __init__(self, per_address: int = 20, addresses: int = 4096) -> None:
        self._per_address, self._addresses = per_address, addresses
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def allowed(self, address: str, now: float) -> bool:
        """True if `address` may try now (seconds of a monotonic clock)."""
        times = self._wrong.get(address_group(address), ())
        return sum(time > now - self.window_s for time in times) < self._per_address

    def note_wrong(self, address: str, now: float) -> None:
        """Remember a wrong password."""
        whose = address_group(address)
        self._wrong.setdefault(whose, deque(maxlen=self._per_address)).append(now)
        self._wrong.move_to_end(whose)
        if len(self._wrong) > self._addresses:
            self._wrong.popitem(last=False)

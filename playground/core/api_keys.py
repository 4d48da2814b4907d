"""Keys by which a notebook asks in the name of a session: each shown once, kept as a hash, ended with it."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

PREFIX: Final = "pg-"
MAX_KEY_CHARS: Final = 100


@dataclass(frozen=True, slots=True)
class KeyUse:
    """The work that was done for a key.

    Attributes:
        n_answered: Requests that had an answer.
        n_refused: Requests that were refused or failed.
        n_tokens: Tokens read and written for them.
    """

    n_answered: int = 0
    n_refused: int = 0
    n_tokens: int = 0


@dataclass(frozen=True, slots=True)
class _Key:
    owner: str
    use: KeyUse = KeyUse()


class Keys:
    """The keys of one process, at most one a session. Safe to share between threads.

    Args:
        is_here: True of the id of a session whose page is open. The key of another one opens nothing.
        limit: Most keys; beyond it those of absent sessions are forgotten, then the oldest.

    Example:
        >>> keys = Keys(lambda owner: owner == "ada", limit=8)
        >>> key = keys.make("ada")
        >>> keys.owner_of(key), keys.owner_of(key + "x")
        ('ada', None)
    """

    def __init__(self, is_here: Callable[[str], bool], limit: int) -> None:
        self._is_here, self._limit = is_here, limit
        self._lock = threading.Lock()
        self._by_hash: OrderedDict[bytes, _Key] = OrderedDict()

    def make(self, owner: str) -> str:
        """A new key of a session; the one it had is over."""
        key = PREFIX + secrets.token_urlsafe(32)
        with self._lock:
            self._end(owner)
            if len(self._by_hash) >= self._limit:
                self._forget_one()
            self._by_hash[_hash(key)] = _Key(owner)
        return key

    def end(self, owner: str) -> None:
        """End the key of a session, if it has one."""
        with self._lock:
            self._end(owner)

    def owner_of(self, key: str) -> str | None:
        """The session that a key asks for; None if it is no key, or its session is not here."""
        if len(key) > MAX_KEY_CHARS:
            return None
        with self._lock:
            found = self._by_hash.get(_hash(key))
        return found.owner if found is not None and self._is_here(found.owner) else None

    def use_of(self, owner: str) -> KeyUse | None:
        """The work done for a session's key, None if it has none."""
        with self._lock:
            return next((key.use for key in self._by_hash.values() if key.owner == owner), None)

    def note(self, owner: str, *, answered: bool, n_tokens: int = 0) -> None:
        """Count a request of a session's key, and the tokens read and written for it."""
        with self._lock:
            for name, key in self._by_hash.items():
                if key.owner == owner:
                    use = key.use
                    more = KeyUse(
                        use.n_answered + answered, use.n_refused + (not answered), use.n_tokens + n_tokens
                    )
                    self._by_hash[name] = replace(key, use=more)

    def _end(self, owner: str) -> None:
        for name in [name for name, key in self._by_hash.items() if key.owner == owner]:
            del self._by_hash[name]

    def _forget_one(self) -> None:
        absent = [name for name, key in self._by_hash.items() if not self._is_here(key.owner)]
        for name in absent:
            del self._by_hash[name]
        if not absent:
            self._by_hash.popitem(last=False)


class Switch:
    """A teacher's switch for the time of one class; without a class the setting counts.

    Args:
        default: The setting: the state without a class, and at the beginning of each.

    Example:
        >>> switch = Switch(default=False)
        >>> switch.turn(1, True)
        >>> switch.is_on(1), switch.is_on(2), switch.is_on(None)
        (True, False, False)
    """

    def __init__(self, default: bool) -> None:
        self._default = default
        self._turned: tuple[int, bool] | None = None  # number of the class, and its state

    def turn(self, number: int, is_on: bool) -> None:
        """Switch on or off for the class of this number."""
        self._turned = (number, is_on)

    def is_on(self, number: int | None) -> bool:
        """True if it is on in the class of this number; None: there is no class."""
        turned = self._turned
        return turned[1] if turned is not None and turned[0] == number else self._default


def _hash(key: str) -> bytes:
    """SHA-256 suffices: a key has 256 random bits, so nobody can try all of them."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()

"""Nicknames: plain text of bounded length, no two alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from playground.core.canonical import canonical
from playground.errors import NameTaken, NoName

MAX_NAME_CHARS: Final = 20
_NOT_SHOWN: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # letters without ink


def nickname(typed: str, taken: Iterable[str]) -> str:
    """The nickname as it is shown: one line, composed, without what cannot be seen.

    Args:
        typed: As a student typed it.
        taken: The nicknames that others have.

    Raises:
        NoName: Nothing of it can be seen, or it is too long.
        NameTaken: Somebody is called so, or looks the same: capital or not, wide or not.

    Example:
        >>> nickname("  Mina\u200b  K. ", ["Jun"])
        'Mina K.'
    """
    shown = "".join(
        " " if char.isspace() else char for char in typed[: 20 * MAX_NAME_CHARS] if _is_shown(char)
    )
    name = canonical(" ".join(shown.split()))
    if not any(unicodedata.category(char)[0] in "LNSP" for char in name) or len(name) > MAX_NAME_CHARS:
        raise NoName(limit=MAX_NAME_CHARS)
    if _alike(name) in map(_alike, taken):
        raise NameTaken(name=name)
    return name


def _is_shown(char: str) -> bool:
    """False for controls, marks of direction, joiners, unassigned code points, and letters without ink."""
    return char.isspace() or (unicodedata.category(char)[0] != "C" and char not in _NOT_SHOWN)


def _alike(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()

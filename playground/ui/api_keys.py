"""The keys of this process's sessions for the endpoint `/v1`, and the teacher's switch."""

from __future__ import annotations

from functools import lru_cache

from playground.core.api_keys import Keys, Switch
from playground.ui import room
from playground.ui.state import connected, settings


@lru_cache
def keys() -> Keys:
    """The keys of the sessions of this process."""
    return Keys(connected.__contains__, settings().max_sessions)


@lru_cache
def _switch() -> Switch:
    return Switch(settings().endpoint)


def is_on() -> bool:
    """True while the endpoint answers: as the teacher has switched it in this class, else as it is set."""
    now = room.room().state()
    return _switch().is_on(now.number if now.is_open else None)


@room.for_teachers
def turn(is_on: bool) -> None:
    """Switch the endpoint on or off for this class; a callback."""
    _switch().turn(room.room().state().number, is_on)

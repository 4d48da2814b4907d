"""The class by page, and the engine's speed between two looks at its counters."""

from __future__ import annotations

from dataclasses import dataclass

from playground import navigation
from playground.core.classroom.room import Member, RoomState


@dataclass(frozen=True, slots=True)
class Place:
    """A page, and the students on it.

    Attributes:
        page: Name of the page.
        here: Those who are heard of.
        away: Those of whom nothing has been heard for a while.
    """

    page: str
    here: tuple[Member, ...]
    away: tuple[Member, ...]


def places(state: RoomState) -> list[Place]:
    """Pages with students on them, in the order of the menu.

    Args:
        state: The class.
    """
    found = []
    for page in navigation.BY_NAME:
        on_it = [one for one in state.members if one.page == page]
        if on_it:
            here = tuple(one for one in on_it if not state.is_away(one))
            away = tuple(one for one in on_it if state.is_away(one))
            found.append(Place(page, here, away))
    return found


def fullest(found: list[Place]) -> Place | None:
    """The page with most students who are heard of; None where there are none."""
    best = max(found, key=lambda place: len(place.here), default=None)
    return best if best is not None and best.here else None


def a_second(before: float, after: float, seconds: float) -> float:
    """Growth of a counter in a second.

    Args:
        before, after: The counter at two times.
        seconds: Time between them.

    Example:
        >>> a_second(100, 160, 2.0), a_second(5, 5, 0.0)
        (30.0, 0.0)
    """
    return (after - before) / seconds if seconds > 0 else 0.0

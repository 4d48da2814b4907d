"""Answers of tasks in a class: hidden until the teacher shows them, for the students who have joined."""

from __future__ import annotations

import threading
from functools import lru_cache

from playground.ui import room


class Answers:
    """A switch for the answers of a class's tasks. Safe to share between threads."""

    def __init__(self) -> None:
        self._hidden = threading.Event()

    @property
    def are_hidden(self) -> bool:
        """True while no student is told what is right."""
        return self._hidden.is_set()

    def hide(self) -> None:
        """Keep what is right back."""
        self._hidden.set()

    def show(self) -> None:
        """Tell what is right, as outside of a class."""
        self._hidden.clear()


@lru_cache
def answers() -> Answers:
    """Those of this process's class; shown again when it ends."""
    made = Answers()
    room.room().when_it_ends(made.show)
    return made


def are_hidden() -> bool:
    """True for a student who has joined a class whose teacher keeps the answers back."""
    return answers().are_hidden and room.member() is not None

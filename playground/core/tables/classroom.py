"""The class as a table, for its teacher's eyes."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from playground.core.classroom.room import RoomState


def members(state: RoomState, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row a student, in the order they came.

    Args:
        state: The class.
        titles: Name of a page -> its title.

    Returns:
        name; page; minutes on it; seconds since the last sign of life; follows the teacher.
    """
    rows = [
        (
            one.name,
            titles[one.page],
            round((state.now - one.page_since) / 60, 1),
            round(state.now - one.seen_at),
            one.follows,
        )
        for one in state.members
    ]
    return pd.DataFrame(rows, columns=["name", "page", "minutes", "seen", "follows"])

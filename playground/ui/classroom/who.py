"""The class by page, and what the engine does for it; drawn again every two seconds for a teacher."""

from __future__ import annotations

import time

import psutil
import streamlit as st

from playground import navigation
from playground.core.classroom.places import a_second, fullest, places
from playground.core.classroom.room import RoomState
from playground.core.tables import classroom as frames
from playground.engine.contract.engine import EngineStats
from playground.ui import everybody, room, state
from playground.ui.components.class_map import MapRow, class_map
from playground.ui.text import _, lesson, ngettext, plain

UPDATE_S = 2.0
_LAST = "class_counters"  # (time, tokens read, tokens written) at the last look


def picture() -> None:
    """Draw the map: with names and again and again for a teacher, with numbers for everybody else."""
    if room.is_teacher():
        _for_teacher()
    else:
        _draw(room.room().state(), with_names=False)


@st.fragment(run_every=UPDATE_S, key="class_who")
def _for_teacher() -> None:
    if not room.is_teacher():  # signed out elsewhere
        st.rerun()
    room.room().teacher_is_here()
    now = room.room().state()
    everybody.rest_training(now.is_frozen, state.settings().class_release_s)
    _draw(now, with_names=True)
    if now.members and st.toggle(_("As a table"), key="class_table"):
        st.dataframe(frames.members(now, titles()), hide_index=True, column_config=_columns())


def _draw(now: RoomState, *, with_names: bool) -> None:
    found = places(now)
    names = titles()

    def shown(members: tuple[object, ...]) -> list[str]:
        return [str(getattr(one, "name", "")) if with_names else "" for one in members]

    rows = [MapRow(names[one.page], shown(one.here), shown(one.away)) for one in found]
    others = n_others(now)
    class_map(rows, n_others=others, key="class_map")
    st.markdown(_told(now, others))
    _engine()


def n_others(now: RoomState) -> int:
    """Sessions without a nickname, as far as they are connected."""
    return max(0, everybody.n_sessions() - sum(not now.is_away(one) for one in now.members))


def titles() -> dict[str, str]:
    """Name of each page -> its title in the reader's language."""
    return {name: lesson(name).title for name in navigation.BY_NAME}


def _told(now: RoomState, others: int) -> str:
    """One sentence that reads the map."""
    if not now.is_open:
        n = everybody.n_sessions()
        return ngettext(
            "There is no class now; {n} browser tab is on this server.",
            "There is no class now; {n} browser tabs are on this server.",
            n,
        ).format(n=n)
    found = places(now)
    n, n_away = len(now.members), sum(len(one.away) for one in found)
    said = [
        ngettext(
            "{n} student has joined, {others} without a nickname.",
            "{n} students have joined, {others} without a nickname.",
            n,
        ).format(n=n, others=others)
    ]
    if (most := fullest(found)) is not None:
        told = _("Most are on {page}: {n} of {all}.")
        all_here = n - n_away
        said.append(told.format(page=f"**{plain(titles()[most.page])}**", n=len(most.here), all=all_here))
    if n_away:
        said.append(_("Not heard of for over a minute: {n}.").format(n=n_away))
    n_following = sum(one.follows for one in now.members)
    if n_following < n:
        said.append(_("{n} of {all} follow.").format(n=n_following, all=n))
    return " ".join(said)


def _engine() -> None:
    """Draw the engine's queue, its speed since the last look, its memory."""
    stats = everybody.stats()
    read, wrote = _speed(stats)
    figures = {
        _("Waiting"): f"{stats.n_waiting:,}",
        _("Tokens written a second"): f"{wrote:,.0f}",
        _("Tokens read a second"): f"{read:,.0f}",
        _("Trainings running"): f"{stats.n_training:,}",
        _("Models"): _mb(stats.model_bytes + stats.adapter_bytes),
        _("Kept answers"): _mb(stats.cache_bytes),
        _("Memory of the server"): _mb(psutil.Process().memory_info().rss),
    }
    st.markdown(" · ".join(f"{name} **{value}**" for name, value in figures.items()))


def _speed(stats: EngineStats) -> tuple[float, float]:
    """Tokens read and written in a second since this session's last look."""
    now = time.monotonic()
    at, read, wrote = st.session_state.get(_LAST, (now, stats.n_prefill_tokens, stats.n_decoded_tokens))
    st.session_state[_LAST] = now, stats.n_prefill_tokens, stats.n_decoded_tokens
    return (
        a_second(read, stats.n_prefill_tokens, now - at),
        a_second(wrote, stats.n_decoded_tokens, now - at),
    )


def _mb(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.0f} MB"


def _columns() -> dict[str, str]:
    return {
        "name": _("Nickname"), "page": _("Page"), "minutes": _("Minutes on it"),
        "seen": _("Seconds since heard of"), "follows": _("Follows"),
    }  # fmt: skip

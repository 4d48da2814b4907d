"""The life cycle as a map: stations that open the pages, marked by what this session has done."""

from __future__ import annotations

from functools import partial

import streamlit as st

from playground.core.tables import lifecycle as frames
from playground.core.tables.lifecycle import StationRow
from playground.ui import show
from playground.ui.components.station_map import Group, Station, station_map
from playground.ui.lifecycle import project, stations
from playground.ui.lifecycle.stations import State
from playground.ui.state import PageContext
from playground.ui.text import N_, _, plain

_STATES: dict[State, str] = {
    "done": N_("something is measured or made"),
    "seen": N_("opened, nothing measured yet"),
    "open": N_("not opened yet"),
}
_MOST_FACTS = 2  # on a card; the table has all


def panel(context: PageContext) -> None:
    """Draw the project's fields and the map."""
    st.markdown(f"## {_('Which steps has this project taken?')}")
    place = st.container()
    own = project.draw()
    said = stations.facts(context)
    every = stations.groups()
    drawn = [
        Group(heading, [_card(context, own, one, said) for one in found]) for heading, found in every.items()
    ]
    with place, st.container(key="lc_map_picture"):
        station_map(
            drawn,
            label=_("Life cycle of a project with a language model"),
            back=_(
                "What users say and what you watch leads back: to the data, the prompt, or another model."
            ),
            key="lc_map",
        )
    rows = [
        StationRow(
            heading, one.name, one.page, _(_STATES[stations.state_of(one, said)]), "; ".join(said[one.id])
        )
        for heading, found in every.items()
        for one in found
    ]  # fmt: skip
    st.markdown(_read(context, rows))
    told = _("Signs: ● {done}, ◐ {seen}, ○ {open}. The facts are of this session and of nobody else's.")
    st.caption(told.format(**{state: _(words) for state, words in _STATES.items()}))
    code = partial(show.code, "lifecycle", facts=[(row.station, row.facts) for row in rows])
    show.under_picture("lifecycle_map", frame=partial(frames.stations, rows), code=code)


def _card(
    context: PageContext, own: project.Project, one: stations.Station, said: dict[str, list[str]]
) -> Station:
    state = stations.state_of(one, said)
    fact = " · ".join(said[one.id][:_MOST_FACTS])
    link = project.link(context, own, one.page, one.params)
    return Station(one.id, one.name, _(one.ask), fact, state, _(_STATES[state]), link)


def _read(context: PageContext, rows: list[StationRow]) -> str:
    """The map in a sentence: how many stations have a fact, and which one is missing first."""
    n = sum(bool(row.facts) for row in rows)
    told = _("Of {total} stations {n} have a fact of this session.").format(total=len(rows), n=n)
    missing = stations.first_missing(context)
    if missing is None:
        return told
    return f"{told} {_('Missing first: {title}.').format(title=f'**{plain(missing.name)}**')}"

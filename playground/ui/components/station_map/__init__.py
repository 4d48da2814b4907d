"""Stations in groups, one group after the other, and a way back: each station is a link into the app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import streamlit as st

from playground.ui.components import script, style

_COMPONENT = st.components.v2.component(
    "playground.station_map",
    html='<div class="station-map"></div>\n',
    css=style("keyboard", "station_map/station_map"),
    js=script("station_map/station_map"),
)

Mark = Literal["done", "seen", "open", "yes", "no", "unclear"]


class Station(NamedTuple):
    """A station of the map.

    Attributes:
        id: Name of the station, unique on the map.
        title: Name of the place it opens.
        ask: Question that is answered there.
        fact: Measured facts of this session, "" for none.
        mark: State, shown as a sign, a colour and words.
        told: The state in words.
        link: Absolute path of the view that it opens, with its settings.
    """

    id: str
    title: str
    ask: str
    fact: str
    mark: Mark
    told: str
    link: str


class Group(NamedTuple):
    """Stations that belong together, and their heading."""

    title: str
    stations: Sequence[Station]


def station_map(groups: Sequence[Group], *, label: str, back: str, key: str) -> None:
    """Draw the map; a click on a station opens its view in this tab.

    Args:
        groups: The groups in order.
        label: Name of the map, for readers who do not see it.
        back: Words of the way from the last group back to an earlier one, "" for none.
        key: Widget key.
    """
    _COMPONENT(
        key=key,
        data={
            "groups": [{"title": one.title,
            "stations": [[*station] for station in one.stations]} for one in groups],
            "label": label,
            "back": back,
        },
    )  # fmt: skip

"""The data, the network and the source that the page works on."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from playground.core.pairs import korean_numbers
from playground.core.pairs.pair import Pair
from playground.core.pairs.sets import OWN, PAIR_SETS, pairs
from playground.core.pairs.vocabulary import normal
from playground.engine.contract.networks import NetworkInfo
from playground.engine.contract.pairs import DATA_SEED, N_HELD_OUT
from playground.ui import networks
from playground.ui.choose import choose_from_list
from playground.ui.seq2seq import own
from playground.ui.state import PageContext
from playground.ui.text import N_, _
from playground.ui.url import put, setting

DATA = {
    "dates": N_("Dates, both languages"),
    "dates_en": N_("Dates, English"),
    "dates_ko": N_("Dates, Korean"),
    "date_lines": N_("Up to three dates in a line"),
    "reverse": N_("Reverse a word"),
    "copy": N_("Copy a word"),
    "korean_numbers": N_("Korean number words"),
}
FIRST = {
    "dates": "May 5, 2026",
    "dates_en": "May 5, 2026",
    "dates_ko": "2026년 5월 5일",
    "date_lines": "May 5, 2026; 2026년 5월 5일",
    "reverse": "sequencetosequence",
    "copy": "sequencetosequence",
    "korean_numbers": "이천이십육",
}
BEST_FIRST = ("additive", "dot", "none")


@dataclass(frozen=True)
class Choice:
    """The reader's choice.

    Attributes:
        data: Id of the data.
        networks: Networks of this data.
        network: The chosen one; None while there is none.
        source: Text that it reads.
        target: The right answer, None where nobody knows it.
    """

    data: str
    networks: tuple[NetworkInfo, ...]
    network: NetworkInfo | None
    source: str
    target: str | None


def choose(context: PageContext) -> Choice:
    """Draw the lists of data and networks and the field of the source."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="seq_choice"):
        data = choose_from_list("seq_data", data_names(), _("Data"))
        found = of_data(networks.known(context), data)
        network = _network(found)
        key = source_key(data)
        source = st.text_input(
            _("Source"), first_source(data), **setting(key, first_source(data)),
            help=_("The network reads it character by character, and knows only the characters of its data."),
        )  # fmt: skip
        st.button(
            _("Another"), key="seq_next", icon=":material/shuffle:", on_click=_next, args=(data,),
            help=_("A held-out pair: no network has been trained on it."),
        )  # fmt: skip
    return Choice(data, found, network, source.strip(), right_answer(data, source.strip()))


def data_names() -> dict[str, str]:
    """Data id -> its name in the reader's language."""
    return {data: _(name) for data, name in DATA.items()} | {OWN: _("My own pairs")}


def of_data(known: list[NetworkInfo], data: str) -> tuple[NetworkInfo, ...]:
    """The networks of this data: those with the most attention first, and the reader's own at the end."""
    return tuple(sorted((one for one in known if one.settings.data == data), key=_order))


def _order(info: NetworkInfo) -> tuple[bool, bool, int]:
    network = info.settings.network
    return not info.is_shipped, network.kind == "transformer", BEST_FIRST.index(network.attention)


def _network(found: tuple[NetworkInfo, ...]) -> NetworkInfo | None:
    if not found:
        st.selectbox(_("Network"), (_("none yet"),), disabled=True, key="seq_no_network")
        return None
    by_id = {one.network_id: one for one in found}
    names = {network_id: networks.network_name(one) for network_id, one in by_id.items()}
    return by_id[choose_from_list("seq_network", names, _("Network"))]


def source_key(data: str) -> str:
    """Key of the field of the source: each data keeps its own."""
    return f"seq_source_{data}"


def first_source(data: str) -> str:
    """The source that stands there first."""
    if data == OWN:
        held_out = own.held_out()
        return held_out[0].source if held_out else ""
    return FIRST[data]


def held_out(data: str) -> tuple[Pair, ...]:
    """Held-out pairs of any length, the same for everybody."""
    if data == OWN:
        return own.held_out()
    return pairs(data, N_HELD_OUT, DATA_SEED, PAIR_SETS[data].lengths[-1], held_out=True)


def right_answer(data: str, source: str) -> str | None:
    """The target of a source; None where it is not known.

    Example:
        >>> right_answer("reverse", "abc"), right_answer("korean_numbers", "이천이십육")
        ('cba', '2026')
        >>> right_answer("dates_ko", "hello") is None
        True
    """
    source = normal(source)
    if data in ("reverse", "copy"):
        return source[::-1] if data == "reverse" else source
    if data == "korean_numbers":
        try:
            return str(korean_numbers.of_words(source))
        except ValueError:
            return None
    known = {FIRST["dates"]: "2026-05-05", FIRST["dates_ko"]: "2026-05-05"}
    known |= {FIRST["date_lines"]: "2026-05-05 2026-05-05"}
    known |= {one.source: one.target for one in (own.every_pair() if data == OWN else held_out(data))}
    return known.get(source)


def _next(data: str) -> None:
    found = held_out(data)
    if not found:
        return
    n = st.session_state.get("seq_n_next", 0)
    st.session_state["seq_n_next"] = n + 1
    st.session_state[source_key(data)] = found[n % len(found)].source


def use(network_id: str, data: str) -> None:
    """Look at this network from now on; a callback."""
    put("seq_data", "" if data == next(iter(DATA)) else data)
    put("seq_network", network_id)

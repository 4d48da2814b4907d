"""Exact match against the length of the source: what one vector holds, and what attention adds."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from playground.charts import seq2seq as charts
from playground.core import seq2seq
from playground.core.pairs.sets import OWN, PAIR_SETS
from playground.core.tables import seq2seq as frames
from playground.engine.contract.networks import NetworkInfo
from playground.ui import networks, show
from playground.ui.choose import choose_from_list
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.seq2seq import choosing, code
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _, plain

MEASURED = "seq_exact"  # network id -> its counts
outlives_reload(MEASURED)
N_EACH = 50
N_LENGTHS = 12
MOST = 6  # networks in one picture
Counts = list[tuple[int, int, int]]


def picture(context: PageContext) -> Later | None:
    """Draw the picture of one data set; gives what measures a network, once somebody asked for it."""
    st.markdown(f"## {_('How does exact match fall with the length of the source?')}")
    every = [one for one in networks.known(context) if one.settings.data != OWN]
    names = _data_names(every)
    if not names:
        st.info(_("No network has been measured yet."))
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width=340):
            data = choose_from_list("seq_lengths", names, _("Data"))
        found = choosing.of_data(every, data)
        _ask_buttons(found)
    series = {network_name: counts for network_name, counts in _series(found).items() if counts}
    if series:
        _draw(found, data, series)
    asked = st.session_state.get("seq_measure")
    wanted = next((one for one in found if one.network_id == asked), None)
    return None if wanted is None else lambda: _measure(context, wanted)


def _data_names(every: list[NetworkInfo]) -> dict[str, str]:
    """The data of which there are networks, those first whose counts are there, with most networks first."""
    n = {data: sum(one.settings.data == data for one in every) for data in choosing.DATA}
    known = choosing.data_names()
    return {data: known[data] for data in sorted(n, key=n.__getitem__, reverse=True) if n[data]}


def counts_of(info: NetworkInfo) -> Counts:
    """Length, right and asked pairs of a network, as far as they were measured."""
    if info.exact:
        return [(one.length, one.n_right, one.n_asked) for one in info.exact]
    found: Counts = st.session_state.get(MEASURED, {}).get(info.network_id, [])
    return found


def _series(found: tuple[NetworkInfo, ...]) -> dict[str, Counts]:
    return {networks.network_name(one): counts_of(one) for one in found[:MOST]}


def _ask_buttons(found: tuple[NetworkInfo, ...]) -> None:
    """A button for each of the reader's networks that was not measured yet."""
    for one in found[:MOST]:
        if not counts_of(one):
            st.button(
                _("Measure {name}").format(name=plain(networks.network_name(one))),
                key=f"seq_measure_{one.network_id}", icon=":material/speed:", on_click=_ask,
                args=(one.network_id,),
            )  # fmt: skip


def _ask(network_id: str) -> None:
    st.session_state["seq_measure"] = network_id


def _draw(found: tuple[NetworkInfo, ...], data: str, series: Mapping[str, Counts]) -> None:
    trained = {one.settings.max_length for one in found[:MOST]}
    longest = max(length for counts in series.values() for length, _right, _n in counts)
    words = {
        "length": _("Length of the source (characters)"),
        "share": _("Exact match"),
        "low": _("95 % interval, lower end"),
        "high": _("95 % interval, upper end"),
        "n": _("Held-out pairs"),
        "network": _("Network"),
        "trained": _("longest in training"),
    }
    only = trained.pop() if len(trained) == 1 else None
    spec = charts.exact_by_length(
        words, tuple(series), longest=longest, trained=only if only is not None and only < longest else None
    )
    table = frames.exact(series)
    alt = _("Share of held-out pairs written exactly, against the length of the source")
    show.show_chart(spec, "seq_lengths_picture", alt, data=table)
    st.markdown(_reading(found, series))
    st.caption(
        plain(
            _(
                "{data} · at most {n} held-out pairs of each length, written free running and greedily; "
                "bars: 95 % intervals (Wilson)"
            ).format(
                data=choosing.data_names()[data], n=max(n for one in series.values() for _l, _r, n in one)
            )
        )
    )
    show.under_picture(
        "seq_lengths", frame=table, code=lambda: _code(found, series), picture="seq_lengths_picture"
    )


def _code(found: tuple[NetworkInfo, ...], series: Mapping[str, Counts]) -> str:
    measured = next(one for one in found if networks.network_name(one) in series)
    counts = series[networks.network_name(measured)]
    return code.exact(measured, [length for length, _right, _n in counts], max(n for _l, _r, n in counts))


def _reading(found: tuple[NetworkInfo, ...], series: Mapping[str, Counts]) -> str:
    """One sentence: where the network with attention and the one without differ most."""
    without = _best(found, series, attention=False)
    with_it = _best(found, series, attention=True)
    if without is None or with_it is None:
        return ""
    differs = seq2seq.shared_by_length(series[with_it], series[without])
    if differs is None:
        return ""
    length, share, other = differs
    told = _(
        "The best network with attention and the best without differ most at length {length}: *{with_it}* "
        "writes {share:.0%} of the held-out pairs exactly, *{without}* {other:.0%}."
    )
    return told.format(
        length=length, with_it=plain(with_it), share=share, without=plain(without), other=other
    )


def _best(found: tuple[NetworkInfo, ...], series: Mapping[str, Counts], *, attention: bool) -> str | None:
    """The measured network with or without attention that is right most often."""
    names = [
        networks.network_name(one)
        for one in found[:MOST]
        if (one.settings.network.attention != "none" or one.settings.network.kind == "transformer")
        == attention
        and series.get(networks.network_name(one))
    ]
    return max(names, key=lambda name: sum(right for _length, right, _n in series[name]), default=None)


def _measure(context: PageContext, info: NetworkInfo) -> None:
    """Measure a network length by length, until the reader does something else."""
    lengths = lengths_of(info)
    counts: Counts = []
    bar = Progress("seq_exact", info.network_id, len(lengths), _("Measuring exact match"))
    st.button(_("Stop"), key="seq_measure_stop", icon=":material/stop:", on_click=_ask, args=("",))
    for one in networks.exact(context, info.network_id, lengths):
        counts.append((one.length, one.n_right, one.n_asked))
        bar.draw(len(counts), _("{n} of {all} lengths").format(n=len(counts), all=len(lengths)))
    if len(counts) == len(lengths):
        st.session_state[MEASURED] = {**st.session_state.get(MEASURED, {}), info.network_id: counts}
        st.session_state["seq_measure"] = ""
        st.rerun()


def lengths_of(info: NetworkInfo) -> tuple[int, ...]:
    """Lengths at which a network is measured: those of its data, at most `N_LENGTHS`."""
    possible = PAIR_SETS[info.settings.data].lengths
    step = max(1, -(-len(possible) // N_LENGTHS))
    return tuple(possible[::step])

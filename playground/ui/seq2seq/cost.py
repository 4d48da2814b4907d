"""Cost of one more step: the state of a recurrent network against keys and values that grow."""

from __future__ import annotations

import streamlit as st

from playground.charts import seq2seq as charts
from playground.core.tables import seq2seq as frames
from playground.engine.contract.networks import NetworkInfo, StepCost
from playground.errors import PlaygroundError
from playground.ui import networks, show
from playground.ui.panels import Later
from playground.ui.seq2seq import code
from playground.ui.state import PageContext
from playground.ui.text import _, plain, sentence

MEASURED = "seq_costs"  # network id -> its costs
LENGTHS = (8, 16, 32, 64, 128, 256, 512)
MOST = 4


def panel(context: PageContext) -> Later | None:
    """Draw the costs of one network of each kind; gives what measures those that were not yet."""
    st.markdown(f"## {_('What does one more step cost?')}")
    found = _compared(networks.known(context))
    measured: dict[str, list[StepCost]] = st.session_state.get(MEASURED, {})
    series = {
        _name(one): [(at.length, at.state_bytes, at.step_s) for at in measured[one.network_id]]
        for one in found
        if one.network_id in measured
    }
    if len(series) == len(found):
        st.button(_("Measure again"), key="seq_cost_again", icon=":material/refresh:", on_click=_forget)
        _draw(found, series)
        return None
    place = st.empty()
    return lambda: _measure(context, found, place)


def _compared(known: list[NetworkInfo]) -> list[NetworkInfo]:
    """One network without attention, one with it, one Transformer: the first of each that there is."""
    kinds = {
        ("recurrent", "none"): None,
        ("recurrent", "attention"): None,
        ("transformer", "attention"): None,
    }
    found: dict[tuple[str, str], NetworkInfo] = {}
    for one in known:
        network = one.settings.network
        kind = "transformer" if network.kind == "transformer" else "recurrent"
        attention = "attention" if kind == "transformer" or network.attention != "none" else "none"
        found.setdefault((kind, attention), one)
    return [found[kind] for kind in kinds if kind in found]


def _name(info: NetworkInfo) -> str:
    return networks.config_name(info.settings.network)


def _measure(
    context: PageContext, found: list[NetworkInfo], place: st.delta_generator.DeltaGenerator
) -> None:
    measured: dict[str, list[StepCost]] = {}
    try:
        for one in found:
            place.caption(_("Measuring {name}").format(name=plain(_name(one))))
            measured[one.network_id] = list(networks.costs(context, one.network_id, LENGTHS))
            if len(measured[one.network_id]) < len(LENGTHS):  # the reader did something else
                return
    except PlaygroundError as error:
        place.error(sentence(error))
        return
    st.session_state[MEASURED] = measured
    st.rerun()


def _forget() -> None:
    st.session_state.pop(MEASURED, None)


def _draw(found: list[NetworkInfo], series: dict[str, list[tuple[int, int, float]]]) -> None:
    words = {
        "length": _("Characters read, and as many written"),
        "n_bytes": _("Bytes kept from step to step"),
        "ms": _("Time of one step (ms)"),
        "network": _("Network"),
    }
    table = frames.costs(series)
    left, right = st.columns(2)
    with left:
        alt = _("Bytes that are kept from step to step, against the length")
        show.show_chart(charts.step_bytes(words, tuple(series)), "seq_bytes_picture", alt, data=table)
    with right:
        alt = _("Time of one more step, against the length")
        show.show_chart(charts.step_times(words, tuple(series)), "seq_times_picture", alt, data=table)
    st.markdown(_reading(series))
    if not any(one.settings.network.kind == "transformer" for one in found):
        told = _("To compare keys and values, train a Transformer under *Train it yourself* first.")
        st.info(told, icon=":material/model_training:")
    st.caption(_("Bytes are exact; times are measured on this server, now, the median of some steps."))
    show.under_picture(
        "seq_cost", frame=table, code=lambda: code.cost(found[0], list(LENGTHS)), picture="seq_bytes_picture"
    )


def _reading(series: dict[str, list[tuple[int, int, float]]]) -> str:
    told = _("*{name}*: {first:,} B at length {short}, {last:,} B at length {long}.")
    return " ".join(
        told.format(
            name=plain(name), first=costs[0][1], short=costs[0][0], last=costs[-1][1], long=costs[-1][0]
        )
        for name, costs in series.items()
    )

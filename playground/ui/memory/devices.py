"""Bytes on each of many GPUs as areas, and bytes that travel in a step: formulas with their papers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st

from playground.charts import memory as charts
from playground.core.devices import PAPERS, SCHEMES, Scheme, Trained, device, fewest
from playground.core.tables import memory as frames
from playground.errors import PlaygroundError
from playground.ui import footprints, show, state
from playground.ui.choose import choose
from playground.ui.footprints import told
from playground.ui.memory import code
from playground.ui.memory.shown import Shown
from playground.ui.number import number_field, slider
from playground.ui.state import PageContext
from playground.ui.text import N_, _, sentence

# ZeRO's example of 7.5 billion parameters, as 36 layers of 4,096
LARGE = Trained(7_500_000_000, 36, 4096, 2048)
COUNTS = tuple(2**power for power in range(11))
TOKENS = tuple(2**power for power in range(7, 16))
GB = 1e9
SCHEME_NAMES: dict[Scheme, str] = {
    "data": N_("data parallel"),
    "zero1": "ZeRO-1",
    "zero2": "ZeRO-2",
    "zero3": "ZeRO-3",
    "tensor": N_("tensor parallel"),
    "pipeline": N_("pipeline"),
}


def panel(context: PageContext, shown: Shown) -> None:
    """Draw memory and traffic of every scheme."""
    st.markdown(f"## {_('Where does each byte lie, and what travels?')}")
    picked, n_devices = _picked(), slider(_("GPUs"), COUNTS, 64, key="mem_devices")
    held, sent = st.container(), st.container()
    with sent:
        st.markdown(f"### {_('What does each GPU send in a step?')}")
        n_tokens = slider(_("Tokens of a step on each GPU"), TOKENS, LARGE.n_tokens, key="mem_devices_tokens")
    try:
        model = _model(context, picked, n_tokens)
    except PlaygroundError as error:
        held.error(sentence(error))
        return
    table = frames.devices(model, n_devices)
    with held:
        _draw_held(model, n_devices, table)
    with sent:
        _draw_sent(table)
    show.under_picture(
        "mem_devices", frame=table, code=lambda: code.devices(model, n_devices), picture="mem_devices_picture"
    )
    _needed(model)


def _draw_held(model: Trained, n_devices: int, table: pd.DataFrame) -> None:
    schemes = _names()
    alt = _("Bytes on each GPU by scheme")
    show.show_chart(_bars(state.language(), tuple(schemes.items())), "mem_devices_picture", alt, data=table)
    st.markdown(_reading(model, n_devices))
    if n_devices > model.n_layer:
        idle = _("A pipeline gives each GPU at least one layer (layers: {n}): those left over stay idle.")
        st.caption(idle.format(n=model.n_layer))


def _draw_sent(table: pd.DataFrame) -> None:
    schemes = _names()
    alt = _("Bytes that a GPU sends in a step by scheme")
    show.show_chart(
        _traffic(state.language(), tuple(schemes.items())), "mem_traffic_picture", alt, data=table
    )
    st.caption(
        _(
            "Formulas of the papers, for a ring; how fast it is depends on the wires, so no speed is given. "
            "Activations come on top, see *Budget*."
        )
    )


def _picked() -> str:
    names = {"zero": _("7.5 B parameters, as in the ZeRO paper"), "own": _("this model")}
    return choose("mem_devices_model", names, _("Model"))


def _model(context: PageContext, picked: str, n_tokens: int) -> Trained:
    """The example of the paper, or the model at hand, with the tokens of a step."""
    if picked == "zero":
        return Trained(LARGE.n_parameters, LARGE.n_layer, LARGE.d_model, n_tokens)
    sizes = footprints.sizes(context)
    return Trained(sizes.n_parameters, sizes.n_layer, sizes.d_model, n_tokens)


def _names() -> dict[Scheme, str]:
    return {scheme: _(words) for scheme, words in SCHEME_NAMES.items()}


def _reading(model: Trained, n_devices: int) -> str:
    found = {scheme: device(model, scheme, n_devices) for scheme in SCHEMES}
    words = _(
        "On each of {n:,} GPUs: {data} with copies of everything, {one} where the optimizer states are "
        "shared out, {two} with the gradients too, **{three}** with the weights too. For that ZeRO-3 sends "
        "{sent:.2f} times as much as plain data parallelism."
    )
    ratio = found["zero3"].sent / found["data"].sent if n_devices > 1 else 1.0
    return words.format(
        n=n_devices, data=told(found["data"].total), one=told(found["zero1"].total),
        two=told(found["zero2"].total), three=told(found["zero3"].total), sent=ratio,
    )  # fmt: skip


def _needed(model: Trained) -> None:
    st.markdown(f"### {_('How many GPUs are needed?')}")
    room = number_field(_("Memory of each GPU (GB)"), 0.01, 10_000.0, 80.0, 8.0, key="mem_gpu", width=260)
    rows = []
    for scheme, name in _names().items():
        n = fewest(model, scheme, room * GB)
        needed = _("never: {least} stay on each").format(least=told(device(model, scheme, 1 << 20).total))
        rows.append(
            {
                _("Scheme"): name,
                _("Fewest GPUs"): needed if n is None else f"{n:,}",
                _("Paper"): PAPERS[scheme],
            }
        )
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="mem_needed")


@lru_cache
def _bars(language: str, schemes: tuple[tuple[Scheme, str], ...]) -> dict[str, Any]:
    words = {
        "n_bytes": _("Bytes on each GPU"), "part": _("Part"), "scheme": _("Scheme"), "total": _("together"),
        "weights": _("weights"), "gradients": _("gradients"), "optimizer": _("optimizer states"),
    }  # fmt: skip
    return charts.device_bars(words, dict(schemes))


@lru_cache
def _traffic(language: str, schemes: tuple[tuple[Scheme, str], ...]) -> dict[str, Any]:
    words = {"sent": _("Bytes sent by a GPU in a step"), "scheme": _("Scheme")}
    return charts.device_traffic(words, dict(schemes))

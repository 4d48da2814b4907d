"""Quantization: weights under their grid, every setting measured beforehand, and a copy made here and now."""

from __future__ import annotations

import streamlit as st

from playground.core import quantization as core
from playground.core.quantization import GROUPS, OUTLIERS, Granularity, Scheme
from playground.ui.choose import choose, choose_from_list
from playground.ui.memory import quantize_answer, quantize_grid, quantize_shipped
from playground.ui.memory.quantize_words import GRANULARITIES
from playground.ui.number import slider
from playground.ui.panels import Later
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.url import setting

BITS = tuple(sorted(core.BITS))


def panel(context: PageContext) -> Later | None:
    """Draw it; gives what quantizes a copy, once somebody asked for it."""
    st.markdown(f"## {_('What does the model still know with fewer bits a weight?')}")
    with st.container():  # on a phone the fields stand at its end
        scheme = _scheme()
        with st.container():
            quantize_grid.picture(context, scheme)
    quantize_shipped.picture(scheme)
    return quantize_answer.panel(context, scheme)


def _scheme() -> Scheme:
    """The fields of the scheme; on a phone all but the bits stand below the picture."""
    bits = slider(_("Bits of a weight"), BITS, 4, key="mem_q_bits")
    with st.container(key="below_picture_mem_q", horizontal=True, vertical_alignment="bottom"):
        with st.container(width="content"):
            granularity = choose(
                "mem_q_per", {one: _(words) for one, words in GRANULARITIES.items()}, _("One scale for")
            )
        group = GROUPS[1]
        if granularity == "group":
            with st.container(width=170):
                sizes = {str(one): str(one) for one in (64, 32, 128)}
                group = int(choose_from_list("mem_q_group", sizes, _("Size of a group")))
        is_affine = st.toggle(
            _("Zero point"),
            help=_("The grid reaches from the smallest to the largest weight, not as far on both sides."),
            **setting("mem_q_zero", False),
        )  # fmt: skip
        keeps = st.toggle(
            _("Keep outliers"), help=_("The largest 0.5 % of each matrix's weights stay in float16."),
            **setting("mem_q_outliers", False),
        )  # fmt: skip
    return Scheme(bits, _granularity(granularity), group, not is_affine, OUTLIERS if keeps else 0.0).spelled()


def _granularity(chosen: str) -> Granularity:
    return "channel" if chosen == "channel" else "group" if chosen == "group" else "tensor"

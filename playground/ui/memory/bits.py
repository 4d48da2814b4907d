"""Bits of one weight, or of a typed number, in seven formats; each bit can be turned over."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import streamlit as st

from playground.charts import memory as charts
from playground.core.number_formats import NumberFormat, Outcome, formats_of, outcomes, stored, value_of
from playground.core.tables import memory as frames
from playground.engine.contract.memory import WeightRow
from playground.errors import BadValue, Message, PlaygroundError
from playground.ui import compute, footprints, show, state
from playground.ui.choose import choose, choose_from_list
from playground.ui.components.weight_bits import weight_bits
from playground.ui.memory import code
from playground.ui.memory.shown import Shown
from playground.ui.number import number_field
from playground.ui.state import PageContext
from playground.ui.text import N_, _, sentence
from playground.ui.url import put, setting

TYPED = "mem_typed"
FIRST = "0.1"
OUTCOMES: dict[Outcome, str] = {
    "exact": N_("kept exactly"),
    "rounded": N_("rounded"),
    "vanishes": N_("vanishes: becomes 0"),
    "overflows": N_("overflows: becomes infinite"),
    "clipped": N_("beyond the end: the largest is kept"),
    "nan": N_("is not a number"),
}


def panel(context: PageContext, shown: Shown) -> None:
    """Draw the bits of one number."""
    st.markdown(f"## {_('What does a number lose when it gets fewer bits?')}")
    sources = {"weight": _("a weight of the model"), "typed": _("a number of mine")}
    source = choose("mem_source", sources, _("Number"))
    try:
        row, weight = _row(context)
    except PlaygroundError as error:
        st.error(sentence(error))
        return
    number = weight if source == "weight" else _typed()
    if number is None:
        return
    shown.number = number
    formats = formats_of(row.largest)
    chosen = choose("mem_format", {name: kind.name for name, kind in formats.items()}, _("Number format"))
    _draw_bits(number, chosen, formats[chosen])
    st.markdown(_reading(number, formats[chosen]))
    table = frames.kept(formats, number)
    names = {outcome: _(words) for outcome, words in OUTCOMES.items()}
    shown_rows = [
        {
            _("Format"): kind.name,
            _("Bits"): one.bits,
            _("Value"): f"{one.value:.7g}",
            _("Error"): f"{one.value - number:.2e}" if math.isfinite(one.value - number) else "–",
            _("What happens"): names[one.outcome],
            _("Next larger number"): "–" if math.isnan(one.step) else f"+{one.step:.2e}",
        }
        for kind in formats.values()
        for one in [stored(number, kind)]
    ]
    st.dataframe(shown_rows, hide_index=True, key="mem_formats")
    _ranges(number, formats)
    st.caption(
        _(
            "The integers have the scale of {tensor}: its largest weight, {largest:.4g}, "
            "has the largest code."
        ).format(tensor=f"`{row.tensor}`", largest=row.largest)
    )
    show.source(context.model)
    show.under_picture("mem_bits", frame=table, code=lambda: code.bits(number), picture="mem_range_picture")
    _of_the_row(row, formats)


def _row(context: PageContext) -> tuple[WeightRow, float]:
    """The row that the reader chose, and the weight in it; at first those of the first matrix."""
    tensors = {name: shape for part in compute.parts(context) for name, shape in part.tensors}
    with st.expander(_("Which weight?")):
        names = {name: f"{name} [{' × '.join(map(str, shape))}]" for name, shape in tensors.items()}
        tensor = choose_from_list("mem_tensor", names, _("Tensor"))
        shape = tensors[tensor]
        n_rows = math.prod(shape[:-1]) if len(shape) > 1 else 1
        row = 0
        if n_rows > 1:
            row = number_field(_("Row"), 0, n_rows - 1, 0, 1, key="mem_row", width=180)
        column = number_field(_("Column"), 0, shape[-1] - 1, 0, 1, key="mem_column", width=180)
    found = footprints.row(context, tensor, row)
    return found, float(found.values[column])


def _typed() -> float | None:
    """The typed number as float32 keeps it; None and a sentence for what is no number."""
    typed = st.text_input(_("Number"), FIRST, max_chars=60, **setting(TYPED, FIRST))
    try:
        number = float(typed.strip().replace("−", "-"))
    except ValueError:
        allowed = Message("a number, such as 0.1, -3 or 1e-8")
        st.error(sentence(BadValue(name=_("Number"), value=repr(typed[:40]), allowed=allowed)))
        return None
    return stored(number, formats_of(1.0)["float32"]).value


def _draw_bits(number: float, chosen: str, kind: NumberFormat) -> None:
    found = stored(number, kind)
    with st.container(key="mem_bits_picture"):
        weight_bits(found.bits, kind, key=f"mem_bits_{chosen}", on_change=lambda bits: _turn(bits, kind))


def _turn(bits: str, kind: NumberFormat) -> None:
    """A turned bit makes another number, which is the reader's own from then on."""
    put("mem_source", "typed")
    st.session_state[TYPED] = repr(value_of(bits, kind))


def _reading(number: float, kind: NumberFormat) -> str:
    found = stored(number, kind)
    words = _("{number:.9g} in {format}: **{value:.9g}**, {outcome}.")
    return words.format(
        number=number, format=kind.name, value=found.value, outcome=_(OUTCOMES[found.outcome])
    )


def _ranges(number: float, formats: dict[str, NumberFormat]) -> None:
    st.markdown(f"### {_('How far does each format reach?')}")
    names = tuple(kind.name for kind in formats.values())
    alt = _("Smallest and largest magnitude of each number format")
    table = frames.ranges(formats, abs(number))
    show.show_chart(_picture(state.language(), names), "mem_range_picture", alt, data=table)
    st.caption(
        _(
            "Thick: all bits of the mantissa; thin: fewer and fewer of them (subnormal). The mark is the "
            "number. Left of a bar it vanishes; right of it it overflows, or the largest is kept."
        )
    )


def _of_the_row(row: WeightRow, formats: dict[str, NumberFormat]) -> None:
    st.markdown(f"### {_('And the other weights of this row?')}")
    names = {outcome: _(words) for outcome, words in OUTCOMES.items()}
    rows = []
    for kind in formats.values():
        counts = outcomes(row.values, kind)
        rows.append(
            {_("Format"): kind.name} | {words: counts.get(outcome, 0) for outcome, words in names.items()}
        )
    st.dataframe(rows, hide_index=True, key="mem_outcomes")


@lru_cache
def _picture(language: str, names: tuple[str, ...]) -> dict[str, Any]:
    words = {
        "magnitude": _("Magnitude"), "format": _("Format"), "smallest": _("smallest"),
        "smallest_normal": _("smallest with a whole mantissa"), "largest": _("largest"),
        "here": _("this number"),
    }  # fmt: skip
    return charts.format_ranges(words, names)

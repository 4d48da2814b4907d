"""Stacked memory of a model at work, by batch and length; predicted beside a real step that was measured."""

from __future__ import annotations

import streamlit as st

from playground.charts.memory import PART_COLOURS
from playground.core.memory import (
    Budget,
    Method,
    ModelSizes,
    Precision,
    budget,
    precisions_of,
    rule_bytes,
)
from playground.core.tables import memory as frames
from playground.errors import BadValue, PlaygroundError
from playground.ui import footprints, show
from playground.ui.choose import choose
from playground.ui.components.memory_bars import Line, Size, memory_bars
from playground.ui.footprints import told
from playground.ui.memory import code, measured
from playground.ui.memory.measured import METHOD_NAMES
from playground.ui.memory.shown import Shown
from playground.ui.number import number_field
from playground.ui.panels import Later
from playground.ui.state import PageContext
from playground.ui.text import N_, _, sentence
from playground.ui.url import hidden, put

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
LENGTHS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
FIRST: Size = (1, 64)
RANK = 8
GB = 1e9
_PRECISION_NAMES: dict[Precision, str] = {
    "float32": "float32",
    "mixed": N_("mixed, bfloat16 + float32"),
    "bfloat16": "bfloat16",
    "int8": "int8",
    "int4": "int4",
}
_PARTS = {
    "weights": N_("weights"),
    "gradients": N_("gradients"),
    "optimizer": N_("optimizer states"),
    "activations": N_("activations"),
    "cache": N_("KV cache"),
}


def part_names() -> dict[str, str]:
    """Part -> its name in the reader's language."""
    return {name: _(words) for name, words in _PARTS.items()}


def panel(context: PageContext, shown: Shown) -> Later | None:
    """Draw the budget; gives what measures a step, if the reader asked for it."""
    st.markdown(f"## {_('What takes the memory?')}")
    try:
        sizes, machine = footprints.sizes(context), footprints.machine()
    except PlaygroundError as error:
        st.error(sentence(error))
        return None
    with st.container(horizontal=True, vertical_alignment="center", key="mem_controls"):
        method = _method()
        precision = _precision(method)
    size = _size()
    found = budget(sizes, method, precision, RANK)
    lines = [Line(_("Memory of this machine"), machine.total)]
    if machine.device_total:
        lines.append(Line(_("Memory of {device}").format(device=machine.device), machine.device_total))
    picture = st.container(key="mem_budget_picture")
    room = _room(machine.device_total or machine.total)
    if room is not None:
        lines.append(Line(_("Memory at hand"), room))
    with picture:
        names = part_names()
        memory_bars(
            found,
            {name: (names[name], colour) for name, colour in PART_COLOURS.items()},
            size,
            batches=BATCHES,
            lengths=LENGTHS,
            rule_bytes=rule_bytes(sizes.n_parameters, method),
            lines=lines,
            longest=sizes.n_ctx,
            key="mem_bars",
            on_change=_keep,
        )
    total = found.total(*size)
    shown.activation_share = found.parts["activations"].at(*size) / total
    st.markdown(_reading(sizes, found, method, size, room or machine.device_total or machine.total))
    _two_stacks(sizes)
    show.source(context.model, _("{n:,} parameters").format(n=sizes.n_parameters))
    show.under_picture(
        "mem_budget",
        frame=lambda: frames.parts(found, *size),
        code=lambda: code.budget(context, sizes, method, size),
    )
    return measured.draw(context, sizes, method, size, RANK)


def _method() -> Method:
    names: dict[str, str] = {name: _(words) for name, words in METHOD_NAMES.items()}
    chosen = choose("mem_method", names, _("Method"))
    return next(name for name in METHOD_NAMES if name == chosen)


def _precision(method: Method) -> Precision:
    possible = precisions_of(method)
    names: dict[str, str] = {name: _(_PRECISION_NAMES[name]) for name in possible}
    chosen = choose("mem_precision", names, _("Number format"))
    return next(name for name in possible if name == chosen)


def _size() -> Size:
    """Texts at once, and tokens of each, as the link says."""
    found = []
    for key, possible, default in (
        ("mem_batch", BATCHES, FIRST[0]),
        ("mem_length", LENGTHS, FIRST[1]),
    ):
        given = hidden(key)
        if given and given not in map(str, possible):
            allowed = ", ".join(map(str, possible))
            st.warning(sentence(BadValue(name=key, value=repr(given[:40]), allowed=allowed)))
        found.append(int(given) if given in map(str, possible) else default)
    return found[0], found[1]


def _keep(size: Size) -> None:
    for key, value, default in zip(("mem_batch", "mem_length"), size, FIRST, strict=True):
        put(key, "" if value == default else str(value))


def _room(n_bytes: int) -> float | None:
    """Memory that the reader has in mind, in bytes; None where it is that of this machine."""
    here = round(n_bytes / GB, 1)
    with st.container(key="below_picture_mem_room"):
        room = number_field(
            _("Memory at hand (GB)"), 0.1, 100_000.0, here, 1.0, key="mem_room", width=260,
            help=_("That of a GPU, for instance: 16, 24, 80."),
        )  # fmt: skip
    return None if room == here else room * GB


def _reading(sizes: ModelSizes, found: Budget, method: Method, size: Size, room: float) -> str:
    """The picture in words."""
    total, peak = found.total(*size), found.peak(*size)
    names = part_names()
    largest = max(found.parts, key=lambda name: found.parts[name].at(*size))
    share = found.parts[largest].at(*size) / total
    words = _(
        "*{method}*, batch {batch}, length {length}: **{total}**, of which {share:.1%} are {largest}. "
        "The most at one moment: {peak}."
    )
    reading = words.format(
        method=_(METHOD_NAMES[method]), batch=size[0], length=f"{size[1]:,}", total=told(total), share=share,
        largest=names[largest], peak=told(peak),
    )  # fmt: skip
    fits = _("That fits into {room}.") if peak <= room else _("That does not fit into {room}.")
    rule = rule_bytes(sizes.n_parameters, method)
    ruled = _("The course's rule says {rule} at any batch and length, {times:.2f} times the peak.")
    return " ".join([reading, fits.format(room=told(room)), ruled.format(rule=told(rule), times=rule / peak)])


def _two_stacks(sizes: ModelSizes) -> None:
    if sizes.kind == "encoder-decoder":
        st.caption(
            _("This model has two stacks: the activations of its decoder and its caches are not counted.")
        )

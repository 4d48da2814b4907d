"""The bits of one number: sign, exponent and mantissa, or a code; a click turns one over."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from playground.core.number_formats import FloatFormat, NumberFormat
from playground.ui.components import script, style, synced
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.weight_bits",
    html='<div class="weight-bits"></div>\n',
    css=style("keyboard", "weight_bits/weight_bits"),
    js=script("weight_bits/weight_bits"),
)


def weight_bits(bits: str, kind: NumberFormat, *, key: str, on_change: Callable[[str], None]) -> None:
    """Draw the bits.

    Args:
        bits: Pattern, highest bit first.
        kind: Format of it.
        key: Widget key.
        on_change: Called with the new pattern before the rerun, when the reader turned a bit over.
    """
    possible = re.compile(f"[01]{{{kind.n_bits}}}")

    def read(view: Mapping[str, Any]) -> str | None:
        sent = view.get("bits")
        return sent if isinstance(sent, str) and possible.fullmatch(sent) else None

    revision, shown = synced.shown(key, bits, read)

    def on_view_change() -> None:
        now = synced.changed(key, read)
        if now is not None and now != bits:
            on_change(now)

    fields = (
        [("sign", 1), ("exponent", kind.n_exponent), ("mantissa", kind.n_mantissa)]
        if isinstance(kind, FloatFormat)
        else [("code", kind.n_bits)]
    )
    _COMPONENT(
        key=key,
        data={
            "revision": revision,
            "bits": shown,
            "format": kind.name,
            "fields": [{"name": name, "n": n} for name, n in fields],
            "bias": kind.bias if isinstance(kind, FloatFormat) else 0,
            "infinity": kind.has_infinity if isinstance(kind, FloatFormat) else False,
            "scale": 1.0 if isinstance(kind, FloatFormat) else kind.scale,
            "words": {
                "sign": _("sign"),
                "exponent": _("exponent"),
                "mantissa": _("mantissa"),
                "code": _("integer"),
                "bit": _("{field}, bit {n} of {of}"),
                "all": _("Bits of the number; click or tap one to turn it over"),
            },
        },
        default={"view": None},
        on_view_change=on_view_change,
    )

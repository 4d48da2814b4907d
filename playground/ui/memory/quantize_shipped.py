"""Every setting on the embedded decoder, measured beforehand by a script of the playground."""

from __future__ import annotations

import streamlit as st

from playground.charts import quantization as charts
from playground.core import pieces
from playground.core.measured_quantization import GROUP, MeasuredModel, passage, shipped
from playground.core.quantization import GROUPS, Scheme
from playground.core.tables import quantization as tables
from playground.ui import show
from playground.ui.memory.quantize_words import GRANULARITIES
from playground.ui.text import _, as_code, plain


def picture(scheme: Scheme) -> None:
    """Draw perplexity and the next token's probability at every number of bits."""
    model = shipped()
    st.markdown(f"## {_('What does each setting cost? Measured')}")
    frame = tables.measured(model)
    words = {
        "bits": _("bits of a weight"), "perplexity": _("perplexity (less is better)"),
        "p_next": _("probability of {token}").format(token=f"“{model.next_token}”"),
        "bits_a_weight": _("bits with scales"), "megabytes": _("MB, whole model"),
        "top": _("most probable token"), "before": "float32",
        "tensor": _("one scale: a matrix"), "channel": _("one scale: a channel"),
        "group": _("one scale: a group of {n}").format(n=GROUP),
    }  # fmt: skip
    alt = _("Perplexity and probability of the next token against the bits of a weight")
    show.show_chart(charts.measured(words), "memory_quantized_picture", alt, data=tables.shown(frame, scheme))
    st.markdown(_reading(model, scheme))
    st.caption(plain(_about(model)))
    show.under_picture(
        "memory_quantized", frame=frame, picture="memory_quantized_picture",
        code=lambda: show.code(
            "memory_quantized", **code_values(model.model_id, model.sentence, passage("en"), scheme)
        ),
    )  # fmt: skip


def code_values(
    model_id: str, text: str, of: str, scheme: Scheme, *, whole: bool = False
) -> dict[str, object]:
    """Values of the shown code of a decoder."""
    return {
        "folder": show.model_folder(model_id), "text": text, "passage": of, "bits": scheme.bits,
        "granularity": scheme.granularity, "group": scheme.group or GROUPS[1],
        "is_symmetric": scheme.is_symmetric, "outliers": scheme.outliers, "whole": whole,
    }  # fmt: skip


def _reading(model: MeasuredModel, scheme: Scheme) -> str:
    """The chosen setting in words; a group of another size was not measured."""
    row = model.of(scheme)
    if row is None:
        told = _("Groups of {n} weights were measured: press the button below for other sizes.")
        return told.format(n=GROUP)
    told = _(
        "{bits} bits, one scale for {part}: perplexity {after} instead of {before}, {token} {p_after} "
        "instead of {p_before}, and the model takes {mb:,.0f} MB instead of {mb_before:,.0f}."
    )
    return told.format(
        bits=scheme.bits, part=_(GRANULARITIES[scheme.granularity]), after=number(row.perplexity),
        before=number(model.perplexity), token=as_code(pieces.piece(model.next_token).label),
        p_after=percent(row.p_next), p_before=percent(model.p_next), mb=row.n_bytes / 1e6,
        mb_before=model.n_bytes / 1e6,
    )  # fmt: skip


def number(value: float) -> str:
    """A perplexity: two decimals, and powers of ten where it has no meaning any more.

    Example:
        >>> number(36.416), number(191526.48), number(2.7e15)
        ('36.42', '191,526', '3×10^15')
    """
    if value < 1_000:
        return f"{value:.2f}"
    if value < 1e7:
        return f"{value:,.0f}"
    digits, _e, power = f"{value:.0e}".partition("e")
    return f"{digits}×10^{int(power)}"


def percent(share: float) -> str:
    """A share: one decimal, more where it is small.

    Example:
        >>> percent(0.5899), percent(0.0000012)
        ('59.0\xa0%', '0.00012\xa0%')
    """
    digits = f"{100 * share:.1f}" if share >= 0.001 else f"{100 * share:.2g}"
    if "e" in digits:
        digits = "0" if share < 1e-9 else f"{100 * share:.9f}".rstrip("0")
    return f"{digits}\u00a0%"


def _about(model: MeasuredModel) -> str:
    words = [
        model.model_id,
        _("revision {hash}").format(hash=model.revision[:12]),
        _("measured beforehand, by a script of the playground"),
        _("perplexity of {n} tokens of the document “A Bicycle That Lasts”").format(n=model.n_tokens),
        _("next token after “{sentence}”").format(sentence=model.sentence),
        _("linear layers of the blocks; a perplexity beyond a million stands at the edge"),
    ]
    return " · ".join(words)

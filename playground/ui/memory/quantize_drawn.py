"""Answers of a quantized copy, drawn beside those of its model."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from playground.charts import quantization as charts
from playground.engine.contract.quantization import QuantizeRequest
from playground.ui import show
from playground.ui.memory.quantize_shipped import code_values, number, percent
from playground.ui.state import PageContext
from playground.ui.text import _, as_code


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The shown part of one result.

    Attributes:
        model_id: The model.
        made: Name of each setting -> its value.
        request: The request, for the code.
        tokens: From `tables.next_tokens`, None of an encoder.
        kl_bits: KL(before || after) of the next token, None of an encoder.
        layers: From `tables.layers`.
        error: Relative error of the weights, mean over the matrices.
        moved: Relative way of the residual stream after the last layer.
        perplexities: Before and after, None where there is none.
        n_tokens: Tokens of the text whose perplexity it is.
        bytes_before, bytes_after, bits_a_weight, n_weights, elapsed_s, cached: As in `QuantizedModel`.
    """

    model_id: str
    made: dict[str, object]
    request: QuantizeRequest
    tokens: pd.DataFrame | None
    kl_bits: float | None
    layers: pd.DataFrame
    error: float
    moved: float
    perplexities: tuple[float, float] | None
    n_tokens: int
    bytes_before: int
    bytes_after: int
    bits_a_weight: float
    n_weights: int
    elapsed_s: float
    cached: bool


def draw(context: PageContext, found: Found, now: dict[str, object]) -> None:
    """Draw it.

    Args:
        context: From `frame.page`.
        found: The result.
        now: The settings that stand above it.
    """
    show.other_settings(found.made, {**dict.fromkeys(found.made), **now})
    _numbers(found)
    if found.tokens is None:
        _layers(found)
    else:
        left, right = st.columns(2)
        with left:
            _tokens(found, found.tokens)
        with right:
            _layers(found)
    when = _("from the cache") if found.cached else _("computed now")
    show.source(
        context.model, _("quantized weights: {n:,}").format(n=found.n_weights),
        _("{seconds:.1f} s of computation").format(seconds=found.elapsed_s), when,
    )  # fmt: skip


def _numbers(found: Found) -> None:
    with st.container(horizontal=True):
        if found.perplexities is not None:
            before, after = found.perplexities
            st.metric(
                _("Perplexity of {n} tokens").format(n=found.n_tokens), f"{number(before)} → {number(after)}",
                width="content",
            )  # fmt: skip
        if found.kl_bits is not None:
            st.metric(
                _("Next token: KL"), _("{bits:.3f} bits").format(bits=found.kl_bits), width="content",
                help=_("KL(before ‖ after): bits lost by whoever expects the copy's distribution."),
            )  # fmt: skip
        st.metric(
            _("Whole model"),
            f"{found.bytes_before / 1e6:,.1f} → {found.bytes_after / 1e6:,.1f} MB",
            width="content",
        )
        st.metric(_("Bits a quantized weight"), f"{found.bits_a_weight:.3f}", width="content")


def _tokens(found: Found, tokens: pd.DataFrame) -> None:
    words = {
        "token": _("next token"), "p": _("probability"), "before": _("as it is"),
        "after": _("quantized copy"),
    }  # fmt: skip
    alt = _("Probabilities of the next token before and after")
    show.show_chart(charts.next_tokens(words), "memory_next_picture", alt, data=tokens)
    st.markdown(next_words(tokens))
    show.under_picture("memory_next", frame=tokens, picture="memory_next_picture", code=lambda: _code(found))


def next_words(tokens: pd.DataFrame) -> str:
    """The picture in words."""
    before, after = (tokens[tokens["time"] == time].set_index("token")["p"] for time in ("before", "after"))
    top, other = str(before.idxmax()), str(after.idxmax())
    told = _("{token} goes from {before} to {after}").format(
        token=as_code(top), before=percent(float(before[top])), after=percent(float(after[top]))
    )
    if other == top:
        return _("{told}, and stays the most probable token.").format(told=told)
    return _("{told}; the most probable token is {other} now, with {p}.").format(
        told=told, other=as_code(other), p=percent(float(after[other]))
    )


def _layers(found: Found) -> None:
    words = {
        "layer": _("layer (0: embedding)"), "error": _("relative error"),
        "weights": _("weights, mean of a block"), "states": _("residual stream"),
        "target": _("weights of the decoder"),
    }  # fmt: skip
    n_layer = int(found.layers["layer"].max())
    has_target = bool((found.layers["what"] == "target").any())
    alt = _("Relative error of weights and residual stream by layer")
    spec = charts.layers(words, n_layer, has_target=has_target)
    show.show_chart(spec, "memory_layers_picture", alt, data=found.layers)
    told = _(
        "The weights of a matrix move by {error} of their length on average; after the last layer the "
        "residual stream of the sentence has moved by {moved}."
    )
    st.markdown(told.format(error=percent(found.error), moved=percent(found.moved)))
    show.under_picture(
        "memory_layers", frame=found.layers, picture="memory_layers_picture", code=lambda: _code(found)
    )


def _code(found: Found) -> str:
    asked = found.request
    if found.perplexities is None:
        values = code_values(asked.model, asked.text, "", asked.scheme, whole=asked.whole)
        del values["passage"]
        return show.code("memory_moved", **values, is_source=found.tokens is not None)
    return show.code(
        "memory_quantized",
        **code_values(asked.model, asked.text, asked.passage, asked.scheme, whole=asked.whole),
    )

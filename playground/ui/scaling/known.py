"""Sizes and training tokens of known models beside the line of 20 tokens per parameter."""

from __future__ import annotations

import streamlit as st

from playground.charts import scaling as charts
from playground.core.known_models import KNOWN_MODELS, TOKENS_PER_PARAMETER, known_model
from playground.core.tables import scaling as frames
from playground.ui import show
from playground.ui.scaling import code
from playground.ui.scaling.amounts import short
from playground.ui.state import PageContext
from playground.ui.text import _, plain

XS, YS = (6e7, 2e12), (1e11, 4e13)


def panel(context: PageContext) -> None:
    """Draw the models, each with its source."""
    st.markdown(f"## {_('How many tokens have known models read for each parameter?')}")
    words = {
        "n_parameters": _("Parameters"),
        "n_tokens": _("Training tokens"),
        "ratio": _("Tokens per parameter"),
        "flops": _("Operations (6ND)"),
        "year": _("Year"),
        "source": _("Published in"),
        "name": _("Model"),
        "line": _("{ratio} {token} per parameter").format(ratio=TOKENS_PER_PARAMETER, token=_("tokens")),
        "fewer": _("fewer tokens than the line"),
        "near": _("near the line"),
        "more": _("more tokens than the line"),
        "at_hand": _("the model at hand"),
    }
    table = frames.known(KNOWN_MODELS, context.model.model_id)
    spec = charts.known(words, xs=XS, ys=YS, ratio=TOKENS_PER_PARAMETER)
    alt = _("Training tokens of known models against their parameters, and a line of 20 tokens per parameter")
    show.show_chart(spec, "sca_known_picture", alt, data=table)
    st.markdown(_reading(context))
    st.caption(
        _(
            "As their makers have published it; the source of each is under *Values*. Tokens of different "
            "tokenizers."
        )
    )
    show.under_picture("scaling_known", frame=table, code=code.known, picture="sca_known_picture")


def _reading(context: PageContext) -> str:
    above = [one for one in KNOWN_MODELS if one.ratio > TOKENS_PER_PARAMETER]
    most = max(KNOWN_MODELS, key=lambda one: one.ratio)
    least = min(KNOWN_MODELS, key=lambda one: one.ratio)
    told = _(
        "Above the line: {n} of {all}. The fewest tokens per parameter: *{least}*, {few}; the most: "
        "*{most}*, {many}."
    )
    words = told.format(
        n=len(above), all=len(KNOWN_MODELS), least=plain(least.name),
        few=short(least.ratio), most=plain(most.name), many=short(most.ratio),
    )  # fmt: skip
    mine = known_model(context.model.model_id)
    if mine is None:
        return words
    told = _("The model at hand, *{name}*: parameters {n}, training tokens {tokens}, {ratio} per parameter.")
    return f"{words} " + told.format(
        name=plain(mine.name),
        tokens=short(mine.n_tokens),
        n=short(mine.n_parameters),
        ratio=short(mine.ratio),
    )

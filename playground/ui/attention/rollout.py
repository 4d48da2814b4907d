"""Attention rollout: where information could have come from, if attention were all there is."""

from __future__ import annotations

import streamlit as st

from playground.charts import heads as charts
from playground.core.attention import rollout
from playground.core.tables import ablation as frames
from playground.ui import show
from playground.ui.attention.view import View, shown_code
from playground.ui.number import slider
from playground.ui.text import _, ngettext, strong

N_LAYERS = 4  # to begin with: after all 30 of the default model everything comes from the first token


def panel(view: View) -> None:
    """The rolled-out map up to a layer, and the parts that it leaves out."""
    if len(view.labels) < len(view.tokens):
        st.info(
            _("Rollout needs every token: it is drawn for texts of at most {n}.").format(n=len(view.labels))
        )
        return
    last = view.context.model.n_layer
    first = min(last, N_LAYERS)
    layers = slider(_("Layers, from the first"), range(1, last + 1), first, key="att_layers")
    flow = rollout(view.weights[:layers])
    words = {"from": _("From"), "to": _("To"), "share": _("Share")}
    table = frames.flow(flow, view.labels)
    show.show_chart(charts.flow(words), "att_rollout", _("Attention rolled out over the layers"), data=table)
    row = flow[view.query]
    most = int(row.argmax())
    told = ngettext(
        "After {n} layer, {share:.0%} of {query} comes from {key} by this account.",
        "After {n} layers, {share:.0%} of {query} comes from {key} by this account.",
        layers,
    )
    st.markdown(
        told.format(
            n=layers,
            share=float(row[most]),
            query=strong(view.labels[view.query]),
            key=strong(view.labels[most]),
        )
    )
    st.caption(
        _(
            "Abnar & Zuidema 2020. It takes the mean of all heads, counts half of each layer as the residual "
            "connection, and leaves out values, norms and MLPs: a rough account, not a measurement."
        )
    )
    show.provenance(view.trace)
    code = shown_code("rollout", view, n_layers=layers)
    show.under_picture("rollout", frame=table, code=code, picture="att_rollout")

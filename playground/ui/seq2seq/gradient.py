"""Gradient of the last output with respect to each character of the source: how far back it reaches."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.charts import seq2seq as charts
from playground.core.tables import seq2seq as frames
from playground.engine.contract.networks import NetworkInfo
from playground.errors import PlaygroundError
from playground.ui import networks, show
from playground.ui.seq2seq import choosing, code
from playground.ui.seq2seq.choosing import Choice
from playground.ui.state import PageContext
from playground.ui.text import _, plain, sentence

FEWEST, MOST = 3, 6  # networks in the picture
COMPARED = "reverse"  # the data of which every kind of network comes with the playground


def panel(context: PageContext, choice: Choice) -> None:
    """Draw the gradient norms of every network of the data, over the same source."""
    st.markdown(f"## {_('How far back does the gradient reach?')}")
    found, data = choice.networks[:MOST], choice.data
    source = choice.source
    if len(found) < FEWEST:
        data = COMPARED
        found = choosing.of_data(networks.known(context), data)[:MOST]
        source = str(st.session_state.get(choosing.source_key(data)) or choosing.first_source(data))
        told = _("The data above has too few networks to compare. Here: {data}, source {source}.")
        st.caption(told.format(data=plain(choosing.data_names()[data]), source=plain(source)))
    norms: dict[str, NDArray[np.float32]] = {}
    try:
        for one in found:
            norms[networks.network_name(one)] = networks.gradients(context, one.network_id, source).norms
    except PlaygroundError as error:
        st.error(sentence(error))
        return
    if norms:
        _draw(found, norms, source)


def _draw(found: tuple[NetworkInfo, ...], norms: dict[str, NDArray[np.float32]], source: str) -> None:
    signs = networks.signs(found[0].source, found[0].source.ids(source))
    words = {
        "position": _("Character of the source"),
        "norm": _("Gradient norm of the last output"),
        "source": _("character"),
        "network": _("Network"),
    }
    table = frames.gradients(norms, signs)
    spec = charts.gradient_lines(words, tuple(norms), n_source=len(signs))
    alt = _("Gradient norm of the last output with respect to each character of the source, log axis")
    show.show_chart(spec, "seq_gradient_picture", alt, data=table)
    st.markdown(_reading(norms))
    st.caption(
        _(
            "Norm of the derivative of the last output's logit with respect to the embedding of each "
            "character. What is small can hardly be learned from: the gradient vanishes."
        )
    )
    show.under_picture(
        "seq_gradient",
        frame=table,
        code=lambda: code.gradient(found[0], source),
        picture="seq_gradient_picture",
    )


def _reading(norms: dict[str, NDArray[np.float32]]) -> str:
    """One sentence: the first character against the last one, of the network that forgets most and least."""
    ratios = {
        name: float(one[0]) / float(one[-1]) for name, one in norms.items() if len(one) > 1 and one[-1] > 0
    }
    if not ratios:
        return ""
    least, most = min(ratios, key=ratios.__getitem__), max(ratios, key=ratios.__getitem__)
    told = _(
        "First character against last one, as gradient norms: {ratio} in *{name}*, the least here; "
        "{other_ratio} in *{other}*, the most."
    )
    return told.format(
        ratio=f"{ratios[least]:.2g}", name=plain(least), other_ratio=f"{ratios[most]:.2g}", other=plain(most)
    )

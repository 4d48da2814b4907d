"""BertViz's view of an encoder-decoder: encoder, decoder and cross-attention of one layer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts import bertviz
from playground.core import pieces
from playground.core.tables import attention as frames
from playground.ui import show
from playground.ui.families.players import Player
from playground.ui.number import number_field
from playground.ui.text import _


def panel(one: Player) -> None:
    """Draw the view.

    Args:
        one: The encoder-decoder.
    """
    st.markdown(f"## {_('The same weights as BertViz draws them')}")
    shown = parts(one)
    n_layer = min(len(part.weights) for part in shown)
    layer = int(number_field(_("Layer"), 1, n_layer, 1, key="fam_bv_layer", width=130)) - 1
    dark = st.context.theme.type == "dark"
    key = (one.trace.model_id, one.trace.revision, one.trace.input_ids.tobytes(), layer, one.context.language)
    assert one.answer is not None
    drawn = _drawn((*key, one.answer.read_ids, dark), shown, layer, dark)
    st.caption(
        _(
            "Each line goes from a token to one it looks at; a colour is a head. Double-click a square to "
            "see one head alone, point at or tap a token to see its lines alone."
        )
    )
    with st.container(key="families_bertviz"):
        st.iframe(drawn.html, height=drawn.height, alt=_("Attention weights drawn by BertViz"))
    show.provenance(one.trace, layer=layer + 1)
    show.under_picture(
        "families_bertviz", frame=partial(_table, shown, layer), code=partial(_code, one, shown, layer),
        picture="families_bertviz",
    )  # fmt: skip


def parts(one: Player) -> list[bertviz.Part]:
    """The three attentions of an encoder-decoder, in BertViz's order."""
    assert one.answer is not None
    source, target = pieces.labels(one.tokens)[: one.n_source], one.answer.read_labels
    each = (
        (_("Encoder"), one.trace.attentions, source, source),
        (_("Decoder"), one.trace.decoder_attentions, target, target),
        (_("Cross-attention"), one.trace.cross_attentions, target, source),
    )
    found = []
    for name, weights, queries, keys in each:
        assert weights is not None
        found.append(bertviz.Part(name, weights.astype(np.float32, copy=False), queries, keys))
    return found


@st.cache_resource(max_entries=32, show_spinner=False)  # 0.2 MB each
def _drawn(
    key: tuple[object, ...], _shown: Sequence[bertviz.Part], layer: int, dark: bool
) -> bertviz.BertvizView:
    words = {
        "choice": _("Which attention"),
        "missing": _("BertViz needs its libraries from the playground's own server: llm-playground run"),
    }
    return bertviz.encoder_decoder_view(_shown, layer=layer, words=words, dark=dark)


def _table(shown: Sequence[bertviz.Part], layer: int) -> pd.DataFrame:
    """Every weight drawn, with the attention that it is of."""
    each = [
        frames.weights(part.weights, [layer], part.queries, part.keys).assign(attention=part.name)
        for part in shown
    ]
    return pd.concat(each, ignore_index=True)


def _code(one: Player, shown: Sequence[bertviz.Part], layer: int) -> str:
    encoder, decoder, _cross = shown
    assert one.answer is not None
    return show.code(
        "families_bertviz",
        folder=show.model_folder(one.context.model.model_id),
        input_ids=one.trace.input_ids.tolist(),
        decoder_ids=list(one.answer.read_ids),
        layer=layer,
        source=list(encoder.queries),
        target=list(decoder.queries),
    )

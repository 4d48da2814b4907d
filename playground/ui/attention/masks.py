"""The same text in an encoder and in a decoder: who may look where, and who does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.charts import attention as charts
from playground.core import pieces
from playground.core.attention import causal_mask
from playground.core.tables import attention as frames
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.ui import compute, show
from playground.ui.components.token_chips import selected_token
from playground.ui.number import slider
from playground.ui.roles import player
from playground.ui.state import PageContext, settings
from playground.ui.text import _, as_code, plain

LEAST = 0.005  # what a selected token takes from later words, to be worth a sentence


@dataclass(frozen=True, slots=True, eq=False)
class MaskReading:
    """One model's attention at a depth.

    Attributes:
        context: The model and the text.
        tokens: The whole text as this model reads it.
        trace: With the attentions of its first tokens.
        layer: The layer shown, counted from 0.
    """

    context: PageContext
    tokens: Tokenization
    trace: Trace
    layer: int

    @property
    def weights(self) -> NDArray[np.float32]:
        """Attention weights of the layer. Shape [head, query, key]."""
        assert self.trace.attentions is not None
        weights: NDArray[np.float32] = self.trace.attentions[self.layer].astype(np.float32, copy=False)
        return weights

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """The attention mask. Shape [query, key]."""
        n = self.weights.shape[-1]
        return causal_mask(n) if self.context.model.kind == "decoder" else np.ones((n, n), dtype=bool)

    def token_at(self, character: int) -> int:
        """The first drawn token that holds a character of the text; the last one for a character past it."""
        for position, (start, stop) in enumerate(self.tokens.offsets[: self.weights.shape[-1]]):
            if start <= character < stop:
                return position
        return int(self.weights.shape[-1]) - 1

    def from_later(self) -> NDArray[np.float64]:
        """Weight of each token on the words after it; added special tokens are not words. Shape [query]."""
        n = self.weights.shape[-1]
        word = ~np.array(self.tokens.special[:n])
        later: NDArray[np.float64] = np.triu(self.weights.mean(axis=0, dtype=np.float64), 1)[:, word].sum(-1)
        return np.where(word, later, 0.0)


@st.fragment
def two_masks(context: PageContext) -> None:
    """Draw masks and mean attention of an encoder and a decoder side by side."""
    st.markdown(f"## {_('What does the mask of a decoder change?')}")
    found = [player(context, "encoder")]
    if found[0] is not None:
        found.append(player(context, "decoder"))
    players = [one for one in found if one is not None]
    if len(players) < 2:
        return
    depth = slider(_("Depth in the network (%)"), range(0, 101, 5), 50, key="att_depth", width=420)
    readings = [_read(player, depth) for player in players]
    limit = settings().max_tokens_all_heads
    if any(len(reading.tokens) > limit for reading in readings):
        st.caption(_("Only the first {n} tokens are drawn.").format(n=limit))
    st.markdown(told(context, *readings))
    for column, reading in zip(st.columns(2), readings, strict=True):
        with column:
            _draw(reading)


def _read(context: PageContext, depth: int) -> MaskReading:
    tokens = compute.tokenize(context)
    limit = settings().max_tokens_all_heads
    window = (0, limit) if len(tokens) > limit else None
    topic = f"masks_{context.model.kind}"
    capture = Capture(
        attentions="float32", window=window, query_key=context.model.gives_keys(len(tokens))
    )  # as the rest of the page asks
    trace = compute.trace(context, tokens.input_ids, capture, topic=topic)
    return MaskReading(context, tokens, trace, round(depth / 100 * (context.model.n_layer - 1)))


def _draw(reading: MaskReading) -> None:
    """One model: its mask, its mean map, and what stands under them."""
    kind, name = reading.context.model.kind, plain(reading.context.model.name)
    n = reading.weights.shape[-1]
    labels = pieces.labels(reading.tokens)[:n]
    table = frames.mean_map(labels, reading.weights, reading.allowed)
    st.markdown(f"**{name}** · {_('encoder') if kind == 'encoder' else _('decoder')}")
    mask, picture = _pictures(reading.context.language)
    key = f"att_mean_{kind}"
    show.show_chart(mask, f"att_mask_{kind}", _("Who may look where"), data=table)
    alt = _("Attention of {name}, layer {layer}, mean of all heads").format(
        name=name, layer=reading.layer + 1
    )
    show.show_chart(picture, key, alt, data=table)
    show.provenance(reading.trace, layer=reading.layer + 1)
    show.under_picture(f"attention_{kind}", frame=table, code=_code(reading), picture=key)


def told(context: PageContext, encoder: MaskReading, decoder: MaskReading) -> str:
    """The pictures in words: one word, and how much it takes from what comes after it in both models."""
    character = _character(context, encoder)
    shares = []
    labels = []
    for reading in (encoder, decoder):
        token = reading.token_at(character)
        shares.append(float(reading.from_later()[token]))
        labels.append(as_code(pieces.labels(reading.tokens)[token]))
    return _(
        "In the encoder {word} takes {encoder:.0%} from the words after it, layer {layer} of {n_layer}, mean "
        "of all heads. In the decoder {same} takes {decoder:.0%}: the mask forbids it, because the words "
        "after it are what the model learns to predict."
    ).format(
        word=labels[0],
        same=labels[1],
        encoder=shares[0],
        decoder=shares[1],
        layer=encoder.layer + 1,
        n_layer=encoder.context.model.n_layer,
    )


def _character(context: PageContext, encoder: MaskReading) -> int:
    """The character of the word: that of the selected token, otherwise where the encoder looks ahead most."""
    looks = encoder.from_later()
    tokens = compute.tokenize(context)
    chosen = selected_token(len(tokens))
    if chosen is not None and not tokens.special[chosen]:
        character = tokens.offsets[chosen][1] - 1  # the first may be a space
        if looks[encoder.token_at(character)] >= LEAST:
            return character
    return encoder.tokens.offsets[int(looks.argmax())][0]


def _code(reading: MaskReading) -> str:
    return show.code(
        "mean_attention",
        folder=show.model_folder(reading.context.model.model_id),
        input_ids=reading.trace.input_ids.tolist(),
        layer=reading.layer,
    )


@lru_cache
def _pictures(language: str) -> tuple[dict[str, Any], dict[str, Any]]:
    words = {
        "query": _("query"),
        "key": _("key"),
        "weight": _("weight"),
        "may": _("may look"),
        "must_not": _("must not look"),
    }
    return charts.mask(words), charts.mean_map(words)

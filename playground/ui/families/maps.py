"""The main picture: the mask and the maps of three families, and what each of them returns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from playground.core import pieces
from playground.core.families import share_ahead
from playground.core.ranking import rank_first
from playground.core.tables import families as frames
from playground.ui import compute, show
from playground.ui.choose import choose
from playground.ui.components.family_maps import FamilyMap, family_maps
from playground.ui.families.players import FAMILIES, Family, Head, Player, of_family, one_map
from playground.ui.families.sources import source_field
from playground.ui.number import number_field
from playground.ui.state import PageContext
from playground.ui.text import N_, _, share

NAMES: dict[Family, str] = {
    "encoder": N_("Encoder"),
    "decoder": N_("Decoder"),
    "encoder-decoder": N_("Encoder-decoder"),
}
Heads = dict[Family, Head]


def controls(context: PageContext) -> tuple[str, str]:
    """Draw which map is shown, "mean" or "head", and what the encoder-decoder reads; both."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width="content"):
            which = choose(
                "fam_map", {"mean": _("Mean of all heads"), "head": _("One head")}, _("Which weights")
            )
        return which, source_field(context)


def chosen_heads(which: str, found: Sequence[Player]) -> Heads:
    """The head of each family, None for the mean; its layer and number are fields where one is wanted."""
    if which == "mean":
        return dict.fromkeys(FAMILIES)
    heads: Heads = dict.fromkeys(FAMILIES)
    for column, one in zip(st.columns(len(found)), found, strict=True):
        with column, st.container(horizontal=True):
            heads[one.family] = _head(one)
    return heads


def _head(one: Player) -> Head:
    model, family = one.context.model, one.family.replace("-", "_")
    layer = number_field(_("Layer"), 1, model.n_layer, 1, key=f"fam_layer_{family}", width=130)
    head = number_field(_("Head"), 1, model.n_head, 1, key=f"fam_head_{family}", width=130)
    return int(layer) - 1, int(head) - 1


def draw(found: Sequence[Player], heads: Heads) -> None:
    """Draw the maps, what each model returns, and the sentence that reads them."""
    maps = [
        FamilyMap(
            f"{_(NAMES[one.family])} · {one.context.model.name}", one.weights(heads[one.family]), one.labels,
            one.spans, one.context.text, one.n_seen_by_all, returned(one),
        )
        for one in found
    ]  # fmt: skip
    with st.container(key="families_picture"):
        family_maps(maps, key="family_maps")
    st.markdown(told(found, heads))
    for one in found:
        head = heads[one.family]
        show.provenance(one.trace, layer=head[0] + 1 if head else None, head=head[1] + 1 if head else None)
    _say_cut(found)
    show.under_picture(
        "families", frame=partial(table, found, heads), code=partial(_code, found, heads),
        picture="families_picture",
    )  # fmt: skip


def table(found: Sequence[Player], heads: Heads) -> pd.DataFrame:
    """Every weight of the picture."""
    each = [
        frames.family_map(one.family, one.weights(heads[one.family]), one.allowed, one.labels)
        for one in found
    ]
    return pd.concat(each, ignore_index=True)


def ahead(one: Player, head: Head) -> float:
    """Share of the weight that tokens put on later ones; of an encoder-decoder in its encoder."""
    return share_ahead(one_map(one.trace.attentions, head))


def told(found: Sequence[Player], heads: Heads) -> str:
    """The picture in words: how much each family takes from later positions."""
    words = []
    encoder, decoder, both = (of_family(found, family) for family in FAMILIES)
    if encoder and decoder:
        told = _(
            "On average a token puts {encoder:.1%} of its weight on later tokens in the encoder and "
            "{decoder:.1%} in the decoder."
        )
        shares = {one.family: ahead(one, heads[one.family]) for one in (encoder, decoder)}
        words.append(told.format(**shares))
    if both:
        told = _(
            "In the encoder-decoder it is {source:.1%} in its encoder and {target:.1%} in its decoder, which "
            "sees every token of the source besides."
        )
        target = share_ahead(one_map(both.trace.decoder_attentions, heads[both.family]))
        words.append(told.format(source=ahead(both, heads[both.family]), target=target))
    return " ".join(words)


def returned(one: Player) -> list[str]:
    """Lines on the result of a model, for the browser, which writes them as text."""
    if one.family == "encoder":
        return _vectors(one)
    if one.family == "decoder":
        return _next_token(one)
    assert one.answer is not None
    probability = share(float(np.exp(one.answer.logprob)), ".3g" if one.answer.logprob < -9 else ".1%")
    return [
        _("It returns an answer, written token by token: {text}").format(text=one.answer.text or "…"),
        _("Steps: {n}; probability of the whole answer: {p}").format(n=len(one.answer.labels), p=probability),
    ]


def _vectors(one: Player) -> list[str]:
    states = one.trace.hidden_states
    assert states is not None
    _n, n, d = states.shape
    first = ", ".join(f"{x:.2f}" for x in states[-1, 0, :4])
    return [
        _("It returns vectors: {n} of {d} numbers, one for each token, and no word.").format(n=n, d=d),
        f"{one.labels[0]}: {first}, …",
    ]


def _next_token(one: Player) -> list[str]:
    assert one.trace.logits is not None
    best = rank_first(one.trace.logits[-1]).token_ids[:3]
    logits = one.trace.logits[-1].astype(np.float64)
    probs = np.exp(logits - np.logaddexp.reduce(logits))
    begun = pieces.open_bytes(b"".join(one.tokens.token_bytes))
    texts = compute.token_texts(one.context, best)
    words = [
        f"{pieces.piece(text, begun).label} {share(float(probs[token]), '.1%')}"
        for text, token in zip(texts, best, strict=True)
    ]
    return [
        _("It returns one distribution over its vocabulary: the next token."),
        ", ".join(words) + ", …",
    ]


def _say_cut(found: Sequence[Player]) -> None:
    if cut := [one for one in found if len(one.tokens) > one.n_source]:
        st.caption(_("Only the first {n} tokens are drawn.").format(n=cut[0].n_source))


def _code(found: Sequence[Player], heads: Heads) -> str:
    runs = [
        {
            "family": one.family,
            "folder": show.model_folder(one.context.model.model_id),
            "input_ids": one.trace.input_ids.tolist(),
            "n_drawn": one.n_source,
            "decoder_ids": [] if one.answer is None else list(one.answer.read_ids),
            "head": heads[one.family],
        }
        for one in found
    ]
    return show.code("families", runs=runs)

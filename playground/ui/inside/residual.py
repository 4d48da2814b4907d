"""The residual stream: length and direction of the state, and the parts of a token's logit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts import inside as charts
from playground.core import inside as core
from playground.core import residual
from playground.core.residual import Lens
from playground.core.tables import inside as frames
from playground.ui import compute, show
from playground.ui.inside.reading import N_TOP, InsideReading, pick
from playground.ui.text import _, as_code, plain

NONE = "none"
APART, ALIKE = 0.3, 0.7  # cosines up to and from which two states are said to point elsewhere, or alike


@st.fragment
def stream(reading: InsideReading) -> None:
    """Length of the state and its cosine to the last one, by layer."""
    st.markdown(f"## {_('How do the length and the direction of the state change?')}")
    found = reading.stream()
    table = frames.stream(found)
    alt = _("Length of the state after each layer, and its cosine to the last state")
    show.show_chart(_stream_picture(reading.context.language), "ins_stream", alt, data=table)
    st.markdown(stream_words(as_code(reading.labels[reading.position]), found.norms, found.cosines))
    show.provenance(reading.trace)
    folder, ids = show.model_folder(reading.context.model.model_id), list(reading.tokens.input_ids)
    places = show.places(reading.context.model, "final_norm")
    code = show.code("residual_stream", folder=folder, input_ids=ids, position=reading.position, **places)
    show.under_picture("inside_stream", frame=table, code=code, picture="ins_stream")


def stream_words(token: str, norms: core.Floats, cosines: core.Floats) -> str:
    """A sentence on the growth and the turn of the state, from its numbers.

    Args:
        token: Label of the token in the sentence.
        norms, cosines: Norms and cosines of the states. Each of shape [layer + 1].
    """
    longest, last = int(norms.argmax()), len(norms) - 1
    told = [
        _("At {token} the state is {first:.3g} long in the embedding and {last:.3g} after layer {n}.").format(
            token=token, first=norms[0], last=norms[-1], n=last
        )
    ]
    if longest not in (0, last):
        told.append(
            _("It is longest after layer {layer}: {length:.3g}.").format(layer=longest, length=norms[longest])
        )
    if abs(cosines[0]) < APART:
        told.append(_("The embedding points elsewhere than the last state: cosine {cosine:.2f}."))
    elif cosines[0] < ALIKE:
        told.append(_("The embedding points only in part where the last state does: cosine {cosine:.2f}."))
    else:
        told.append(_("The embedding points much the same way as the last state: cosine {cosine:.2f}."))
    told[-1] = told[-1].format(cosine=cosines[0])
    if last > 1:
        told.append(_("One layer before the end it is {near:.2f}.").format(near=cosines[-2]))
    return " ".join(told)


@st.fragment
def attribution(reading: InsideReading) -> None:
    """Share of every part of the model in the logit of a chosen token."""
    st.markdown(f"## {_('Which parts write the answer?')}")
    ids = reading.tokens.input_ids
    lens = reading.lens_here()
    assert lens.logits is not None
    names = {str(token): f"{label} ({token})" for token, label in _choices(reading, lens).items()}
    answer = next(iter(names))
    left, right = st.columns(2)
    with left:
        token = pick("ins_token", names, _("Logit of"), answer)
    with right:
        minus = pick("ins_minus", {NONE: _("nothing")} | names, _("minus the logit of"), NONE)
    chosen = (int(token),) if minus == NONE else (int(token), int(minus))
    unembedding = compute.unembedding(reading.context, chosen)
    if unembedding is None:
        said = _("{name} caps its logits: no shares of its parts sum to one. Choose another model.")
        st.info(said.format(name=plain(reading.context.model.name)))
        return
    table = frames.attribution(contributions(reading, unembedding))
    alt = _("What attention and MLP of each block add to the logit")
    show.show_chart(_attribution_picture(reading.context.language), "ins_attribution", alt, data=table)
    logit = lens.logits[-1, list(chosen)].astype(np.float64)
    st.markdown(_sum_words(table, float(logit[0] - logit[1:].sum())))
    show.provenance(reading.trace)
    folder = show.model_folder(reading.context.model.model_id)
    parts_of_it = ("blocks", "attention_writes", "mlp_writes", "final_norm", "norm_adds")
    code = show.code(
        "attribution", folder=folder, input_ids=list(ids), position=reading.position, token_ids=list(chosen),
        **show.places(reading.context.model, *parts_of_it),
    )  # fmt: skip
    show.under_picture("inside_attribution", frame=table, code=code, picture="ins_attribution")


def contributions(reading: InsideReading, unembedding: residual.Unembedding) -> core.Floats:
    """Share of each part in the logit of the first token, minus its share in that of the second.

    Returns:
        Nats: embedding, attention and MLP of each block, biases. Shape [2 * layer + 2].
    """
    found = reading.stream()
    made = residual.attribution(core.parts(found), found.states[-1], unembedding)
    difference: core.Floats = made[:, 0] - made[:, 1:].sum(axis=1)
    return difference


def _choices(reading: InsideReading, lens: Lens) -> dict[int, str]:
    """The best tokens at the end, and those that led on the way."""
    led = core.best_at_any_layer(lens.top_ids[:, 0], lens.top_probs[:, 0], N_TOP)
    return reading.named_here([*lens.top_ids[-1, 0].tolist(), *led.tolist()])


def _sum_words(table: pd.DataFrame, logit: float) -> str:
    """The sum beside the model's own logit, and the largest parts."""
    total = float(table["logit"].sum())
    sums = table.groupby("part")["logit"].sum()
    most = table.iloc[int(table["logit"].argmax())]
    return _(
        "Attention adds {attention:.3f}, the MLPs {mlp:.3f}, the embedding {embedding:.3f}; most of all "
        "layer {layer} ({part}, {most:.3f}). Sum of all {n} parts: {total:.4f}. The model's own logit: "
        "{logit:.4f}. Difference: {difference:.1e}."
    ).format(
        attention=sums["attention"], mlp=sums["mlp"], embedding=sums["embedding"], layer=int(most["layer"]),
        part=_parts()[str(most["part"])], most=float(most["logit"]), n=len(table), total=total, logit=logit,
        difference=abs(total - logit),
    )  # fmt: skip


def _parts() -> dict[str, str]:
    return {"embedding": _("embedding"), "attention": _("attention"), "mlp": "MLP", "bias": _("biases")}


@lru_cache
def _stream_picture(language: str) -> dict[str, Any]:
    layer = _("Layer (0 = embedding)")
    return charts.stream_lines(
        {"layer": layer, "norm": _("Length of the state"), "cosine": _("Cosine to the last state")}
    )


@lru_cache
def _attribution_picture(language: str) -> dict[str, Any]:
    words = {"layer": _("Layer (0 = embedding)"), "logit": _("Adds to the logit")}
    return charts.attribution_bars(words | _parts())

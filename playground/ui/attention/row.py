"""One row of one head in numbers: from a query and its keys to what the head writes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.core.attention import RowArithmetic, overlaps, row_arithmetic
from playground.core.pieces import labels as labels_of
from playground.core.tables import attention as frames
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.ui import compute, show
from playground.ui.components import row_arithmetic as component
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain
from playground.ui.url_settings import chosen, remember

PLACE = "att_row"


@st.fragment
def row(
    context: PageContext, layer: int, head: int, query: int, window: tuple[int, int] | None = None
) -> None:
    """Draw what one query adds up to in one head.

    Args:
        context: From `frame.page`.
        layer, head: Which head.
        query: Position of the token that looks.
        window: First and last + 1 of the keys drawn; the others still have their weight. None draws all.
    """
    st.markdown(f"#### {_('How does a head work out one row?')}")
    if "query_key" not in context.model.capabilities:
        name = plain(context.model.name)
        st.info(_("{name} does not give its queries and keys here: choose another model.").format(name=name))
        return
    trace = compute.trace(
        context, Capture(attentions="float32", window=window, query_key=True), topic="attention"
    )
    start, stop = window or (0, len(trace.tokens))
    arithmetic = worked_out(context, trace, layer, head, query)
    labels = [f"{at}: {label}" for at, label in enumerate(labels_of(compute.tokenize(context)))]
    strongest = int(arithmetic.weights[start:stop].argmax())
    orders = (_("as in the text"), _("strongest first"))
    controls = component.controls(labels[start:stop], context.model.d_head, strongest, orders)
    settings = chosen(PLACE, controls)
    facts, numbers = _picture(context, trace, layer, head, query, (start, stop))
    with st.container(key="att_row_picture"):
        component.row_arithmetic(
            controls, settings, facts | {"query": labels[query]}, numbers, key=f"{PLACE}_panel",
            words=_words(), language=context.language, on_release=remember(PLACE, controls),
        )  # fmt: skip
    show.provenance(trace, layer=layer + 1, head=head + 1)
    code = show.code(
        "attention_row",
        folder=show.model_folder(context.model.model_id),
        input_ids=trace.input_ids.tolist(),
        layer=layer,
        head=head,
        query=query,
        divisor=settings["divisor"],
    )
    table = partial(frames.row, labels, arithmetic, settings["divisor"])
    show.under_picture("attention_row", frame=table, code=code, picture="att_row_picture")


def worked_out(context: PageContext, trace: Trace, layer: int, head: int, query: int) -> RowArithmetic:
    """Every number of the row, over all keys of the text.

    Args:
        context: From `frame.page`.
        trace: With queries, keys and values.
        layer, head, query: Which row.
    """
    assert trace.queries is not None
    keys, values = _keys_and_values(context, trace, layer, head)
    output = compute.head_output(context, layer, head)
    allowed = _allowed(context, len(keys), query)
    return row_arithmetic(trace.queries[layer, head, query], keys, values, allowed, output)


def _keys_and_values(
    context: PageContext, trace: Trace, layer: int, head: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the head uses: grouped heads share a key head. Shapes [key, d_head]."""
    assert trace.keys is not None
    assert trace.values is not None
    shared = head // (context.model.n_head // context.model.n_kv_head)
    return trace.keys[layer, shared], trace.values[layer, shared]


def _allowed(context: PageContext, n: int, query: int) -> NDArray[np.bool_]:
    return np.arange(n) <= query if context.model.kind == "decoder" else np.ones(n, dtype=bool)


def _picture(
    context: PageContext, trace: Trace, layer: int, head: int, query: int, window: tuple[int, int]
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """What the browser computes with: see `components.row_arithmetic`."""
    assert trace.queries is not None
    drawn = slice(*window)
    keys, values = _keys_and_values(context, trace, layer, head)
    q = trace.queries[layer, head, query]
    allowed = _allowed(context, len(keys), query)
    outside = allowed.copy()
    outside[drawn] = False
    facts = {
        "d_head": context.model.d_head,
        "allowed": allowed[drawn].tolist(),
        "rest": (keys[outside].astype(np.float64) @ q.astype(np.float64)).tolist(),
        "overlaps": overlaps(values[drawn], compute.head_output(context, layer, head)).round(9).tolist(),
    }
    return facts, np.vstack([q, keys[drawn]])


def _words() -> dict[str, str]:
    """The words of the picture in the reader's language; the browser fills the braces."""
    return {
        "divisor": _("Divide the scores by"),
        "key": _("Key shown below"),
        "order": _("Order of the keys"),
        "exact": _("{name}, exact value"),
        "picture": _("One row of attention: each key's score, weight, and what it writes"),
        "key_token": _("key token"),
        "product": _("score"),
        "mask": _("may look?"),
        "weight": _("how much it takes"),
        "written": _("how much it writes"),
        "sum": _("Sum"),
        "outside_one": ngettext("{n} key outside the window", "{n} keys outside the window", 1),
        "outside": ngettext("{n} key outside the window", "{n} keys outside the window", 2),
        "dimensions": _("q·k of query {query} and key {key}, dimension by dimension: sum {sum}"),
        "usual": _(
            "Query {query} takes {own_largest} from key {key}, its largest weight. Divided by √{d}, the "
            "row has {own_bits} bits of entropy; spread evenly over all keys it may see ({n}) it would "
            "have {most}."
        ),
        "saturated": _(
            "Divided by only {divisor}, softmax saturates: {bits} bits, the largest weight is {largest}. "
            "With √{d}: {own_bits} bits and {own_largest}."
        ),
        "sharper": _(
            "Divided by only {divisor}, the row gets sharper: {bits} bits, the largest weight is {largest}. "
            "With √{d}: {own_bits} bits and {own_largest}."
        ),
        "flatter": _(
            "Divided by {divisor}, the row evens out: {bits} of at most {most} bits, the largest weight is "
            "{largest}. With √{d}: {own_bits} bits and {own_largest}."
        ),
        "legend": _(
            "Click a key to see its dimensions. Orange: weight; thin mark: weight with √d. Green: length of "
            "what it adds to the residual stream. Dimensions: violet adds to the score, brown takes from it. "
            "Point at anything for exact values."
        ),
        "detail": _(
            "{key}: q·k = {score}, divided {scaled}, weight {weight} (with √d: {own}), writes {written}"
        ),
        "hidden": _("{key}: q·k = {score}, but it comes later: the mask adds −∞, weight 0"),
        "dimension": _("Dimension {i}: q {q} × k {k} = {product}"),
    }

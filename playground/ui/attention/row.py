"""One row of one head in numbers: from a query and its keys to the output of the head."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.core.attention import RowArithmetic, overlaps, row_arithmetic
from playground.core.pieces import labels as labels_of
from playground.core.tables import attention as frames
from playground.ui import compute, show
from playground.ui.attention.view import View
from playground.ui.components import row_arithmetic as component
from playground.ui.text import _, ngettext, plain
from playground.ui.url_settings import chosen, remember

PLACE = "att_row"


@st.fragment
def row(view: View) -> None:
    """Draw what the selected token, as a query, adds up to in the chosen head.

    Args:
        view: The view of the page; keys outside its window are not drawn, but still have their weight.
    """
    st.markdown(f"## {_('How does a head work out one row?')}")
    context, trace, drawn = view.context, view.trace, slice(view.start, view.stop)
    output = _output(view)
    if output is None:
        return
    query = view.start + view.query
    q, keys, values = _vectors(view, query)
    allowed = np.arange(len(keys)) <= query if view.causal else np.ones(len(keys), dtype=bool)
    arithmetic = row_arithmetic(q, keys, values, allowed, output)
    labels = [f"{at}: {label}" for at, label in enumerate(labels_of(view.tokens))]
    strongest = int(arithmetic.weights[drawn].argmax())
    orders = (_("as in the text"), _("strongest first"))
    controls = component.controls(labels[drawn], context.model.d_head, strongest, orders)
    settings = chosen(PLACE, controls)
    facts = _facts(arithmetic, allowed, drawn) | {
        "d_head": context.model.d_head,
        "overlaps": overlaps(values[drawn], output).round(9).tolist(),
        "query": labels[query],
    }
    with st.container(key="att_row_picture"):
        component.row_arithmetic(
            controls, settings, facts, np.vstack([q, keys[drawn]]), key=f"{PLACE}_panel", words=_words(),
            language=context.language, on_release=remember(PLACE, controls),
        )  # fmt: skip
    show.provenance(trace, layer=view.layer + 1, head=view.head + 1)
    code = show.code(
        "attention_row",
        folder=show.model_folder(context.model.model_id),
        input_ids=trace.input_ids.tolist(),
        layer=view.layer,
        head=view.head,
        query=query,
        divisor=settings["divisor"],
        is_causal=view.causal,
        **show.places(context.model, "blocks", "attention_output"),
    )
    table = partial(frames.row, labels, arithmetic, settings["divisor"])
    show.under_picture("attention_row", frame=table, code=code, picture="att_row_picture")


def _output(view: View) -> NDArray[np.float32] | None:
    """The chosen head's part of the output projection; None, with a sentence, where there is none."""
    context = view.context
    if "query_key" not in context.model.capabilities:
        name = plain(context.model.name)
        st.info(_("{name} does not give its queries and keys here: choose another model.").format(name=name))
        return None
    if context.model.n_virtual:
        said = _(
            "{name} has {n} virtual positions before the text. They have keys of their own, so no row can "
            "be worked "
            "out from the keys of its tokens: go back to the base model."
        )
        st.info(said.format(name=plain(context.model.name), n=context.model.n_virtual))
        return None
    if view.trace.queries is None:
        said = _(
            "Past token {n} some layers of {name} see only a part of the text: shorten it to work out a row."
        )
        st.info(said.format(name=plain(context.model.name), n=context.model.seen_whole))
        return None
    output = compute.head_output(context, view.layer, view.head)
    if output is None:
        said = _(
            "{name} puts the sum of its heads through a norm or a bottleneck before adding it: no head has a "
            "share of its own that this row could end in. Choose another model."
        )
        st.info(said.format(name=plain(context.model.name)))
        return None
    return output


def _vectors(view: View, query: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """The query, and the keys and values its head uses: grouped heads share them.

    Returns:
        Shapes [d_head], [key, d_head], [key, d_head], of all tokens of the text.
    """
    trace, model = view.trace, view.context.model
    assert trace.queries is not None
    assert trace.keys is not None
    assert trace.values is not None
    shared = view.head // (model.n_head // model.n_kv_head)
    return (
        trace.queries[view.layer, view.head, query],
        trace.keys[view.layer, shared],
        trace.values[view.layer, shared],
    )


def _facts(arithmetic: RowArithmetic, allowed: NDArray[np.bool_], drawn: slice) -> dict[str, Any]:
    """The drawn keys that the query may look at, and the scores of those that are not drawn."""
    outside = allowed.copy()
    outside[drawn] = False
    return {"allowed": allowed[drawn].tolist(), "rest": arithmetic.scores[outside].tolist()}


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
            "Point at or tap anything for exact values."
        ),
        "detail": _(
            "{key}: q·k = {score}, divided {scaled}, weight {weight} (with √d: {own}), writes {written}"
        ),
        "hidden": _("{key}: q·k = {score}, but it comes later: the mask adds −∞, weight 0"),
        "dimension": _("Dimension {i}: q {q} × k {k} = {product}"),
    }

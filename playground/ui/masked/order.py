"""Several masks: filled at once, each for itself, or one after another; the answers may differ."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from playground.core import masked as core
from playground.core.masked import ORDERS, Filling
from playground.core.tables import masked as frames
from playground.core.tables.masked import FilledText
from playground.ui import compute, show
from playground.ui.masked.view import View
from playground.ui.text import _, strong

MOST = 6  # masks; each is one reading per way


def panel(view: View) -> None:
    """Draw the ways to fill the masks, and how probable what each wrote is."""
    st.markdown(f"## {_('Do the masks know of each other?')}")
    gaps = _gaps(view)
    if len(gaps) < 2:
        st.info(_("The text has one token only: two are needed here."))
        return
    if len(gaps) > MOST:
        st.info(
            _("{got} tokens are masked; here at most {limit}. Show some again.").format(
                got=len(gaps), limit=MOST
            )
        )
        return
    if gaps != view.gaps:
        st.caption(
            _("Fewer than two tokens are masked. As an example {token} is masked here as well.").format(
                token=strong(next(view.labels[at] for at in gaps if at not in view.gaps))
            )
        )
    ids = view.ids(gaps)
    fillings = {"once": core.fill_at_once(ids, view.ask)}
    fillings |= {order: core.fill_in_turn(ids, order, view.ask) for order in ORDERS}
    table = _table(view, ids, fillings)
    columns = {
        "way": _("Order"), "tokens": _("Tokens"), "text": _("Text"), "bits": _("bits when chosen"),
        "chain_bits": _("bits from left to right"),
    }  # fmt: skip
    st.dataframe(table.rename(columns=columns).round(2), hide_index=True, key="mas_fillings")
    st.markdown(_told(view, table, fillings))
    show.source(view.context.model)
    code = show.code("filling_order", **view.read_from, input_ids=list(ids))
    show.under_picture("filling_order", frame=table, code=code)


def _gaps(view: View) -> tuple[int, ...]:
    """The masks, and a neighbour of them where there is only one."""
    gaps = view.gaps
    while len(gaps) < 2:
        last = gaps[-1] if gaps else 0
        others = [at for at in view.free if at not in gaps]
        if not others:
            break
        following = [at for at in others if at > last]
        gaps = tuple(sorted((*gaps, following[0] if following else others[-1])))
    return gaps


def _table(view: View, ids: tuple[int, ...], fillings: dict[str, Filling]) -> pd.DataFrame:
    ways = {
        "once": _("all at once"), "left": _("left to right"), "right": _("right to left"),
        "surest": _("surest first"),
    }  # fmt: skip
    rows = []
    for way, filling in fillings.items():
        whole = list(ids)
        for at, token in zip(filling.positions, filling.token_ids, strict=True):
            whole[at] = token
        written = [token for token, special in zip(whole, view.tokens.special, strict=True) if not special]
        logprobs = core.chain(ids, filling.positions, filling.token_ids, view.ask)
        chained = Filling(filling.positions, filling.token_ids, logprobs)
        rows.append(
            FilledText(
                ways[way],
                " … ".join(view.names(list(filling.token_ids))),
                compute.tokenizers().text_of(view.model_id, written),
                filling.bits,
                chained.bits,
            )
        )
    return frames.fillings(rows)


def _told(view: View, table: pd.DataFrame, fillings: dict[str, Filling]) -> str:
    once, left = fillings["once"], fillings["left"]
    tokens = table["tokens"]
    if len({filling.token_ids for filling in fillings.values()}) == 1:
        return _(
            "Every order writes {tokens} here. From left to right they cost {chain:.2f} bits; the model "
            "believed {once:.2f} bits when it filled them at once."
        ).format(tokens=strong(tokens[0]), chain=table["chain_bits"][0], once=once.bits)
    other = next(row for row, name in enumerate(fillings) if fillings[name].token_ids != once.token_ids)
    name = table["way"][other]
    bits = table["chain_bits"][0] - table["chain_bits"][other]
    told = _(
        "At once the model writes {once}: each token is the best for itself. In the order *{order}* it "
        "writes {other}, where each knows those before it."
    ).format(once=strong(tokens[0]), order=name, other=strong(tokens[other]))
    times = 2.0 ** min(abs(bits), 60)
    compared = (
        _("As one answer, the second is {times:,.1f} times as probable as the first.")
        if bits > 0
        else _("As one answer, the first is still {times:,.1f} times as probable as the second.")
    )
    more = "" if left.token_ids != once.token_ids else " " + _("Left to right agrees with at once here.")
    return f"{told} {compared.format(times=times)}{more}"

"""Positions past the trained length: a learned table has no row for them, a rotation has any angle."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from playground.charts import positions as charts
from playground.core import word_order
from playground.core.ranking import rank
from playground.core.sampling import distribution
from playground.core.tables import positions as frames
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.ui import compute, show
from playground.ui.frame import has_sentence
from playground.ui.positions.roles import first_tokens
from playground.ui.positions.word_order import winner
from playground.ui.state import PageContext, settings
from playground.ui.text import _, as_code, plain
from playground.ui.url import setting

OFFSETS = (0, 16, 64, 256, 1024, 4096, 8192, 16384, 65536)


@st.fragment
def far(learned: PageContext, decoder: PageContext) -> None:
    """The panel on positions past the trained length: a table has no row for them, a rotation any angle."""
    st.markdown(f"## {_('What lies past the trained length?')}")
    _no_row(learned)
    st.markdown(
        _(
            "A rotation has an angle for every position, also past the {n_ctx:,} that {name} was trained "
            "with. Shift the whole text, and no distance changes; move only its last word away, and the "
            "distances to it grow, past {n_ctx:,} to ones the model never met."
        ).format(n_ctx=decoder.model.n_ctx, name=plain(decoder.model.name))
    )
    label = _("Let {name} read the text at far positions ({n} forward passes)")
    n_passes = 2 * len(OFFSETS) - 1
    if not st.toggle(label.format(name=plain(decoder.model.name), n=n_passes), **setting("pos_far", False)):
        return
    if not has_sentence(decoder):
        return
    tokens = first_tokens(decoder, settings().max_tokens_all_heads)
    last = word_order.words(tokens)[-1:]
    if not last or len(last[0]) == len(tokens):
        st.info(_("One token has no distances: type at least two words."))
        return
    rows, trace = _measure(decoder, tokens, last[0][0])
    table = frames.far(rows)
    alt = _("Probability of one next token when the text stands at far positions")
    show.show_chart(_far_picture(decoder.language, rows[0][3]), "pos_far_lines", alt, data=table)
    shifted, moved = (
        next(row for row in rows if row[0] == kind and row[1] == 16384) for kind in ("all", "last")
    )
    told = _(
        "{token} has {here:.1%}. With the whole text 16,384 positions later it has {shifted:.1%}; with only "
        "the last word that far away {moved:.1%}."
    ).format(token=as_code(rows[0][3]), here=rows[0][2], shifted=shifted[2], moved=moved[2])
    stays = moved[3] == rows[0][3]
    first = _("It stays the first.") if stays else _("{winner} is the first there.")
    st.markdown(f"{told} {first.format(winner=as_code(moved[3]))}")
    show.provenance(trace)
    folder = show.model_folder(decoder.model.model_id)
    values = {"input_ids": list(tokens.input_ids), "last": last[0][0], "offsets": list(OFFSETS)}
    code = show.code("far_positions", folder=folder, **values)
    show.under_picture("far_positions", frame=table, code=code, picture="pos_far_lines")


def _no_row(context: PageContext) -> None:
    """Ask a learned table for the row after its last one, and show what the engine answers."""
    n_ctx = context.model.n_ctx
    answer = compute.rejection(context, (0,), (n_ctx,))  # any token
    asked = _(
        "{name} learned {n_ctx:,} rows, counted from 0, so there is no position {n_ctx:,}. "
        "Asked for it, the engine says:"
    )
    st.markdown(asked.format(name=plain(context.model.name), n_ctx=n_ctx))
    st.markdown(f"> {answer or '–'}")  # what was to be seen: no fault of the reader's


def _measure(
    context: PageContext, tokens: Tokenization, last: int
) -> tuple[list[tuple[str, int, float, str, float]], Trace]:
    """Read the text at every offset: all of it, or from token `last` on. Watches offset 0's winner."""
    ids = tokens.input_ids
    rows: list[tuple[str, int, float, str, float]] = []
    watched: np.int64 | None = None
    trace: Trace | None = None
    for moved in ("all", "last"):
        for offset in OFFSETS:
            first = 0 if moved == "all" else last
            places = tuple(place + (offset if place >= first else 0) for place in range(len(ids)))
            trace = compute.trace(context, ids, Capture(logits="last"), position_ids=places, topic="far")
            assert trace.logits is not None
            found = distribution(rank(trace.logits[-1]))
            if watched is None:
                watched = found.token_ids[0]
            prob = float(found.probs[found.token_ids == watched][0])
            rows.append((moved, offset, prob, *winner(context, trace)))
    assert trace is not None
    return rows, trace


@lru_cache
def _far_picture(language: str, token: str) -> dict[str, Any]:
    return charts.far_lines(
        {
            "offset": _("Positions away"),
            "prob": _("Probability of {token}").format(token=token),
            "all": _("the whole text shifted"),
            "last": _("only the last word moved away"),
            "token": _("Token"),
            "token_prob": _("Model's own probability"),
        }
    )

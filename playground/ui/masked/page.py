"""The page Masked: what stands behind a mask, and the objectives by which models learn from text alone."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts import masked as charts
from playground.core.tables import masked as frames
from playground.core.tables.masked import Answer
from playground.engine.contract.filling import Filled
from playground.engine.contract.models import Capability
from playground.errors import TooManyMasks
from playground.ui import show, state, unread_language
from playground.ui.components.mask_chips import mask_chips
from playground.ui.frame import Drawn
from playground.ui.masked import candidates, likelihood, objectives, order, pairs, sides
from playground.ui.masked.head import say_measured
from playground.ui.masked.tasks import tasks
from playground.ui.masked.view import View, look, remember
from playground.ui.panels import Panel, pick
from playground.ui.state import PageContext
from playground.ui.text import _, sentence, strong

N_TOP = 10
FILLS: tuple[Capability, ...] = ("fill",)
N_TOLD = 3  # masks that a sentence is written for


def draw(context: PageContext) -> Drawn:
    """The sentence with its masks, what the model puts there, and one panel."""
    view = look(context)
    if view is None:
        return (), None
    unread_language.say(context.text, view.context.model, FILLS)
    mask_chips(
        view.tokens, view.masked, typed=view.typed, mask_label=view.mask_label, key="mas_chips",
        on_change=partial(_mask, len(view.typed)),
    )  # fmt: skip
    if (too_many := st.session_state.pop("mas_too_many", None)) is not None:
        st.warning(sentence(too_many))
    filled = None
    if view.gaps:
        filled = view.fill(view.ids(), token_ids=_hidden_tokens(view), n_top=N_TOP)
        _answers(view, filled)
    else:
        st.info(
            _("Nothing is masked. Click or tap a token above, or write {mask} into your sentence.").format(
                mask=strong(view.mask_label)
            )
        )
    later = pick("mas_panel", _panels(view), _("Look closer")).draw()
    return tasks(view, filled), later


def _mask(n_typed: int, masked: tuple[int, ...]) -> None:
    """Remember the masks; more than the model fills are not taken, which is said."""
    limit = state.settings().max_masks
    if len(masked) + n_typed > limit:
        st.session_state["mas_too_many"] = TooManyMasks(limit=limit, got=len(masked) + n_typed)
        masked = masked[: limit - n_typed]
    remember(masked)


def _panels(view: View) -> dict[str, Panel[[]]]:
    return {
        "objectives": Panel(_("Objectives machine"), partial(objectives.panel, view)),
        "order": Panel(_("Several masks"), partial(order.panel, view)),
        "candidates": Panel(_("My answers"), partial(candidates.panel, view)),
        "sides": Panel(_("Both sides or one"), partial(sides.panel, view)),
        "text": Panel(_("The whole sentence"), partial(likelihood.panel, view)),
        "pairs": Panel(_("Minimal pairs"), partial(pairs.panel, view)),
    }


def _hidden_tokens(view: View) -> tuple[int, ...]:
    return tuple(dict.fromkeys(view.tokens.input_ids[at] for at in view.masked))


def _answers(view: View, filled: Filled) -> None:
    table = _table(view, filled)
    alt = _("The most probable tokens behind each mask")
    n_masks = len(filled.positions)
    show.show_chart(_picture(state.language(), n_masks), "mas_answers", alt, data=table)
    st.markdown("  \n".join(_told(view, table, mask) for mask in range(1, min(n_masks, N_TOLD) + 1)))
    show.source(view.context.model)
    say_measured(view.context.model)
    code = show.code(
        "masked", **view.read_from, input_ids=list(view.ids()),
        hidden={at: view.tokens.input_ids[at] for at in view.masked},
    )  # fmt: skip
    show.under_picture("masked", frame=table, code=code, picture="mas_answers")


def _table(view: View, filled: Filled) -> pd.DataFrame:
    """The rows of `frames.answers`; what stood there comes last where it is not among the first."""
    probs = np.exp(filled.top_logprobs.astype(np.float64))
    asked = filled.token_ids[0].tolist()
    rows: list[Answer] = []
    for mask, (at, top) in enumerate(zip(filled.positions.tolist(), filled.top_ids.tolist(), strict=True), 1):
        own = view.tokens.input_ids[at] if at in view.masked else None
        gap = _("Mask {n}: token {at}").format(n=mask, at=at + 1)
        names = view.names(top)
        for rank, (token, name) in enumerate(zip(top, names, strict=True), 1):
            p = float(probs[mask - 1, rank - 1])
            rows.append(Answer(mask, gap, rank, rank, name, token, p, token == own))
        if own is not None and own not in top:
            column = asked.index(own)
            rank = int(filled.token_ranks[mask - 1, column]) + 1
            p = float(np.exp(np.float64(filled.token_logprobs[mask - 1, column])))
            (name,) = view.names([own])
            rows.append(Answer(mask, gap, len(top) + 1, rank, name, own, p, True))
    return frames.answers(rows)


def _told(view: View, table: pd.DataFrame, mask: int) -> str:
    """A panel of the picture in words."""
    rows = table[table["mask"] == mask]
    first, own = rows.iloc[0], rows[rows["stood_there"]]
    if own.empty:
        told = _("Mask {n}: the first choice is {token} with {share:.1%}.")
        return told.format(n=mask, token=strong(first["token"]), share=first["probability"])
    if own.iloc[0]["rank"] == 1:
        told = _("Mask {n}: the first choice, {token} with {share:.1%}, is what stood there.")
        return told.format(n=mask, token=strong(first["token"]), share=first["probability"])
    told = _(
        "Mask {n}: the first choice is {token} with {share:.1%}; {own}, which stood there, is number "
        "{rank:,} with {own_share:.2%}."
    )
    return told.format(
        n=mask, token=strong(first["token"]), share=first["probability"], own=strong(own.iloc[0]["token"]),
        rank=own.iloc[0]["rank"], own_share=own.iloc[0]["probability"],
    )  # fmt: skip


@lru_cache
def _picture(language: str, n_masks: int) -> dict[str, Any]:
    words = {
        "token": _("Token"), "probability": _("Probability"), "rank": _("Rank"),
        "axis": _("Probability (square-root scale)"), "guess": _("the model's answers"),
        "stood": _("what stood there"),
    }  # fmt: skip
    return charts.answers(words, n_masks=n_masks)

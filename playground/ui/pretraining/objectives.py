"""The objectives at the same budget: what each counts, how far it comes, and what its model can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from playground.core.pretraining import bits
from playground.engine.contract.pretraining import OBJECTIVES, PretrainingSettings, n_told
from playground.ui import show
from playground.ui.pretraining import code, live, losses, shipped, texts
from playground.ui.pretraining.limits import most_steps
from playground.ui.pretraining.seen import Seen
from playground.ui.state import PageContext
from playground.ui.text import N_, _, plain

_CAN = {
    "next": N_("goes on writing"),
    "masked": N_("fills gaps, seeing both sides"),
    "span": N_("writes what stood in the gaps"),
}


def panel(context: PageContext, language: str) -> None:
    """Draw the losses of the three objectives on one text, and what each of them counts.

    Args:
        context: From `frame.page`.
        language: Language of the text that comes with the playground.
    """
    st.markdown(f"## {_('One text, three tasks: what does each budget buy?')}")
    shown = _own(context) or [shipped.compared(language, one) for one in OBJECTIVES]
    shown = [replace(one, name=live.objective_name(one.settings.objective)) for one in shown]
    losses.draw(shown, "pre_objectives_picture", max(one.settings.n_steps for one in shown))
    st.markdown(reading(shown))
    rows = table(shown)
    st.dataframe(rows, hide_index=True, column_config=_columns())
    st.caption(
        _(
            "Bits of a hidden byte and bits of the next byte are not the same question: a hidden byte has "
            "neighbours on both sides. What can be compared is the work: all read as much."
        )
    )
    show.under_picture(
        "pre_objectives", frame=rows, code=lambda: code.training(shown[-1]), picture="pre_objectives_picture"
    )
    _start(context, language)


def reading(shown: Sequence[Seen]) -> str:
    """One sentence: how many bytes each objective learned from, out of the same number read."""
    by_name = {one.settings.objective: one for one in shown if one.held_out}
    if set(by_name) != set(OBJECTIVES):
        return _("The first measurement comes in a moment; step 0 is random numbers.")
    n_read = {name: bytes_read(one) for name, one in by_name.items()}
    told = _(
        "Of {read:,} bytes read, *next byte* learns from every one, *masked bytes* from {masked:,} of them, "
        "*hidden spans* from {span:,} of the tokens it writes. On held-out text, each of these "
        "costs {a:.2f}, {b:.2f} and {c:.2f} bits."
    )
    last = {name: one.last_bits or 0.0 for name, one in by_name.items()}
    return told.format(
        read=n_read["next"], masked=counted_tokens(by_name["masked"]), span=counted_tokens(by_name["span"]),
        a=last["next"], b=last["masked"], c=last["span"],
    )  # fmt: skip


def bytes_read(one: Seen) -> int:
    """Bytes that a run has read in training so far."""
    own = one.settings
    return len(one.train) * own.batch_size * own.window


def counted_tokens(one: Seen) -> int:
    """Tokens that counted in its losses so far."""
    own = one.settings
    each = n_told(own.objective, own.window) or own.window
    return len(one.train) * own.batch_size * each


def table(shown: Sequence[Seen]) -> pd.DataFrame:
    """One row an objective: bytes read, tokens counted, loss before and after, what it can do."""
    rows = [
        (
            one.name, bytes_read(one), counted_tokens(one), bits(one.held_out[0][1]), one.last_bits,
            one.n_parameters, _(_CAN[one.settings.objective]),
        )
        for one in shown
        if one.held_out
    ]  # fmt: skip
    columns = [
        "objective",
        "bytes_read",
        "tokens_counted",
        "bits_before",
        "bits_after",
        "n_parameters",
        "can",
    ]
    return pd.DataFrame(rows, columns=columns)


def _columns() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "objective": st.column_config.TextColumn(_("Objective")),
        "bytes_read": number(_("Bytes read"), format="localized"),
        "tokens_counted": number(_("Tokens counted"), format="localized"),
        "bits_before": number(_("Bits at step 0"), format="%.2f"),
        "bits_after": number(_("Bits after"), format="%.2f"),
        "n_parameters": number(_("Parameters"), format="localized"),
        "can": st.column_config.TextColumn(_("Its model")),
    }


def _own(context: PageContext) -> list[Seen]:
    """The last run of each objective that were started together here, none unless all three are known."""
    runs = [live.seen_of(one) for one in live.started_as(context, "objectives")]
    found = [one for one in runs if one is not None]
    return found if {one.settings.objective for one in found} == set(OBJECTIVES) else []


def _start(context: PageContext, language: str) -> None:
    wanted = [
        PretrainingSettings(objective=one, data=language, n_steps=min(most_steps(), 150))
        for one in OBJECTIVES
    ]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Train all three"), key="pre_three", icon=":material/play_arrow:",
            on_click=live.start, args=(context, wanted, texts.text_of(language)),
            kwargs={"kind": "objectives"},
        )  # fmt: skip
        told = _("steps: {n} each, on the {text}")
        st.caption(plain(told.format(n=wanted[0].n_steps, text=texts.text_name(language))))
    live.runs_started_as(context, "objectives")

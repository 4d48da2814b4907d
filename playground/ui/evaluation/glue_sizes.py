"""Intervals against the number of items: how many would tell two models apart? No model is asked."""

from __future__ import annotations

import streamlit as st

from playground.charts import glue as charts
from playground.core.glue import LANGUAGES, TASKS, data_of, items_to_tell
from playground.core.metrics.intervals import wilson_interval
from playground.core.tables import glue as frames
from playground.ui import show
from playground.ui.number import slider
from playground.ui.text import _

LEAST, MOST = 50, 99  # percent


@st.fragment
def draw() -> None:
    """Draw both sliders, the picture and the sentence; a move reruns this part alone."""
    st.markdown(f"## {_('How many items tell two models apart?')}")
    with st.container(horizontal=True, key="below_picture_glue_sizes"):
        worse = slider(_("Worse model: right answers (%)"), range(LEAST, MOST), 70, key="ev_glue_worse")
        more = slider(_("Better by (points)"), range(1, 41), 5, key="ev_glue_more")
    better = min(worse + more, 100)
    shares = worse / 100, better / 100
    needed, ours = items_to_tell(*shares), len(data_of("rte").part("held_out", LANGUAGES[:1]))
    words = {
        "n": _("Items, each model on its own"),
        "share": _("Right answers"),
        "low": _("95 % interval from"),
        "high": _("to"),
        "0": f"{worse} %",
        "1": f"{better} %",
        "needed": _("told apart from {n:,} on").format(n=needed),
        "ours": _("a set of ours: {n}").format(n=ours),
    }
    table = frames.widths(shares, charts.MOST_ITEMS)
    alt = _("95 % intervals of two shares of right answers against the number of items")
    show.show_chart(charts.widths(words, shares, needed, ours), "ev_glue_sizes", alt, data=table)
    st.markdown(reading(worse, better, needed, ours))
    code = show.code("glue_sizes", worse=shares[0], better=shares[1], n=ours)
    show.under_picture("ev_glue_sizes_row", frame=table, code=code, picture="ev_glue_sizes")


def reading(worse: int, better: int, needed: int, ours: int) -> str:
    """The interval of our sets, the number that is needed, and which real validation sets are that large.

    Args:
        worse, better: Right answers of both models, percent.
        needed: Items that tell them apart.
        ours: Items of a set of ours in one language.
    """
    low, high = wilson_interval(worse / 100 * ours, ours)
    told = _(
        "On a set of ours ({ours}), {worse} % right means anything from {low:.0%} to {high:.0%}. To tell "
        "{worse} % from {better} % in 8 of 10 such measurements, each model needs items of its own: "
        "{needed:,}. With the same items for both, fewer are enough where their mistakes are alike."
    ).format(ours=ours, worse=worse, better=better, low=low, high=high, needed=needed)
    small = [about.name for about in TASKS.values() if about.n_validation < needed]
    if not small:
        return told + " " + _("The validation sets of all nine real tasks are that large.")
    words = _("Of the nine real tasks, too small a validation set for that: {tasks}.")
    sizes = ", ".join(f"{a.name} ({a.n_validation:,})" for a in TASKS.values() if a.n_validation < needed)
    return told + " " + words.format(tasks=sizes)

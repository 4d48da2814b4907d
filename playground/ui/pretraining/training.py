"""Train it yourself: the text, what is asked of it, and the size of the model."""

from __future__ import annotations

import streamlit as st

from playground.engine.contract.pretraining import OBJECTIVES, PretrainingSettings
from playground.ui.choose import choose, choose_from_list
from playground.ui.number import number_field, slider
from playground.ui.pretraining import live, texts, using
from playground.ui.pretraining.limits import SIZES, most_steps
from playground.ui.state import PageContext
from playground.ui.text import _

RATES = (1e-4, 3e-4, 1e-3, 3e-3, 6e-3, 1e-2, 3e-2, 0.1, 1.0, 10.0)
STEPS = 300


def panel(context: PageContext) -> None:
    """Draw the settings, the button, and the runs."""
    st.markdown(f"## {_('Train it yourself, from random numbers')}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        data = choose("pre_data", texts.names(), _("Text"))
        objective = choose(
            "pre_objective", {one: live.objective_name(one) for one in OBJECTIVES}, _("Objective")
        )
    if data == texts.OWN:
        texts.own_field()
    settings = _settings(data, objective)
    text = texts.text_of(data)
    st.button(
        _("Start training"), type="primary", key="pre_start", icon=":material/play_arrow:",
        on_click=live.start, args=(context, (settings,), text),
    )  # fmt: skip
    live.panel(context)
    using.panel(context)


def _settings(data: str, objective: str) -> PretrainingSettings:
    steps_at, size_at, rate_at, seed_at = st.columns(4)
    with steps_at:
        n_steps = number_field(
            _("Steps"), 1, most_steps(), STEPS, key="pre_steps",
            help=_("In one step a batch of windows is read, and all numbers of the model move once."),
        )  # fmt: skip
    with size_at:
        names = {size: _("layers: {n}, width: {d}").format(n=n, d=d) for size, (n, d) in SIZES.items()}
        n_layers, d_model = SIZES[choose_from_list("pre_size", names, _("Size"))]
    with rate_at:
        rate = slider(
            _("Learning rate"), RATES, 3e-3, key="pre_rate",
            help=_("How far they move. Far too much, and the loss goes up."),
        )  # fmt: skip
    with seed_at:
        seed = number_field(_("Seed"), 0, 9_999, 0, key="pre_seed")
    return PretrainingSettings(
        objective=objective, data=data, n_steps=int(n_steps), n_layers=n_layers, d_model=d_model,
        learning_rate=float(rate), seed=int(seed),
    )  # fmt: skip

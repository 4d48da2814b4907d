"""A budget of operations spent on parameters or on tokens: a slider that never asks the server."""

from __future__ import annotations

from dataclasses import asdict

import streamlit as st

from playground.core.scaling_laws import Law
from playground.ui.components import script, style
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.budget_split",
    html='<div class="budget-split"></div>\n',
    css=style("keyboard", "budget_split/budget_split", "touch"),
    js=script("budget_split/budget_split"),
)


def budget_split(
    law: Law, budget: float, *, unit: str, token: str, rule: float, key: str, language: str
) -> None:
    """Draw predicted loss against size along one budget, with the reader's split and the best one.

    Args:
        law: The law that predicts.
        budget: Operations, 6 N D.
        unit: Name of the loss and its unit, in the reader's language.
        token: Name of what is counted in the data: tokens, or bytes.
        rule: Tokens per parameter that are marked; 0 marks nothing.
        key: Widget key.
        language: Language of the numbers.
    """
    best, tokens = law.best_split(budget)
    _COMPONENT(
        key=key,
        data={
            "law": asdict(law),
            "budget": budget,
            "best": [best, tokens],
            "rule": rule,
            "language": language,
            "words": {
                "slider": _("How would you spend this budget?"),
                "few": _("fewer parameters, more {token}").format(token=token),
                "many": _("more parameters, fewer {token}").format(token=token),
                "x": _("Parameters"),
                "y": unit,
                "mine": _("your split"),
                "best": _("best split"),
                "marked": rule > 0,
                "rule": _("{ratio} {token} per parameter").format(ratio=f"{rule:g}", token=token),
                "said": _(
                    "Your split: N = {n}, D = {d} {token}, {ratio} per parameter. Predicted loss {loss}."
                ),
                "better": _("The best split, {n} and {d} ({ratio} per parameter), is predicted {loss}."),
                "token": token,
                "picture": _("Predicted loss of every way to spend this budget"),
            },
        },
    )

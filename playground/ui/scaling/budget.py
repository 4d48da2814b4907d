"""One budget of operations: the best split by three laws, iso-FLOP curves, and a slider to try."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd
import streamlit as st

from playground.charts import scaling as charts
from playground.core.known_models import TOKENS_PER_PARAMETER
from playground.core.scaling_laws import LAWS, Law
from playground.core.scaling_runs import own_law, shipped
from playground.core.tables import scaling as frames
from playground.ui import show
from playground.ui.choose import choose
from playground.ui.components.budget_split import budget_split
from playground.ui.scaling import code
from playground.ui.scaling.amounts import LEAST_BUDGET, MOST_BUDGET, budget_of, short
from playground.ui.state import PageContext
from playground.ui.text import N_, _, plain
from playground.ui.url import setting

NAMES = {
    "hoffmann": N_("Chinchilla, as published"),
    "besiroglu": N_("Chinchilla, fitted anew"),
    "own": N_("Our own runs"),
}
SOURCES = {
    "hoffmann": N_("Hoffmann et al. 2022, equation 10"),
    "besiroglu": N_("Besiroglu et al. 2024: the same data, read off the figure and fitted again"),
    "own": N_("fitted to all measurements of our runs on all of the text"),
}
FIRST = {"hoffmann": "5.76e23", "besiroglu": "5.76e23", "own": "1e12"}
AROUND = (0.01, 0.1, 1.0, 10.0, 100.0)  # times the budget: a curve each
DECADES = 10**2.2


def laws() -> dict[str, Law]:
    """The three laws."""
    return LAWS | {"own": _own()}


@lru_cache(maxsize=1)
def _own() -> Law:
    return own_law(shipped())


def panel(context: PageContext) -> None:
    """Draw the choice, the slider, the iso-FLOP curves and the three laws beside each other."""
    st.markdown(f"## {_('How would you spend a budget: on parameters or on data?')}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = choose("sca_law", {law: _(NAMES[law]) for law in NAMES}, _("Law"))
        key = f"sca_budget_{'own' if name == 'own' else 'known'}"
        typed = st.text_input(
            _("Budget (operations, 6ND)"), FIRST[name], **setting(key, FIRST[name]), width=220,
            help=_("As 3e23 or 3*10^23. GPT-3 took about 3.15e23, Chinchilla 5.76e23."),
        )  # fmt: skip
    budget = budget_of(typed)
    if (problem := _problem(typed, budget)) is not None:
        st.error(problem)
        return
    assert budget is not None
    law = laws()[name]
    is_own = name == "own"
    budget_split(
        law, budget, unit=_("bits per byte") if is_own else _("nats per token"),
        token=_("bytes") if is_own else _("tokens"), rule=0.0 if is_own else TOKENS_PER_PARAMETER,
        key="sca_split", language=context.language,
    )  # fmt: skip
    _curves(law, name, budget)
    _side_by_side(budget)


def _problem(typed: str, budget: float | None) -> str | None:
    """One sentence about a budget that cannot be spent."""
    shown = plain(typed.strip()[:40])
    if budget is None:
        return _("“{typed}” is not a number of operations: write one, such as 3e23.").format(typed=shown)
    if budget <= 0:
        told = _("A budget of {typed} operations trains nothing: give at least {least}.")
        return told.format(typed=shown, least=short(LEAST_BUDGET))
    if not LEAST_BUDGET <= budget <= MOST_BUDGET:
        told = _("A budget of {typed} operations is beyond what this page can draw: give {least} to {most}.")
        return told.format(typed=shown, least=short(LEAST_BUDGET), most=short(MOST_BUDGET))
    return None


def _curves(law: Law, name: str, budget: float) -> None:
    is_own = name == "own"
    budgets = [budget * times for times in AROUND]
    sizes = [law.best_split(one)[0] for one in budgets]
    xs = (sizes[0] / 10, sizes[-1] * 10)
    words = {
        "n_parameters": _("Parameters"),
        "n_tokens": _("Bytes read") if is_own else _("Training tokens"),
        "ratio": _("Bytes per parameter") if is_own else _("Tokens per parameter"),
        "loss": _("Predicted loss (bits per byte)") if is_own else _("Predicted loss (nats per token)"),
        "budget": _("Budget (operations)"),
        "best": _("best split"),
    }
    table = _near(frames.iso_flops(law, budgets, *xs))
    st.markdown(f"### {_('Iso-FLOP curves: along each, every model costs the same')}")
    alt = _("Predicted loss against parameters, a curve for each budget, with the lowest point of each")
    show.show_chart(charts.iso_flops(words, budgets=budgets, xs=xs), "sca_iso_picture", alt, data=table)
    first, last = (law.best_split(one)[0] for one in (budgets[2], budgets[3]))
    told = _(
        "The lowest points lie on a line: ten times the budget is spent best on {n:.2f} times the "
        "parameters and {d:.2f} times the data."
    )
    st.markdown(told.format(n=last / first, d=10 * first / last))
    st.caption(plain(_(SOURCES[name])))
    show.under_picture(
        "scaling_budget", frame=table, code=lambda: code.budget(law, budget, xs), picture="sca_iso_picture"
    )


def _near(table: pd.DataFrame) -> pd.DataFrame:
    """The part of each curve that lies near its lowest point: further out it would flatten all others."""
    least = table.groupby("budget")["loss"].transform("min")
    n_best = table[table["kind"] == "best"].set_index("budget")["n_parameters"]
    ratio = table["n_parameters"] / table["budget"].map(n_best)
    kept = (ratio <= DECADES) & (ratio >= 1 / DECADES) & (table["loss"] <= 1.35 * least)
    return table[kept | (table["kind"] == "best")]


def _side_by_side(budget: float) -> None:
    """The three laws: their numbers, and how each spends this budget."""
    st.markdown(f"### {_('The same budget by each law')}")
    rows = []
    for name, law in laws().items():
        n, d = law.best_split(budget)
        rows.append(
            {
                _("Law"): _(NAMES[name]), "E": f"{law.E:.2f}", "A": short(law.A), "α": f"{law.alpha:.2f}",
                "B": short(law.B), "β": f"{law.beta:.2f}", "N": short(n), "D": short(d),
                "D / N": short(d / n),
            }
        )  # fmt: skip
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    st.caption(
        _(
            "L = E + A / N^α + B / D^β. N: parameters, D: tokens (our own runs: bytes). Their losses have "
            "different units and texts; what can be compared is how a budget is spent."
        )
    )

"""The panel of five strategies: measured on the same twelve problems, and live on one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from playground.charts import agents as charts
from playground.core.agents.problems import TODAY, Problem, problems
from playground.core.agents.record import STRATEGIES, Setup, total
from playground.core.agents.recorded import Measured, Recorded, shipped, table
from playground.core.agents.strategies import N_NEW
from playground.core.tables import agents as frames
from playground.ui import roles, show
from playground.ui.agents import drawn, running
from playground.ui.agents.world import Wish, language, measured_language, names_of_strategies
from playground.ui.choose import choose, choose_from_list
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.text import _, strong
from playground.ui.throttle import Throttle
from playground.ui.url import setting

FIGURES = ("n_right", "turns", "tokens", "n_trouble")


def panel(context: PageContext) -> Later | None:
    """Draw the measurement, and a problem that all strategies try now.

    Returns:
        Writes the next turn of all of them, to be called once the page is drawn; None while nothing runs.
    """
    st.markdown(f"## {_('Does thinking help, or acting, or both?')}")
    found = table(shipped(), measured_language())
    names = names_of_strategies()
    figure = choose("ag_figure", _figures(), _("Figure"))
    frame = frames.measured(found)
    words = names | _figures() | {
        "n": _("problems"), "free": _("any token"), "constrained": _("only tokens that keep the form"),
    }  # fmt: skip
    ends = {"n_right": 12.0, "turns": 6.0, "tokens": 4_000.0, "n_trouble": 24.0}
    alt = _("Bar chart: {figure} for each strategy, without and with a constraint").format(
        figure=words[figure]
    )
    spec = charts.strategies(words, list(names), figure, ends[figure])
    show.show_chart(spec, "ag_strategies_picture", alt.format(figure=words[figure]), data=frame)
    st.markdown(_told(found, names))
    _say_source()
    code = partial(show.code, "agent_strategies", runs=_rows())
    show.under_picture("ag_strategies", frame=frame, code=code, picture="ag_strategies_picture")
    return _live(context)


def _figures() -> dict[str, str]:
    return {
        "n_right": _("problems solved"), "turns": _("turns per problem"), "tokens": _("tokens per problem"),
        "n_trouble": _("actions that failed"),
    }  # fmt: skip


def _rows() -> list[list[Any]]:
    """A short row per shipped run: strategy, constrained, right, tokens of its turns."""
    return [
        [one.run.setup.strategy, one.run.setup.constrained, one.problem_id, one.is_right,
         [turn.cost.n_prompt + turn.cost.n_written for turn in one.run.turns]]
        for one in measured_runs()
    ]  # fmt: skip


def measured_runs() -> list[Recorded]:
    """The shipped runs of the measurement in the reader's language."""
    return [
        one for one in shipped() if one.label == "problem" and one.run.setup.language == measured_language()
    ]


def _say_source() -> None:
    first = measured_runs()[0]
    told = _("greedy, recorded by a script of the playground")
    if measured_language() != language():
        told += f" · {_('measured on the English problems')}"
    st.caption(f"{first.model_id} · {first.revision[:12]} · {told}")


def _told(found: Sequence[Measured], names: dict[str, str]) -> str:
    """The measurement in words, Markdown."""
    most = max(one.n_right for one in found)
    least = min(found, key=lambda one: one.tokens)
    said = [
        _("The most problems are solved by {names}: {n} of {total}.").format(
            n=most, total=found[0].n, names=", ".join(_best(found, most, names))
        ),
        _("The cheapest is {name} with {tokens:,.0f} tokens per problem; it solves {n}.").format(
            name=strong(names[least.strategy]), tokens=least.tokens, n=least.n_right
        ),
    ]
    react = {one.constrained: one for one in found if one.strategy == "react"}
    if len(react) == len((True, False)):
        told = _("The constraint changes with ReAct: {change}; with all strategies together: {all}.")
        free, kept = ([one for one in found if one.constrained == which] for which in (False, True))
        said.append(told.format(change=_change([react[False]], [react[True]]), all=_change(free, kept)))
    return " ".join(said)


def _best(found: Sequence[Measured], most: int, names: dict[str, str]) -> list[str]:
    """The strategies that solve the most; with the decoding where only one of the two does."""
    best: dict[str, list[Measured]] = {}
    for one in found:
        if one.n_right == most:
            best.setdefault(one.strategy, []).append(one)
    return [
        strong(names[name]) + (f" ({_decoding(some[0].constrained)})" if len(some) == 1 else "")
        for name, some in best.items()
    ]


def _change(free: Sequence[Measured], kept: Sequence[Measured]) -> str:
    """Failed actions and solved problems, without a constraint and with it."""
    trouble = [sum(one.n_trouble for one in some) for some in (free, kept)]
    right = [sum(one.n_right for one in some) for some in (free, kept)]
    if trouble[0] == trouble[1] and right[0] == right[1]:
        told = _("nothing here: failed actions {n}, solved problems {n_right}")
        return told.format(n=trouble[0], n_right=right[0])
    told = _("failed actions from {free} to {kept} and solved problems from {free_right} to {kept_right}")
    return told.format(free=trouble[0], kept=trouble[1], free_right=right[0], kept_right=right[1])


def _decoding(constrained: bool) -> str:
    return _("only with tokens that keep the form") if constrained else _("with any token")


# ---------------------------------------------------------------- one problem, now


def _live(context: PageContext) -> Later | None:
    st.markdown(f"## {_('All five on one problem, now')}")
    answering = roles.player(context, "decoder")
    if answering is None:
        return None
    asked = {one.problem_id: one for one in problems(language())}
    problem_at, constraint_at = st.columns([3, 2], vertical_alignment="bottom")
    with problem_at:
        names = {name: one.question for name, one in asked.items()}
        problem = asked[choose_from_list("ag_live_problem", names, _("Problem"))]
    constrained = constraint_at.toggle(_("Keep the form"), **setting("ag_live_constrained", False))
    wishes = [Wish(one, TODAY) for one in _setups(problem, constrained)]
    later = _buttons(answering, wishes)
    rows = _live_rows(answering, wishes, problem)
    if len(rows):
        st.dataframe(rows, hide_index=True)
        show.source(answering.model, _("greedy: always the most probable token"))
    return later


def _setups(problem: Problem, constrained: bool) -> list[Setup]:
    setup = Setup(problem.question, constrained=constrained, language=language())
    return [replace(setup, strategy=one) for one in STRATEGIES]


def _buttons(context: PageContext, wishes: Sequence[Wish]) -> Later | None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if running.is_running(context, wishes):
            st.button(_("Stop"), key="ag_live_stop", icon=":material/stop:", on_click=running.stop)
            return partial(_write, context, wishes, st.container())
        st.button(
            _("Run all five"), key="ag_live_run", icon=":material/play_arrow:", on_click=running.begin,
            args=(context, wishes),
        )  # fmt: skip
        loops = [loop for wish in wishes if (loop := running.known(context, wish)) is not None]
        if any(loop.run() is None for loop in loops):
            st.button(
                _("Go on"), key="ag_live_go_on", icon=":material/resume:", on_click=running.go_on,
                args=(context, wishes),
            )  # fmt: skip
    return None


def _write(context: PageContext, wishes: Sequence[Wish], line: Any) -> None:  # noqa: ANN401  (container)
    loops = [loop for wish in wishes if (loop := running.known(context, wish)) is not None]
    done = sum(len(loop.turns) for loop in loops)
    total_turns, pace = sum(wish.setup.limits.turns for wish in wishes), Throttle()
    with line:
        bar = Progress(
            "agents", context.model.model_id, total_turns * N_NEW, _("The model writes"), done * N_NEW
        )

    def draw(n_tokens: int) -> None:
        bar.draw(
            done * N_NEW + n_tokens,
            _("{done} of {total} tokens").format(done=done * N_NEW + n_tokens, total=total_turns * N_NEW),
        )

    running.turn(context, wishes, lambda _texts, n: pace(partial(draw, n)))


def _live_rows(context: PageContext, wishes: Sequence[Wish], problem: Problem) -> pd.DataFrame:
    """A row for each strategy that has begun, in words."""
    names, rows = names_of_strategies(), []
    for wish in wishes:
        loop = running.known(context, wish)
        if loop is None:
            continue
        run, cost = loop.run(), total(loop.turns)
        rows.append(
            {
                _("strategy"): names[wish.setup.strategy],
                _("answer"): "" if run is None else run.answer,
                _("right"): None if run is None else problem.is_right(run.answer),
                _("turns"): len(loop.turns),
                _("tokens"): cost.n_prompt + cost.n_written,
                _("read again"): cost.n_again,
                _("how it ended"): _("not over yet") if run is None else drawn.ending(run),
            }
        )
    return pd.DataFrame(rows)

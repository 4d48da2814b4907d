"""The panel of the loop: one question, one strategy, turn by turn while they are written."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from playground.charts import agents as charts
from playground.core.agents.problems import Problem
from playground.core.agents.record import Record, Run, Setup
from playground.core.agents.recorded import Recorded, shipped
from playground.core.agents.strategies import N_NEW, Ask, next_move
from playground.core.tables import agents as frames
from playground.ui import roles, show, state
from playground.ui.agents import drawn, running
from playground.ui.agents.world import Wish, controls
from playground.ui.components.agent_turns import agent_turns
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.throttle import Throttle

SHOWN = "ag_shown"  # the run on the screen, for the tasks
BOX_HEIGHT = 96


def panel(context: PageContext) -> Later | None:
    """Draw a run: the reader's own, otherwise the shipped one with these settings.

    Returns:
        Writes the next turn, to be called once the page is drawn; None while nothing runs.
    """
    answering = roles.player(context, "decoder")
    if answering is None:
        return None
    wish, problem = controls(answering)
    begun, recorded = running.known(answering, wish), _recorded(wish, problem)
    line = _buttons(answering, wish, has_run=begun is not None)
    if begun is not None:
        box = _draw(answering, wish, problem, begun.turns, begun.run())
        show.source(answering.model, _("greedy: always the most probable token"))
    elif recorded is not None:
        _draw(answering, wish, problem, recorded.run.turns, recorded.run)
        _say_recorded(recorded)
    else:
        st.session_state[SHOWN] = None
        st.info(_("Nothing has run with these settings yet: press Run now."), icon=":material/play_arrow:")
    return None if begun is None or line is None else partial(_write, answering, wish, line, box)


def _recorded(wish: Wish, problem: Problem | None) -> Recorded | None:
    """The shipped run with these settings."""
    if problem is None or not wish.is_plain:
        return None
    return next((one for one in shipped() if one.run.setup == wish.setup), None)


def _say_recorded(recorded: Recorded) -> None:
    told = _("recorded by a script of the playground; press Run now for a run of your own")
    st.caption(f"{recorded.model_id} · {recorded.revision[:12]} · {told}")


def _buttons(context: PageContext, wish: Wish, *, has_run: bool) -> Any:  # noqa: ANN401  (a container)
    """Run, stop, go on; the place of the progress where a run is under way, otherwise None."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if running.is_running(context, [wish]):
            st.button(_("Stop"), key="ag_stop", icon=":material/stop:", on_click=running.stop)
            return st.container()
        st.button(
            _("Run once more") if has_run else _("Run now"), key="ag_run", icon=":material/play_arrow:",
            on_click=running.begin, args=(context, [wish]), type="primary",
        )  # fmt: skip
        loop = running.known(context, wish)
        if loop is not None and loop.run() is None:
            st.button(
                _("Go on"), key="ag_go_on", icon=":material/resume:", on_click=running.go_on,
                args=(context, [wish]),
            )  # fmt: skip
    return None


def _write(context: PageContext, wish: Wish, line: Any, box: Any) -> None:  # noqa: ANN401  (containers)
    """Have the next turn written, and draw it while it is."""
    loop = running.known(context, wish)
    done = 0 if loop is None else len(loop.turns)
    pace, total = Throttle(), wish.setup.limits.turns * N_NEW
    with line:
        bar = Progress("agent", context.model.model_id, total, _("The model writes"), done * N_NEW)
    place = box.container(border=True, height=BOX_HEIGHT).empty()

    def draw(texts: list[str], n_tokens: int) -> None:
        turn = _("turn {n} of at most {most}").format(n=done + 1, most=wish.setup.limits.turns)
        tokens = _("{done} of {total} tokens").format(done=n_tokens, total=N_NEW)
        bar.draw(done * N_NEW + n_tokens, f"{turn} · {tokens}")
        place.text(texts[0])

    running.turn(context, [wish], lambda texts, n: pace(partial(draw, list(texts), n)))


def _draw(context: PageContext, wish: Wish, problem: Problem | None, turns: Record, run: Run | None) -> Any:  # noqa: ANN401  (a container)
    """Draw a run; the place, below its cards, of the text that is being written."""
    st.session_state[SHOWN] = run
    agent_turns(drawn.cards(wish.setup, turns, run), key="ag_cards")
    box = st.container(key="ag_now")
    if run is not None:
        is_right = None if problem is None else problem.is_right(run.answer)
        st.markdown(drawn.in_words(run, is_right))
    if not turns:
        return box
    st.markdown(f"## {_('What does the loop cost?')}")
    window = state.settings().max_tokens
    n_turns = max(wish.setup.limits.turns, len(turns))
    table = frames.bill(turns)
    show.show_chart(
        charts.bill(drawn.bill_words(), n_turns, window), "ag_bill_picture", drawn.alt(turns), data=table
    )
    code = partial(_code, context, wish.setup, turns)
    show.under_picture("ag_bill", frame=table, code=code, picture="ag_bill_picture")
    return box


def shown() -> Run | None:
    """The whole run that is on the screen, or was last; None while there is none."""
    run: Run | None = st.session_state.get(SHOWN)
    return run


def code_of(context: PageContext, run: Run) -> str:
    """The script that writes the texts of a run again, and counts its tokens."""
    return _code(context, run.setup, run.turns)


def _code(context: PageContext, setup: Setup, turns: Record) -> str:
    moves = [next_move(setup, turns[:n]) for n in range(len(turns))]
    asks = [move for move in moves if isinstance(move, Ask)]
    return show.code(
        "agents", folder=show.model_folder(context.model.model_id),
        prompts=[ask.prompt for ask in asks], stops=[list(ask.stop) for ask in asks],
        most=[ask.n_new for ask in asks],
        forms=[None if ask.grammar is None else (ask.grammar.kind, ask.grammar.source) for ask in asks],
    )  # fmt: skip

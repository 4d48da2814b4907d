"""The panel of failures: recorded runs in which something goes wrong, and what helps."""

from __future__ import annotations

from functools import partial

import streamlit as st

from playground.core.agents.gallery import FAILURES, ORDERS, Failure, failures
from playground.core.agents.recorded import Recorded, shipped
from playground.core.agents.tools import TOOLS
from playground.core.tables import agents as frames
from playground.ui import show
from playground.ui.agents import drawn, loop
from playground.ui.agents.world import language, names_of_strategies
from playground.ui.choose import choose, choose_from_list
from playground.ui.components.agent_turns import agent_turns
from playground.ui.state import PageContext
from playground.ui.text import N_, _
from playground.ui.url import put

NAMES = {
    "injection": N_("An order in a document"),
    "invented_tool": N_("Invented tools"),
    "invented_observation": N_("Invented observations"),
    "loop": N_("Loops"),
}
_LESSONS = {
    "loop": N_(
        "The same action again gives the same observation again: nothing new comes into the prompt, so the "
        "model writes the same once more. Only a hard end stops it."
    ),
    "invented_tool": N_(
        "A tool that nobody offers is not called: the loop looks its name up in a list. With a constraint "
        "the model cannot even write it, but the tool that it writes instead need not be the right one."
    ),
    "invented_observation": N_(
        "The examples in the prompt go on with an observation, and so does the model: it answers itself. "
        "Stopping its turn before the word Observation prevents it."
    ),
    "injection": N_(
        "To the model, what is found is text like any other, also where it gives orders. The list of "
        "allowed tools keeps other tools from being called. It does not keep the model from believing what "
        "it reads, nor from ending with the answer that it was told."
    ),
}
MOST_SHOWN = 12


def panel(context: PageContext) -> None:
    """Draw one recorded failure, word for word."""
    st.markdown(f"## {_('What goes wrong, and what holds?')}")
    found = {name: shown(name) for name in NAMES}
    kinds = {name: f"{_(words)} ({len(found[name])})" for name, words in NAMES.items() if found[name]}
    failure = choose("ag_failure", kinds, _("Kind of failure"))
    runs = {_name(one): one for one in found[failure][:MOST_SHOWN]}
    names = {name: one.run.setup.question + _how(one) for name, one in runs.items()}
    recorded = runs[choose_from_list(f"ag_failed_{failure}", names, _("Recorded run"))]
    agent_turns(drawn.cards(recorded.run.setup, recorded.run.turns, recorded.run), key="ag_gallery")
    st.markdown(_(_LESSONS[failure]))
    st.markdown(drawn.in_words(recorded.run, recorded.is_right))
    told = _("greedy, recorded by a script of the playground")
    if recorded.run.setup.language != language():
        told += f" · {_('in English')}"
    st.caption(f"{recorded.model_id} · {recorded.revision[:12]} · {told}")
    table = frames.bill(recorded.run.turns)
    show.under_picture("ag_failures", frame=table, code=partial(loop.code_of, context, recorded.run))
    st.button(
        _("Open in the loop, to run it yourself"), key="ag_open", icon=":material/open_in_new:",
        on_click=_open, args=(recorded,),
    )  # fmt: skip


def shown(failure: str) -> list[Recorded]:
    """The shipped runs with this failure in the reader's language; in English where there are none in it."""
    wanted: Failure = next(one for one in FAILURES if one == failure)
    runs = [one for one in shipped() if wanted in failures(one.run)]
    own = [one for one in runs if one.run.setup.language == language()]
    return own or [one for one in runs if one.run.setup.language == "en"]


def _name(one: Recorded) -> str:
    setup = one.run.setup
    return f"{one.label}-{one.problem_id}-{setup.strategy}-{setup.constrained:d}"


def _how(one: Recorded) -> str:
    words = [names_of_strategies()[one.run.setup.strategy]]
    if one.run.setup.constrained:
        words.append(_("only tokens that keep the form"))
    if one.label in ORDERS:
        words.append(ORDERS[one.label])
    return f" · {' · '.join(words)}"


def _open(recorded: Recorded) -> None:
    """Set the loop to what this run was made with; a callback."""
    setup = recorded.run.setup
    put("ag_panel", "")
    if setup.language == language():
        put("ag_problem", "" if recorded.problem_id == "times" else recorded.problem_id)
    else:  # in its own words: examples and documents follow the language of a question
        put("ag_problem", "own")
        st.session_state["ag_question"] = setup.question
    put("ag_form", "")
    for name in TOOLS[:-1]:
        st.session_state[f"ag_tool_{name}"] = name in setup.allowed
    st.session_state["ag_today"] = ""
    st.session_state["ag_own"] = False
    put("ag_strategy", "" if setup.strategy == "react" else setup.strategy)
    st.session_state["ag_constrained"] = setup.constrained
    st.session_state["ag_stops"] = setup.stops
    st.session_state["ag_order"] = ORDERS.get(recorded.label, "")

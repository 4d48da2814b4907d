"""The panel of LangChain's parts: its names beside ours, and the same agent in it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from playground.core.agents import prompts
from playground.core.agents.problems import problems
from playground.core.agents.record import Limits, Setup
from playground.core.agents.strategies import N_NEW
from playground.ui import endpoint, show
from playground.ui.agents.world import language
from playground.ui.state import PageContext
from playground.ui.text import N_, _, lesson

PASSAGES = ("A ticket costs 18 crowns.", "The observatory cat is called Pixel.")
# LangChain's name, ours, where it is in this page's loop, what stands for it in the code
PARTS = (
    (N_("prompt template"), N_("the prompt with gaps"), N_("tools, examples, question, all turns so far"),
     "PromptTemplate"),
    (N_("model"), N_("the model"), N_("writes the next turn; never acts by itself"), "OpenAI"),
    (N_("output parser"), N_("the form, read"),
     N_("reads thought, tool and input out of a text, or says which error it holds"),
     "StrOutputParser | parse"),
    (N_("tool"), N_("the tool"), N_("calculator, search, calendar: functions of a text"), "@tool"),
    (N_("retriever"), N_("the search"), N_("takes words, gives passages"), "BaseRetriever"),
    (N_("agent memory"), N_("the record"), N_("every turn so far, read again in every prompt"), "memory"),
    (N_("chain"), N_("one turn"), N_("prompt, model and parser, in a fixed order"), "prompt | llm | parser"),
    (N_("agent"), N_("the loop"), N_("the model's text decides which tool comes next"), "for _turn in …"),
)  # fmt: skip


def panel(context: PageContext) -> None:
    """Draw the table of names, and the agent as code."""
    st.markdown(f"## {_('What does LangChain call it?')}")
    table = table_of()
    st.table(table.set_index(table.columns[0]))
    st.markdown(
        _(
            "A *chain* has a fixed order; an *agent* lets the model choose it. Both are built of the same "
            "parts, and each part is a few lines. Below is the loop of this page in LangChain's parts."
        )
    )
    script = code(context)
    st.code(script, language="python", height=420)
    st.caption(
        _(
            "It runs in a notebook of yours against this server, once your teacher has switched the endpoint "
            "on and you have made a key: page {page}, {panel}."
        ).format(page=lesson("lifecycle").title, panel=_("Serve"))
    )
    show.under_picture("ag_langchain", frame=table, code=script)


def table_of() -> pd.DataFrame:
    """The parts in the reader's language."""
    columns = ("LangChain", _("here"), _("what it does"), _("in the code"))
    rows = [(_(theirs), _(ours), _(does), code) for theirs, ours, does, code in PARTS]
    return pd.DataFrame(rows, columns=list(columns))


def code(context: PageContext) -> str:
    """The agent in LangChain's parts, with the page's first problem."""
    setup = Setup(problems(language())[0].question, language=language())
    return show.code(
        "agent_langchain", base_url=endpoint.address(), model=context.model.model_id, question=setup.question,
        examples=prompts.head(setup.allowed) + prompts.worked(setup, with_thought=True),
        most=N_NEW, max_turns=Limits().turns,
    )  # fmt: skip

"""The columns of the main picture: the selected one at once, the others when the browser asks for them.

The page is drawn with the columns that are known. The browser sees that some are missing and asks for the
rest, which comes after everything else on the page and stops when the reader does something else.
"""

from __future__ import annotations

from uuid import uuid4

import streamlit as st

from playground.core.residual import Lens
from playground.errors import PlaygroundError
from playground.ui import compute
from playground.ui.inside.reading import InsideReading
from playground.ui.text import sentence
from playground.ui.waiting import Clicked

N_TOP = 5  # tokens of each state that a cell tells
ASKED, WANTED = "ins_rest_asked", "ins_rest_wanted"


def ask(name: object) -> None:
    """The browser asks for the columns that are missing, by the name that it was given; a callback."""
    st.session_state[ASKED] = name


def known(reading: InsideReading, window: range) -> tuple[Lens, str]:
    """The columns to draw now.

    Args:
        reading: The reading; its own column is known.
        window: Positions shown.

    Returns:
        The columns; a name under which the browser asks for those that are missing, "" where it need not.
    """
    ids, here = reading.tokens.input_ids, reading.lens_here()
    others = [place for place in window if place != reading.position]
    wanted = reading.context.model.model_id, ids, reading.position
    name, was_wanted = st.session_state.get(WANTED, ("", None))
    if st.session_state.pop(ASKED, "") == name and was_wanted == wanted:
        st.session_state.pop(WANTED)  # whatever ends this run: the browser is given another name
        try:
            return here.beside(compute.rest_of_lens(reading.context, ids, others), N_TOP), ""
        except Clicked:
            pass  # what is known is drawn, and the browser asks again
        except PlaygroundError as error:
            st.warning(sentence(error))
            return here.beside(compute.lens_of(reading.context, ids, others, known_only=True), N_TOP), ""
    found = compute.lens_of(reading.context, ids, others, known_only=True)
    if len(found.positions) == len(others):
        return here.beside(found, N_TOP), ""
    name, was_wanted = st.session_state.get(WANTED, ("", None))
    if was_wanted != wanted:
        name = uuid4().hex
        st.session_state[WANTED] = name, wanted
    return here.beside(found, N_TOP), name

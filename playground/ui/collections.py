"""Collections of documents that a session looks up in: the door to them, for every page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.engine.contract.retrieval import EncodeRequest, Found, Retrieval, SearchRequest
from playground.ui.compute import engine
from playground.ui.state import PageContext
from playground.ui.waiting import WaitingLine

BUILT = "ret_built"  # (what decided it, id) of the collection that the session searches


def retrieval() -> Retrieval:
    """The part of the engine that looks texts up."""
    return engine().retrieval


def search(context: PageContext, request: SearchRequest) -> Found:
    """The chunks that fit a query best; waits with a progress line.

    Args:
        context: From `frame.page`.
        request: Its owner is set here.

    Raises:
        PlaygroundError: As the engine raises it.
    """
    request = replace(request, owner=context.owner)
    with WaitingLine(engine(), request, ends_run=False) as line:
        return retrieval().search(request, line)


def encode(context: PageContext, request: EncodeRequest) -> NDArray[np.float32]:
    """Vectors of texts, of length 1; waits with a progress line. Shape [n_texts, d_vector].

    Raises:
        PlaygroundError: As the engine raises it.
    """
    request = replace(request, owner=context.owner)
    with WaitingLine(engine(), request, ends_run=False) as line:
        return retrieval().encode(request, line)


def searched() -> tuple[str, str] | None:
    """Encoder and id of the collection that this session built last on the page Retrieval; None before."""
    built = st.session_state.get(BUILT)
    return None if built is None else (built[0].model, built[1])

"""Indexes that were built: of shared vectors once for all readers, of a reader's own with the session."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import streamlit as st

from playground.core.indexes.found import Vectors
from playground.ui.text import _

Index = TypeVar("Index")
Build = Callable[[Vectors], object]
_building = threading.Lock()  # one at a time: a graph of 2,000 nodes is a second of work


@dataclass(frozen=True, slots=True, eq=False)
class Vectored:
    """Chunks, with everything an index is built from.

    Attributes:
        name: Id of the vectors: the same id, the same vectors.
        model: Id of the encoder that they come from.
        chunks: Their texts.
        vectors: Of length 1. Shape [n, d].
        is_shared: True if every reader may see them.
    """

    name: str
    model: str
    chunks: tuple[str, ...]
    vectors: Vectors
    is_shared: bool


def built(of: Vectored, kind: str, settings: tuple[int, ...], build: Callable[[Vectors], Index]) -> Index:
    """The index, built now or before.

    Args:
        of: The vectors.
        kind: Name of the index.
        settings: Its settings.
        build: Builds it from the vectors [n, d].
    """
    keep = _shared if of.is_shared else _own
    with st.spinner(_("Building the index")):
        return cast("Index", keep(of.name, kind, settings, of.vectors, build))


@st.cache_resource(max_entries=60, show_spinner=False)  # 1 MB each
def _shared(name: str, kind: str, settings: tuple[int, ...], _vectors: Vectors, _build: Build) -> object:
    return _one_at_a_time(_vectors, _build)


@st.cache_resource(max_entries=8, show_spinner=False, scope="session")
def _own(name: str, kind: str, settings: tuple[int, ...], _vectors: Vectors, _build: Build) -> object:
    return _one_at_a_time(_vectors, _build)


def _one_at_a_time(vectors: Vectors, build: Build) -> object:
    with _building:
        return build(vectors)

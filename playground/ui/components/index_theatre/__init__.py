"""An index over the chunks of a page: its search drawn on a map, moved step by step in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.core.indexes.found import Places, Vectors
from playground.ui.components import packed, script, style
from playground.ui.components.index_theatre.words import words

_COMPONENT = st.components.v2.component(
    "playground.index_theatre",
    html='<div class="theatre"></div>\n',
    css=style("keyboard", "amounts", "index_theatre/index_theatre", "touch"),
    js=script(
        "amounts",
        *(f"index_theatre/{name}" for name in ("stage", "cells", "hnsw", "hashing", "quantized", "theatre")),
    ),
)
SHOWN_CHARS = 240  # of a chunk
Kind = Literal["flat", "ivf", "lsh", "pq", "hnsw"]


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """The chunks, the query, and the exact answer.

    Attributes:
        chunks: Text of each chunk.
        places: Where each lies on the map. Shape [chunk, 2].
        query: Text of the query.
        query_place: Where it lies on the map. Shape [2].
        distances: Squared distance of each chunk's vector to the query's. Shape [chunk].
        exact: The nearest chunks, nearest first. Shape [k].
        d: Dimensions of a vector.
    """

    chunks: Sequence[str]
    places: NDArray[np.float32]
    query: str
    query_place: NDArray[np.float32]
    distances: Vectors
    exact: Places
    d: int


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One index, as its part of the script draws it.

    Attributes:
        kind: The index.
        head: Values that are no arrays.
        arrays: Name -> array, as the script reads it.
    """

    kind: Kind
    head: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


def index_theatre(stage: Stage, view: View, *, key: str) -> None:
    """Draw it.

    Args:
        stage: The chunks and the query.
        view: The index.
        key: Widget key.
    """
    arrays = {"xy": stage.places, "distances": stage.distances, **view.arrays}
    same = [view.kind, stage.query, len(stage.chunks), *stage.chunks[:3]]
    head = {
        "kind": view.kind,
        "same": sha256("\n".join(map(str, same)).encode()).hexdigest()[:12],
        "n": len(stage.chunks),
        "k": len(stage.exact),
        "d": stage.d,
        "chunks": [_shortened(chunk) for chunk in stage.chunks],
        "query_xy": stage.query_place.tolist(),
        "exact": stage.exact.tolist(),
        "words": words(view.kind),
        "arrays": [[name, _type(array), array.size] for name, array in arrays.items()],
        **view.head,
    }
    _COMPONENT(key=key, data=packed(head, *arrays.values()))


def _shortened(chunk: str) -> str:
    text = " ".join(chunk.split())
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"


def _type(array: NDArray[Any]) -> str:
    """The type as the script names it: f4, i4, u2, u1."""
    return f"{array.dtype.kind}{array.dtype.itemsize}"

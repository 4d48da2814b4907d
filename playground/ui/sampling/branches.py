"""Another token instead: the paths that a continuation could have taken, and the tree they make."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import streamlit as st

from playground.charts import sampling as charts
from playground.core import pieces
from playground.core.files.table import csv_bytes
from playground.core.tables import sampling as frames
from playground.core.tables.sampling import GeneratedToken
from playground.ui import compute, show
from playground.ui.choose import default_index, list_key
from playground.ui.components.scored_text import Expected
from playground.ui.sampling.continuation import Continuation
from playground.ui.text import _

MAX_PATHS = 40


def branch(run: Continuation, place: int, wanted: Expected) -> None:
    """A new path: the tokens before this place, then what the reader wants; the model goes on from there.

    Args:
        run: The path that is left.
        place: Index of the token that is replaced.
        wanted: By which one.
    """
    tree: list[Continuation] = st.session_state["sam_paths"]
    chosen = GeneratedToken(
        step=place + 1,
        token=wanted.label,
        token_id=wanted.token_id,
        surprisal_bits=-math.log2(wanted.prob),
        model=wanted.prob,
        drawn=None,
        rank=1 + run.expected[place].index(wanted),
        n_kept=None,
        entropy_bits=run.tokens[place].entropy_bits,
    )
    path = replace(run, parent=run, at=place + 1, finish="", elapsed_ms=0.0)
    path.tokens = [*run.tokens[:place], chosen]
    path.expected = run.expected[: place + 1]
    path.near = [*run.near[:place], False]
    tokenizers, model_id, ids = compute.tokenizers(), run.context.model.model_id, path.written
    path.text = tokenizers.text_of(model_id, ids)
    texts = tokenizers.token_texts(model_id, np.array(ids, dtype=np.int64))
    path.begun = pieces.open_bytes(b"".join(map(pieces.bytes_of, texts)))
    path.tokens = [
        one._replace(token=label)
        for one, label in zip(path.tokens, pieces.sequence_labels(texts), strict=True)
    ]
    if len(tree) < MAX_PATHS:
        tree.append(path)
    st.session_state["sam_run"] = path
    st.session_state["sam_branched"] = True


def draw(tree: list[Continuation], shown: Continuation) -> None:
    """All paths as a picture, and a picker to walk them.

    Args:
        tree: Every path, parents before children.
        shown: The one on the screen.
    """
    places = {id(run): place for place, run in enumerate(tree, 1)}
    rows = []
    for place, run in enumerate(tree, 1):
        first = max(run.at, 1)
        own = run.tokens[first - 1 :]
        rows.append(
            frames.Path(
                path=place,
                parent=places.get(id(_left(run)), place),
                start=first,
                stop=max(len(run.tokens), first),
                token=own[0].token if own else "",
                text=run.text,
                bits=float(np.mean([token.surprisal_bits for token in own])) if own else math.nan,
            )
        )
    table = frames.paths(rows)
    names = {place: f"{place + 1}: {row.start} {row.token}" for place, row in enumerate(rows)}
    drawn = list_key("sam_path", names)
    st.selectbox(
        _("Path"),
        tuple(names),
        default_index(drawn, names, places[id(shown)] - 1),
        key=drawn,
        format_func=names.__getitem__,
        on_change=_walk,
        args=(tree, drawn),
    )
    words = {
        "step": _("Step number"), "path": _("Path"), "token": _("Token"), "text": _("Text"),
        "surprisal": _("Surprisal (bits)"),
    }  # fmt: skip
    alt = _("Every path, from where it left its parent")
    chart = charts.path_tree(words, steps=max(run.n_max for run in tree))
    show.show_chart(chart, "sam_tree", alt, data=table)
    st.download_button(
        _("All paths (CSV)"), lambda: csv_bytes(table), "paths.csv", "text/csv",
        key="sam_paths_csv", on_click="ignore", icon=":material/download:",
    )  # fmt: skip


def _left(run: Continuation) -> Continuation | None:
    """The path whose own tokens it left: its parent may have inherited them."""
    left = run.parent
    while left is not None and left.at >= run.at:
        left = left.parent
    return left


def _walk(tree: list[Continuation], drawn: str) -> None:
    st.session_state["sam_run"] = tree[st.session_state[drawn]]

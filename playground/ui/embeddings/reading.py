"""Sentences become vectors, with progress; what was read before the reader pressed Stop is kept and drawn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import streamlit as st

from playground.core import sentences as core
from playground.core.trace import Trace
from playground.engine.contract.models import ModelInfo
from playground.errors import PlaygroundError
from playground.ui import compute
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain, sentence

MANY = 40  # more sentences than this have a progress bar and can be stopped
_EVERY = 8  # sentences between two messages to the browser


@dataclass(frozen=True, eq=False)
class Read:
    """Sentences that were read.

    Attributes:
        sentences: Their texts.
        groups: Topic id of each, "" without one.
        vectors: Vectors of length 1. Shape [n, d_model].
        trace: One of them, for the provenance line.
    """

    sentences: tuple[str, ...]
    groups: tuple[str, ...]
    vectors: core.Vectors
    trace: Trace


@dataclass(eq=False)
class _Part:
    """The sentences that one session has read so far.

    Attributes:
        model_id, texts: The model and the sentences; others begin anew.
        stopped: The reader pressed Stop.
        vectors: Row -> its vector.
        refused: Row -> why it cannot be read.
        cut: Rows of which only the beginning was read.
        trace: One of those that were read.
    """

    model_id: str
    texts: tuple[str, ...]
    stopped: bool = False
    vectors: dict[int, core.Vectors] = field(default_factory=dict)
    refused: dict[int, PlaygroundError] = field(default_factory=dict)
    cut: set[int] = field(default_factory=set)
    trace: Trace | None = None


def read_all(
    context: PageContext, model: ModelInfo, texts: tuple[str, ...], groups: tuple[str, ...]
) -> Read | None:
    """A vector for every sentence, or for those read before Stop; what cannot be read is said."""
    part = _part(model.model_id, texts)
    if part.trace is not None:
        part.trace = replace(part.trace, cached=True)
    if part.stopped:
        n, total = len(part.vectors), len(texts)
        st.info(_("Stopped: {n:,} of {total:,} sentences read and drawn.").format(n=n, total=total))
        st.button(
            _("Go on reading"), key="emb_go_on", icon=":material/play_arrow:", on_click=_stop, args=(False,)
        )
    else:
        _read(context, model, part)
    _say_refused(part)
    _say_cut(model, part)
    if part.trace is None:
        return None
    kept = sorted(part.vectors)
    return Read(
        tuple(texts[i] for i in kept),
        tuple(groups[i] for i in kept),
        np.stack([part.vectors[i] for i in kept]),
        part.trace,
    )


def _part(model_id: str, texts: tuple[str, ...]) -> _Part:
    part: _Part | None = st.session_state.get("emb_part")
    if part is None or (part.model_id, part.texts) != (model_id, texts):
        part = st.session_state["emb_part"] = _Part(model_id, texts)
    return part


def _stop(stopped: bool) -> None:
    st.session_state["emb_part"].stopped = stopped


def _read(context: PageContext, model: ModelInfo, part: _Part) -> None:
    """Read what is missing; `st` may end the run at any message, `part` keeps what it has."""
    total = len(part.texts)
    part.refused.clear()
    rows = [row for row in range(total) if row not in part.vectors]
    if not rows:
        return
    place, stopping = st.empty(), st.empty()
    if total > MANY:
        stopping.button(_("Stop"), key="emb_stop", icon=":material/stop:", on_click=_stop, args=(True,))
    with place.container():
        texts = [model.prefixes.text + part.texts[row] for row in rows]
        reads = compute.traces(
            context, model.model_id, texts, hidden_states=(model.n_layer,), max_tokens=model.max_seq_length
        )
        told, known = _("{done:,} of {total:,} sentences read"), len(part.vectors)
        words = told.format(done=known, total=total)
        bar = Progress("sentences", model.model_id, total, words, done=known) if total > MANY else None
        for at, one in reads:
            if isinstance(one, Trace):
                part.vectors[rows[at]], part.trace = core.sentence_vector(one), one
                if _is_cut(model, one, texts[at]):
                    part.cut.add(rows[at])
            else:
                part.refused[rows[at]] = one
            done = len(part.vectors) + len(part.refused)
            if bar is not None and done % _EVERY == 0 and not (isinstance(one, Trace) and one.cached):
                bar.draw(done, told.format(done=done, total=total))
    place.empty()
    stopping.empty()


def _say_refused(part: _Part) -> None:
    if part.refused:
        row = min(part.refused)
        n = len(part.refused)
        counted = ngettext("{n} sentence is left out.", "{n} sentences are left out.", n).format(n=n)
        first = _("The first is number {row}:").format(row=row + 1)
        st.warning(f"{counted} {first} {sentence(part.refused[row])}")


def _is_cut(model: ModelInfo, trace: Trace, text: str) -> bool:
    n = len(trace.input_ids)
    return n == model.max_seq_length and len(compute.cut(model.model_id, text)) > n


def _say_cut(model: ModelInfo, part: _Part) -> None:
    if part.cut:
        st.info(
            ngettext(
                "{n} sentence is longer than {limit} tokens: as its makers do, {model} reads only the "
                "first {limit}.",
                "{n} sentences are longer than {limit} tokens: as its makers do, {model} reads only the "
                "first {limit} of each.",
                len(part.cut),
            ).format(n=len(part.cut), limit=model.max_seq_length, model=plain(model.name))
        )

"""A state of one sentence copied into another: what changes at the end?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.charts import inside as charts
from playground.core import inside as core
from playground.core import pieces
from playground.core.files.encoding import readable_text
from playground.core.heads import kl_bits
from playground.core.interventions import Intervention, patch
from playground.core.tables import inside as frames
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.ui import compute, show
from playground.ui.inside.reading import InsideReading, first, named, pick
from playground.ui.number import slider
from playground.ui.text import _, as_code
from playground.ui.url import setting

DEFAULT_TEXT = "The capital of France is"
ALL = "all"
N_BARS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Copied:
    """The next token of sentence B with and without states of sentence A.

    Attributes:
        before: Logits of B as it is.
        after: With the states copied.
    """

    before: Trace
    after: Trace

    @property
    def logits(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Before and after. Each of shape [d_vocab]."""
        assert self.before.logits is not None
        assert self.after.logits is not None
        return self.before.logits[-1], self.after.logits[-1]


@st.fragment
def patching(reading: InsideReading) -> None:
    """Sentence B, which state of A goes where, and the next token before and after."""
    st.markdown(f"## {_('What does one state carry?')}")
    st.markdown(
        _(
            "Activation patching: insert a state of your sentence (A) into another sentence (B), "
            "before a block reads it."
        )
    )
    typed = st.text_input(
        _("Sentence B"), DEFAULT_TEXT, max_chars=200, **setting("ins_b", DEFAULT_TEXT),
    )  # fmt: skip
    text, _left_out = readable_text(typed)
    if not text.strip():
        st.info(_("Type a sentence B."))
        return
    other = first(compute.tokenize(replace(reading.context, text=text)))
    source, target, layer = _controls(reading, other)
    copied = copy(reading, other, layer=layer, pairs=pairs(reading.tokens, other, source, target))
    before, after = copied.logits
    shown = [*np.argsort(-before)[:N_BARS].tolist(), *np.argsort(-after)[:N_BARS].tolist()]
    begun = pieces.open_bytes(b"".join(other.token_bytes))
    table = frames.patched(before, after, named(reading.context, shown, begun))
    alt = _("Next-token probabilities of sentence B before and after patching")
    show.show_chart(_picture(reading.context.language), "ins_patch", alt, data=table)
    st.markdown(_words(reading, before, after, begun))
    show.provenance(copied.after, layer=layer + 1)
    code = show.code(
        "patching", folder=show.model_folder(reading.context.model.model_id),
        ids_a=list(reading.tokens.input_ids), ids_b=list(other.input_ids), layer=layer,
        pairs=pairs(reading.tokens, other, source, target),
        **show.places(reading.context.model, "blocks"),
    )  # fmt: skip
    show.under_picture("inside_patch", frame=table, code=code, picture="ins_patch")


def copy(
    reading: InsideReading, other: Tokenization, *, layer: int, pairs: Sequence[tuple[int, int]]
) -> Copied:
    """Let the model read B twice, the second time with states of A.

    Args:
        reading: Sentence A.
        other: Sentence B.
        layer: The block that reads the copied states, 0 = the first.
        pairs: (position in A, position in B).
    """
    assert reading.trace.hidden_states is not None
    states = reading.trace.hidden_states[layer]
    edit = Intervention(patches=tuple(patch(layer, there, states[here]) for here, there in pairs))
    ids = other.input_ids
    before = compute.trace(reading.context, ids, Capture(logits="last"), topic="inside_b")
    after = compute.trace(
        reading.context, ids, Capture(logits="last"), intervention=edit, topic="inside_copy"
    )
    return Copied(before, after)


def pairs(a: Tokenization, b: Tokenization, source: str, target: str) -> list[tuple[int, int]]:
    """Pairs of a position of A and the position of B it is copied to: one, or all."""
    if source == ALL:
        return [(place, place) for place in range(min(len(a), len(b)))]
    return [(int(source), int(target))]


def changed(a: Tokenization, b: Tokenization) -> int:
    """The first position at which two texts differ, the last of the shorter one if they do not."""
    n = min(len(a), len(b))
    return next((place for place in range(n) if a.input_ids[place] != b.input_ids[place]), n - 1)


def _controls(reading: InsideReading, other: Tokenization) -> tuple[str, str, int]:
    """Position in A (or all), position in B, layer."""
    here, there = (
        {str(i): f"{i}: {label}" for i, label in enumerate(pieces.labels(tokens))}
        for tokens in (reading.tokens, other)
    )
    differs = str(changed(reading.tokens, other))
    if len(here) == len(there):
        here[ALL] = _("every position")
    columns = st.columns([2, 2, 3])
    with columns[0]:
        source = pick("ins_from", here, _("State of A at"), differs)
    with columns[1]:
        target = pick("ins_to", there, _("goes into B at"), differs)
    n_layer = reading.context.model.n_layer
    first = n_layer // 3 + 1
    with columns[2]:
        layer = slider(_("read by block"), range(1, n_layer + 1), first, key=f"ins_block_{n_layer}")
    return source, target, layer - 1


def _words(
    reading: InsideReading, before: NDArray[np.float32], after: NDArray[np.float32], begun: bytes
) -> str:
    """The picture in words."""
    first, second = int(before.argmax()), int(after.argmax())
    names = named(reading.context, [first, second], begun)
    p = float(np.exp(core.log_probabilities(before)[first]))
    q = float(np.exp(core.log_probabilities(after)[second]))
    bits = float(kl_bits(before, after))
    return _(
        "Sentence B continues with {before} ({p:.1%}); with the patched state, with {after} ({q:.1%}). "
        "Its distribution moved by {bits:.3f} bits (KL of before and after)."
    ).format(before=as_code(names[first]), p=p, after=as_code(names[second]), q=q, bits=bits)


@lru_cache
def _picture(language: str) -> dict[str, Any]:
    return charts.patch_bars(
        {
            "token": _("Token"),
            "prob": _("Probability"),
            "before": _("sentence B as it is"),
            "after": _("with the patched state"),
        }
    )

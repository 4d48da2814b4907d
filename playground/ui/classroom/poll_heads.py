"""A poll on heads: every head is switched off once, and the class guesses which one the answer needs most."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.core import pieces
from playground.core.classroom.poll_options import Head, choose_heads, head_poll
from playground.core.classroom.polls import Poll
from playground.core.heads import kl_bits
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.ui import compute, state
from playground.ui.frame import has_sentence
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.text import _, plain

N_HEADS = 4
_MEASURED, _RUNNING = "poll_heads_measured", "poll_heads_running"
Key = tuple[str, tuple[int, ...]]


def prepare(context: PageContext, open_button: Callable[[Poll], None]) -> Later | None:
    """Draw the button that measures the heads; the options, without their bits, once they are measured.

    Args:
        context: From `frame.page`.
        open_button: Draws the button that opens a poll.
    """
    if context.model.kind != "decoder" or "attentions" not in context.model.capabilities:
        st.info(_("This model predicts no next token: pick a decoder."))
        return None
    if not has_sentence(context):
        return None
    st.markdown(_("After: {text} …").format(text=plain(context.text)))
    tokens = compute.tokenize(context)
    most = state.settings().max_tokens_all_heads
    if not 2 <= len(tokens) <= most:
        st.info(
            _("A sentence of 2 to {most} tokens is needed here; this one has {n}.").format(
                most=most, n=len(tokens)
            )
        )
        return None
    key = context.model.model_id, tokens.input_ids
    measured: tuple[Key, dict[Head, float]] | None = st.session_state.get(_MEASURED)
    if measured is not None and measured[0] == key:
        _options(context, tokens, measured[1], open_button)
        return None
    n = context.model.n_layer * context.model.n_head
    running = st.session_state.get(_RUNNING) == key
    st.button(
        _("Stop") if running else _("Switch off each of the {n} heads, one at a time").format(n=n),
        key="poll_heads_measure", icon=":material/stop:" if running else ":material/play_arrow:",
        on_click=_run, args=(None if running else key,),
    )  # fmt: skip
    return partial(_measure, context, tokens) if running else None


def _run(key: Key | None) -> None:
    st.session_state[_RUNNING] = key


def _trace(context: PageContext, tokens: Tokenization) -> Trace:
    capture = Capture(logits="last", attentions="float32")
    return compute.trace(context, tokens.input_ids, capture, topic="poll")


def _measure(context: PageContext, tokens: Tokenization) -> None:
    """Switch off head after head to the end; a click ends it."""
    trace = _trace(context, tokens)
    assert trace.logits is not None
    bits: dict[Head, float] = {}
    total = context.model.n_layer * context.model.n_head
    bar = Progress("heads off", context.model.model_id, total, _("Heads are switched off one at a time"))
    with closing(compute.ablations(context, "zero", tokens.input_ids)) as parts:
        for part in parts:
            lost = kl_bits(trace.logits[-1], part.logits)
            bits.update(zip(part.heads, lost.tolist(), strict=True))
            bar.draw(len(bits), _("{done} of {total} heads").format(done=len(bits), total=part.n_heads))
    st.session_state[_MEASURED] = (context.model.model_id, tokens.input_ids), bits
    _run(None)
    st.rerun()


def _options(
    context: PageContext, tokens: Tokenization, bits: dict[Head, float], open_button: Callable[[Poll], None]
) -> None:
    trace = _trace(context, tokens)
    assert trace.attentions is not None
    rows: NDArray[np.float32] = trace.attentions[:, :, -1, :-1].astype(np.float32)
    if rows.shape[-1] > 1:
        rows[..., 0] = 0.0  # many heads rest on the first token, whatever it is
    chosen = choose_heads(bits, rows.max(axis=-1), N_HEADS)
    labels = pieces.labels(tokens)
    links = {head: (float(rows[head].max()), labels[int(rows[head].argmax())]) for head in chosen}
    poll = head_poll(context.text, {head: bits[head] for head in chosen}, links, context.model.model_id)
    for option in poll.options:
        st.markdown(f"- {plain(option)}")
    st.caption(
        _(
            "Without one of them the answer changes most. The others look hardest at one token. Written are "
            "layer and head, and weight and token of the strongest link from the last token."
        )
    )
    open_button(poll)

"""A poll on the next token: the options are the model's own candidates for the teacher's sentence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from playground.core.classroom.poll_options import candidates, token_poll
from playground.core.classroom.polls import Poll
from playground.core.pieces import open_bytes, piece
from playground.engine.contract.traces import Capture
from playground.ui import compute, state
from playground.ui.choose import last_choice, list_key, told_apart
from playground.ui.frame import has_sentence
from playground.ui.panels import Later
from playground.ui.state import PageContext
from playground.ui.text import _, plain

N_CANDIDATES = 12
N_OPTIONS = 4


def prepare(context: PageContext, open_button: Callable[[Poll], None]) -> Later | None:
    """Draw the candidates, without their probabilities: the class may see this page.

    Args:
        context: From `frame.page`.
        open_button: Draws the button that opens a poll.
    """
    if context.model.kind != "decoder":
        st.info(_("This model predicts no next token: pick a decoder."))
        return None
    if not has_sentence(context):
        return None
    st.markdown(_("After: {text} …").format(text=plain(context.text)))
    shares = _candidates(context)
    by_share = list(shares)
    names = {name: name for name in sorted(shares)}
    key = list_key("poll_candidates", names)
    before = last_choice("poll_candidates")
    chosen = st.multiselect(
        _("Options, out of the model's {n} most probable tokens, in the order of the alphabet").format(
            n=len(names)
        ),
        tuple(names), before if isinstance(before, list) else sorted(by_share[:N_OPTIONS]), key=key,
        format_func=plain, max_selections=state.settings().max_poll_options,
    )  # fmt: skip
    open_button(token_poll(context.text, {name: shares[name] for name in chosen}, context.model.model_id))
    return None


def _candidates(context: PageContext) -> dict[str, float]:
    """Token as it is shown -> probability, the most probable first."""
    tokens = compute.tokenize(context)
    trace = compute.trace(context, tokens.input_ids, Capture(logits="last"), topic="poll")
    assert trace.logits is not None
    probs = candidates(trace.logits[-1], N_CANDIDATES)
    begun = open_bytes(b"".join(tokens.token_bytes))
    texts = compute.token_texts(context, np.array(list(probs), dtype=np.int64))
    apart = told_apart({token: piece(text, begun).label for token, text in zip(probs, texts, strict=True)})
    return {apart[token]: share for token, share in probs.items()}

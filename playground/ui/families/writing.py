"""Cross-attention by decoder step, and greedy writing against a beam search."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.core import pieces
from playground.core.tables import families as frames
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.ui import compute, show, state
from playground.ui.choose import choose
from playground.ui.components.written_steps import written_steps
from playground.ui.families.players import Head, Player, one_map
from playground.ui.families.sources import knows_dates_only
from playground.ui.families.written import Found, Written, searched
from playground.ui.number import number_field
from playground.ui.text import _, plain, strong


def panel(one: Player, head: Head) -> None:
    """Draw the steps of the answer, and what a search finds instead.

    Args:
        one: The encoder-decoder.
        head: The head shown; None for the mean of all.
    """
    st.markdown(f"## {_('Where does the decoder look while it writes?')}")
    assert one.answer is not None
    n_source = one.n_source
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n_beams = number_field(_("Beams"), 2, state.settings().max_beams, 4, key="fam_beams", width=130)
        with st.container(width="content"):
            chosen = choose(
                "fam_answer", {"greedy": _("greedy"), "beam": _("beam search")}, _("Which answer")
            )
    if len(one.tokens) > n_source:
        st.info(_("Only the first {n} tokens are drawn.").format(n=n_source))
        return
    found = searched(one.context, int(n_beams))
    if found is None:
        return
    answer, trace = one.answer, one.trace
    if chosen == "beam" and found.best.token_ids != answer.token_ids:
        answer = found.best
        trace = compute.trace(
            one.context, one.tokens.input_ids, Capture(attentions="float32"), decoder_ids=answer.read_ids,
            topic="families_beam",
        )  # fmt: skip
    source = pieces.labels(one.tokens)
    weights = looked(trace, head)
    with st.container(key="families_steps"):
        written_steps(weights, source, answer.steps(), key="written_steps")
    st.markdown(_told(one, found, int(n_beams)))
    st.caption(_("Every row of the map sums to 1: it is what one step takes from the source."))
    show.provenance(trace, layer=head[0] + 1 if head else None, head=head[1] + 1 if head else None)
    show.under_picture(
        "families_cross",
        frame=partial(frames.steps, weights, answer.labels, source, answer.logprobs),
        code=partial(_code, one, answer, head, int(n_beams)),
        picture="families_steps",
    )


def looked(trace: Trace, head: Head) -> NDArray[np.float64]:
    """Cross-attention of each step. Shape [step, source]."""
    return one_map(trace.cross_attentions, head)


def first_look(one: Player, head: Head) -> int:
    """Position of the source token that the first step looks at most."""
    return int(looked(one.trace, head)[0].argmax())


def _told(one: Player, found: Found, n_beams: int) -> str:
    greedy, best = one.answer, found.best
    assert greedy is not None
    texts = {name: strong(" ".join(answer.text.split()) or "…") for name, answer in
             (("greedy", greedy), ("beam", best))}  # fmt: skip
    values = {"n": n_beams, "p": float(np.exp(greedy.logprob)), "q": float(np.exp(best.logprob)), **texts}
    if greedy.token_ids == best.token_ids:
        told = _("Greedy and the beam search (beams: {n}) both write {greedy} (p = {p:.3g}).").format(
            **values
        )
    elif best.logprob > greedy.logprob:
        told = _(
            "Greedy writes {greedy} (p = {p:.3g}); the beam search (beams: {n}) finds {beam} "
            "(p = {q:.3g}), which is more probable as a whole."
        ).format(**values)
    else:
        told = _(
            "Greedy writes {greedy} (p = {p:.3g}); the beam search (beams: {n}) prefers {beam} "
            "(p = {q:.3g}): it ranks by log-probability per token, not by that of the whole answer."
        ).format(**values)
    if knows_dates_only(one.context.model):
        told += " " + _(
            "{model} was trained on dates alone: of anything else it makes digits and dashes too."
        ).format(model=plain(one.context.model.name))
    return told


def _code(one: Player, answer: Written, head: Head, n_beams: int) -> str:
    return show.code(
        "families_cross",
        folder=show.model_folder(one.context.model.model_id),
        input_ids=list(one.tokens.input_ids),
        target_ids=list(answer.token_ids),
        head=head,
        n_beams=n_beams,
    )

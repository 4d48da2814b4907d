"""The reader's own prompts, all at once: a table of what the model writes, and its CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial

import streamlit as st

from playground.core.files.prompts import PromptFile
from playground.core.sampling import Sampling
from playground.core.tables import continuations as frames
from playground.core.trace import Trace
from playground.ui import compute, show, state
from playground.ui.number import number_field
from playground.ui.panels import Later
from playground.ui.sampling.many import Many, begun, code_of, table, write_all
from playground.ui.state import PageContext
from playground.ui.text import _

MAX_PROMPTS = 50
KEY = "sam_batch_texts"


def panel(context: PageContext, chosen: Sampling, trace: Trace) -> Later | None:
    """Draw the controls and what was written last.

    Args:
        context: From `frame.page`.
        chosen: The settings above.
        trace: Trace of the text, for the provenance.

    Returns:
        What goes on writing, to be called once the page is drawn; None when nothing is to be written.
    """
    st.markdown(f"## {_('What does it write to each of my prompts?')}")
    file = st.session_state.get("prompts")
    if not isinstance(file, PromptFile) or not file.prompts:
        st.info(_("Upload a file with *My prompts* on the left first: one prompt per row."))
        return None
    prompts = _usable(context, file.prompts)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n_max = number_field(_("Tokens at most"), 4, 64, 24, key="sam_batch_tokens", width=160)
        told = _("Continue all {n}").format(n=len(prompts))
        start = st.button(
            told, type="primary", key="sam_batch", icon=":material/playlist_play:", disabled=not prompts
        )
        st.button(_("Stop"), key="sam_batch_stop", icon=":material/stop:", disabled=not start)
    place = st.empty()
    if start:
        settings = [{"sampling": chosen, "seed": row, "text": prompt} for row, prompt in enumerate(prompts)]
        return partial(write_all, place, Many(context, settings, n_max, key=KEY))
    many: Many | None = st.session_state.get(KEY)
    mine = (context.model.model_id, prompts)
    if many and (many.context.model.model_id, [one["text"] for one in many.settings]) == mine and begun(many):
        show.other_settings(many.asked, {**asdict(chosen), _("Tokens at most"): n_max})
        _draw(many, trace)
    return None


def _usable(context: PageContext, prompts: Sequence[str]) -> list[str]:
    """The first prompts that the model can read; the others are named by number."""
    limit = state.settings().max_tokens
    n_tokens = [len(compute.cut(context.model.model_id, prompt)) for prompt in prompts[:MAX_PROMPTS]]
    too_long = [str(row) for row, n in enumerate(n_tokens, 1) if n > limit]
    if too_long:
        told = _("Left out, more than {limit} tokens: row {rows}.")
        st.warning(told.format(limit=limit, rows=", ".join(too_long)))
    if len(prompts) > MAX_PROMPTS:
        told = _("The first {limit} of {n} prompts are used here.")
        st.caption(told.format(limit=MAX_PROMPTS, n=len(prompts)))
    return [prompt for prompt, n in zip(prompts, n_tokens, strict=False) if n <= limit]


def _draw(many: Many, trace: Trace) -> None:
    texts = frames.continuations(many.written)
    table(texts, ["prompt", "text", "n_tokens", "perplexity"])
    told = _(
        "{done} of {total} prompts continued; the least surprising text has perplexity {perplexity:.1f}."
    )
    least = float(texts["perplexity"].min())
    st.markdown(told.format(done=len(texts), total=len(many.settings), perplexity=least))
    show.provenance(replace(trace, elapsed_ms=many.elapsed_ms, cached=False))
    code = code_of(many, [one["text"] for one in many.settings], n_texts=1)
    show.under_picture("batch_run", frame=texts, code=code)

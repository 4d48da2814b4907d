"""Sampling: from the distribution over the whole vocabulary to the one token that is written."""

from dataclasses import replace

import streamlit as st

from playground.core import frames
from playground.core.sampling import distribution
from playground.ui import compute, frame, sampling, show, state
from playground.ui.components.sampler import SamplerValue, sampler
from playground.ui.components.token_chips import token_chips
from playground.ui.tasks import Task
from playground.ui.text import _, sentence

context = frame.page("sampling", needs={"logits", "generate"})
token_chips(compute.tokenize(context), height=118)
trace = compute.trace(context, logits="last")
ranked, labels = sampling.next_token(trace)
source = {"folder": show.model_folder(trace.model_id), "text": context.text}


def five_kept(chosen: SamplerValue) -> bool:
    """The goal of the first task."""
    return chosen.top_k == 0 and distribution(ranked, **chosen._asdict()).n_kept == 5


@st.fragment
def choose() -> None:
    """The distribution of the next token under the four settings, and how open it is."""
    sampling.bind()
    chosen, problems = sampling.chosen(len(ranked))
    for problem in problems:
        st.warning(sentence(problem))
    sampler(ranked, labels, chosen, key="sampler", language=context.language, on_release=sampling.remember)
    show.provenance(trace)
    kept = distribution(ranked, **chosen._asdict())
    table = frames.sampling(ranked, labels, kept, temperature=chosen.temperature)
    show.under_picture("sampling", frame=table, code=show.code("sampling", **source, **chosen._asdict()))

    st.markdown(f"#### {_('How open is the next word at each temperature?')}")
    curve = sampling.curve(trace, chosen)
    alt = _("Entropy of the next token against temperature")
    show.show_chart(sampling.curve_picture(context.language), "sam_curve", alt, data=curve)
    show.provenance(trace)
    code = show.code("entropy", **source, **sampling.cuts(chosen))
    show.under_picture("entropy", frame=curve, code=code, picture="sam_curve")
    if five_kept(chosen) != st.session_state.setdefault("sam_five_kept", False):
        st.session_state["sam_five_kept"] = five_kept(chosen)
        st.rerun()  # the tasks are outside this fragment


choose()
st.markdown(f"#### {_('What does the model write with these settings?')}")
with st.container(horizontal=True, vertical_alignment="bottom"):
    limit = state.settings().max_new_tokens
    seed = st.number_input(_("Seed"), 0, 2**32 - 1, 0, key="sam_seed", bind="query-params", width=160)
    n_max = st.number_input(
        _("Tokens at most"), 1, limit, 32, key="sam_max_new_tokens", bind="query-params", width=160
    )
    start = st.button(_("Generate"), type="primary", key="sam_start", icon=":material/play_arrow:")
    st.button(_("Stop"), key="sam_stop", icon=":material/stop:", disabled=not start)
chosen, _problems = sampling.chosen(len(ranked))
run = sampling.Run(context, chosen, seed, n_max) if start else sampling.last_run(context)
board = sampling.Board(run, context.language)
if run is not None and not start:
    show.provenance(replace(trace, elapsed_ms=run.elapsed_ms, cached=False))
    values = {"seed": run.seed, "n_tokens": run.n_max, **run.chosen._asdict()}
    code = show.code("generating", **source, **values)
    show.under_picture("continuation", frame=frames.continuation(run.tokens), code=code, picture="sam_board")

tasks = [
    Task("five", "goal", lambda: five_kept(chosen)),
    Task("entropy", "number", lambda: distribution(ranked).entropy_bits, tolerance=0.05),
    Task("hot", "choice", lambda: sampling.size_when_hot(ranked), sampling.sizes()),
]
frame.end_of_page(context, tasks)
if start and run is not None:
    sampling.go_on(context, board, run)

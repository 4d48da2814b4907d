"""Sampling: from the distribution over the whole vocabulary to the one token that is written."""

from dataclasses import asdict

import streamlit as st

from playground.core.sampling import Sampling, distribution
from playground.core.tables import sampling as frames
from playground.engine.contract.traces import Capture
from playground.ui import compute, frame, next_characters, show
from playground.ui.components.sampler import sampler
from playground.ui.components.token_chips import token_chips
from playground.ui.sampling import panels as sampling_panels
from playground.ui.sampling import settings as sampling
from playground.ui.state import end_run
from playground.ui.tasks import Task
from playground.ui.text import _, sentence

context = frame.page("sampling", needs={"logits", "generate"}, reads_text=True, needs_text=False)
if not frame.has_sentence(context):
    sampling_panels.without_sentence(context)
    frame.end_of_page(context, tasks=())
    end_run()
token_chips(tokens := compute.tokenize(context), height=118)
capture = Capture(logits="last", query_key=next_characters.may_be_worth_it(context, tokens))
trace = compute.trace(context, capture)
ranked, labels = sampling.next_token(trace)
next_tokens = compute.token_texts(context, ranked.token_ids[:10])
source = {"folder": show.model_folder(trace.model_id), "text": context.text}
compared: list[Sampling] = []  # the settings that this run of the page has drawn below


@st.fragment
def next_token() -> None:
    """The distribution of the next token under the settings, and how open it is."""
    sampling.bind()
    chosen, problems = sampling.chosen(len(ranked))
    for problem in problems:
        st.warning(sentence(problem))
    sampler(
        ranked, labels, chosen, defaults=sampling.DEFAULT, key="sampler", language=context.language,
        on_release=sampling.remember,
    )  # fmt: skip
    show.provenance(trace)
    table = frames.sampling(ranked, labels, chosen)
    show.under_picture("sampling", frame=table, code=show.code("sampling", **source, **asdict(chosen)))
    if next_characters.are_worth_it(context, tokens, next_tokens):
        next_characters.draw(context, trace, under_settings=True)

    st.markdown(f"#### {_('How uncertain is the next token at each temperature?')}")
    curve = sampling.curve(trace, chosen)
    left, right = st.columns(2)
    with left:
        alt = _("Entropy of the next token against temperature")
        show.show_chart(sampling.curve_picture(context.language), "sam_curve", alt, data=curve)
    with right:
        alt = _("How many tokens are kept at each temperature")
        picture = sampling.kept_picture(context.language, len(ranked))
        show.show_chart(picture, "sam_kept", alt, data=curve)
    show.provenance(trace)
    code = show.code("entropy", **source, **sampling.cuts(chosen))
    show.under_picture("entropy", frame=curve, code=code, picture="sam_curve")
    is_new = sampling.five_kept(ranked, chosen) != st.session_state.setdefault("sam_five_kept", False)
    st.session_state["sam_five_kept"] = sampling.five_kept(ranked, chosen)
    if is_new or (compared and compared[0] != chosen):
        st.rerun()  # the tasks and the comparison are outside this fragment


next_token()
chosen, _problems = sampling.chosen(len(ranked))
go_on = sampling_panels.draw(context, chosen, trace)
if st.session_state["sam_panel"] == "compare":
    compared.append(chosen)

tasks = [
    Task("five", "goal", lambda: sampling.five_kept(ranked, chosen)),
    Task("entropy", "number", lambda: distribution(ranked).entropy_bits, tolerance=0.05),
    Task("hot", "choice", lambda: sampling.size_when_hot(ranked), sampling.sizes()),
]
frame.end_of_page(context, tasks)
if go_on is not None:
    go_on()

"""The reader's own question with two answers, put to the judge in both orders."""

from __future__ import annotations

import streamlit as st

from playground.core.files.encoding import readable_text
from playground.ui import compute, show
from playground.ui.evaluation import judged
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _, strong

QUESTION, A, B = "ev_own_question", "ev_own_a", "ev_own_b"
outlives_reload(QUESTION, A, B)
MAX_CHARS = 600


def draw(context: PageContext) -> None:
    """Draw the fields, and the verdict in both orders.

    Args:
        context: The judge.
    """
    language = context.language if context.language in judged.TEMPLATES else "en"
    usual = next(one for one in judged.shipped() if one.language == language)
    question = _field(_("Question"), QUESTION, usual.question, 68)
    left, right = st.columns(2)
    with left:
        a = _field(_("Answer A"), A, usual.better, 110)
    with right:
        b = _field(_("Answer B"), B, usual.worse, 110)
    st.caption(_("Empty: what stands there in grey."))
    place = st.empty()
    with place.container():
        found = judged.ask(context, question, (a, b))
    if found is None:
        return
    as_shown, swapped = found[0], 1 - found[1]
    table = {_("order"): ["A, B", "B, A"], _("p(answer A wins)"): [round(as_shown, 4), round(swapped, 4)]}
    st.markdown(_told(as_shown, swapped))
    st.dataframe(table, hide_index=True, key="ev_own_table")
    show.source(context.model)
    with st.expander(_("What the judge reads"), icon=":material/article:"):
        literal(context, judged.language_of(question), question, a, b)


def literal(context: PageContext, language: str, question: str, a: str, b: str) -> None:
    """Draw a prompt word for word, the marks of a chat template too."""
    prompt = judged.literal(context, language, question, a, b)
    model_id = context.model.model_id
    text = prompt if isinstance(prompt, str) else "".join(compute.tokenizers().token_texts(model_id, prompt))
    st.code(text, language=None, wrap_lines=True)
    first, second = judged.labels(context.model)
    told = _("The verdict is the one of {a} and {b} that the model finds more probable next.")
    st.caption(told.format(a=strong(first), b=strong(second)))


def _field(label: str, key: str, usual: str, height: int) -> str:
    """A text of the reader's, or the one that stands there in grey."""
    written = st.text_area(
        label, key=key, max_chars=MAX_CHARS, height=height, placeholder=usual, persist_state="session"
    )
    text, _n_left_out = readable_text(written.strip())
    return text or usual


def _told(as_shown: float, swapped: float) -> str:
    names = {True: "A", False: "B"}
    if (as_shown > 0.5) == (swapped > 0.5):
        told = _(
            "In both orders answer {name} wins: A with {first:.1%} when it is shown first and {second:.1%} "
            "when it is shown second."
        )
        return told.format(name=names[as_shown > 0.5], first=as_shown, second=swapped)
    told = _(
        "The verdict turns with the order: A wins with {first:.1%} when it is shown first and {second:.1%} "
        "when it is shown second. In the mean of both it is {mean:.1%}."
    )
    return told.format(first=as_shown, second=swapped, mean=(as_shown + swapped) / 2)

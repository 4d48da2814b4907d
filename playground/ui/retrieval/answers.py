"""The panel Answers: one question asked four ways, side by side, and a closer look at the difference."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from functools import partial
from typing import Any

import streamlit as st

from playground.core.answering import says
from playground.core.grounding import WAYS, Way
from playground.core.metrics.answers import character_f1, exact_match, word_f1
from playground.core.scripts import script_of
from playground.core.tables import grounding as frames
from playground.core.tables.grounding import AnswerRow
from playground.engine.contract.models import Capability
from playground.errors import PlaygroundError
from playground.ui import roles, show, unread_language
from playground.ui.panels import Later, Panel, pick
from playground.ui.progress import Progress
from playground.ui.retrieval import closer, left_out, spoilt
from playground.ui.retrieval.case import Case, choose_case, way_names
from playground.ui.retrieval.collection import Current
from playground.ui.retrieval.grounded import N_NEW
from playground.ui.retrieval.written import Written, known, write
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, sentence, strong
from playground.ui.throttle import Throttle

BOX_HEIGHT = 132
GENERATES: tuple[Capability, ...] = ("generate",)
STOPPED = "ret_answers_stopped"  # the question whose answers the reader stopped


def panel(context: PageContext, current: Current) -> Later | None:
    """Draw the question, its four answers, and one closer look.

    Args:
        context: From `frame.page`.
        current: The collection that is searched.

    Returns:
        Writes what is missing, to be called once the page is drawn; None when nothing is.
    """
    st.markdown(f"## {_('What does the model say with and without the right chunk?')}")
    answering = roles.player(context, "decoder")
    if answering is None:
        return None
    try:
        case = choose_case(answering, current)
        if case is None:
            return None
        prompts = case.prompts
    except PlaygroundError as error:
        st.error(sentence(error))
        return None
    _say_languages(case)
    answers = {way: known(answering, prompts[way]) or Written() for way in WAYS}
    places = _boxes(case, answers)
    if any(one.finish is None for one in answers.values()):
        return _ask(case, places)
    st.markdown(_told(case, answers))
    _under(case, answers)
    return pick("ret_closer", _panels(case, answers), _("Look closer")).draw()


def _panels(case: Case, answers: Mapping[Way, Written]) -> dict[str, Panel[[]]]:
    return {
        "prompt": Panel(_("The literal prompt"), partial(closer.prompt, case)),
        "support": Panel(_("What supports it"), partial(closer.supported, case, answers)),
        "left_out": Panel(_("Leave one out"), partial(left_out.panel, case)),
        "false": Panel(_("A false chunk"), partial(spoilt.false_chunk, case)),
        "order": Panel(_("An order in the document"), partial(spoilt.order_inside, case)),
        "all": Panel(_("All questions"), partial(spoilt.all_questions, case)),
    }


# ---------------------------------------------------------------- writing


def _ask(case: Case, places: Mapping[Way, Any]) -> Later | None:
    """A button that goes on, where the reader stopped it; otherwise what writes."""
    asked = case.text, tuple(prompt.tokens.input_ids for prompt in case.prompts.values())
    if st.session_state.get(STOPPED) == asked:
        st.button(
            _("Go on"), key="ret_answers_go", icon=":material/play_arrow:", on_click=_set_stopped,
            args=(None,),
        )  # fmt: skip
        return None
    line_at, stop_at = st.columns([6, 1], vertical_alignment="center")
    stop_at.button(
        _("Stop"), key="ret_answers_stop", icon=":material/stop:", on_click=_set_stopped, args=(asked,)
    )
    return partial(_write, case, places, line_at.empty())


def _set_stopped(asked: object) -> None:
    st.session_state[STOPPED] = asked


def _write(case: Case, places: Mapping[Way, Any], line: Any) -> None:  # noqa: ANN401  (Streamlit's containers)
    """Write what is missing, all in one batch; any click of the reader stops it within one step."""
    pace, total = Throttle(), N_NEW * len(WAYS)
    answers = dict.fromkeys(WAYS, Written())
    with line.container():
        bar = Progress("grounded", case.context.model.model_id, total, _("The model writes"))

    def draw() -> None:
        done = sum(N_NEW if one.finish else one.n_tokens for one in answers.values())
        bar.draw(done, _("{done} of {total} tokens").format(done=done, total=total))
        for way, place in places.items():
            place.text(answers[way].text)

    with closing(write(case.context, list(case.prompts.values()))) as steps:
        for place, answer in steps:
            answers[WAYS[place]] = answer
            pace(draw)
    if all(one.finish for one in answers.values()):
        st.rerun()


# ---------------------------------------------------------------- what was written


def _boxes(case: Case, answers: Mapping[Way, Written]) -> dict[Way, Any]:
    places: dict[Way, Any] = {}
    with st.container(key="ret_answers"):
        for column, way in zip(st.columns(len(WAYS)), WAYS, strict=True):
            with column:
                st.markdown(f"**{way_names()[way]}**")
                places[way] = st.container(border=True, height=BOX_HEIGHT).empty()
                places[way].text(answers[way].text)
                st.caption(_facts(case, way, answers[way]))
    return places


def _facts(case: Case, way: Way, answer: Written) -> str:
    words = []
    if answer.finish is not None and case.answers:
        words.append(
            f":material/check: {_('says the right answer')}" if says(answer.text, case.answers)
            else f":material/close: {_('does not say the right answer')}"
        )  # fmt: skip
        words.append(f"F1 {f1(case, answer.text):.2f}")
    prompt = case.prompts[way]
    n = len(prompt.tokens)
    words.append(ngettext("prompt {n:,} token", "prompt {n:,} tokens", n).format(n=n))
    if prompt.n_left_out:
        told = ngettext(
            "{n:,} token of the chunks did not fit into the window and was left out",
            "{n:,} tokens of the chunks did not fit into the window and were left out", prompt.n_left_out,
        )  # fmt: skip
        words.append(f":material/content_cut: {told.format(n=prompt.n_left_out)}")
    if answer.finish == "length":
        words.append(_("cut at the limit"))
    return " · ".join(words)


def f1(case: Case, text: str) -> float:
    """F1 of an answer: over words as SQuAD counts, of Korean over characters as KorQuAD does."""
    score = character_f1 if case.language == "ko" else word_f1
    return score(text, case.answers)


def _told(case: Case, answers: Mapping[Way, Written]) -> str:
    """The four answers in a sentence or two, Markdown."""
    names = way_names()
    if not case.answers:
        different = len({one.text.strip() for one in answers.values()})
        told = ngettext(
            "All four answers are the same: the chunks made no difference here.",
            "{n} different answers to one question: only the chunks differ.", different,
        ).format(n=different)  # fmt: skip
        if case.question is not None:
            told += " " + _("The document does not answer this question: whatever the model says is made up.")
        return told
    right = [names[way] for way in WAYS if says(answers[way].text, case.answers)]
    wrong = [names[way] for way in WAYS if not says(answers[way].text, case.answers)]
    told = _("The right answer is {answer}.").format(answer=strong(case.answers[0]))
    if right:
        told += " " + _("It is said with: {ways}.").format(ways=", ".join(right))
    if wrong:
        told += " " + _("It is not said with: {ways}.").format(ways=", ".join(wrong))
    return f"{told} {_rank(case)}"


def _rank(case: Case) -> str:
    if case.picked.rank is None:
        return _("A cut goes through the passage that answers it: no chunk holds it whole.")
    return _("The search by vectors puts the chunk that holds the answer at place {n}.").format(
        n=case.picked.rank
    )


def _say_languages(case: Case) -> None:
    """Say that question and chunks are in different languages, and that the model reads only one of them."""
    texts = case.texts("right")
    unread_language.say("\n".join((*texts, case.text)), case.context.model, GENERATES)
    if len({script_of(case.text), script_of("\n".join(texts))} - {""}) > 1:
        st.caption(
            _(
                "Question and chunks are in different languages: the encoder that searches reads both; "
                "whether the model that answers does is another matter."
            )
        )


def _under(case: Case, answers: Mapping[Way, Written]) -> None:
    names = way_names()
    rows = [
        AnswerRow(
            names[way], case.prompts[way].tokens.text, len(case.prompts[way].tokens), answers[way].text,
            says(answers[way].text, case.answers) if case.answers else None,
            exact_match(answers[way].text, case.answers) if case.answers else None,
            f1(case, answers[way].text) if case.answers else None,
        )
        for way in WAYS
    ]  # fmt: skip
    model = case.context.model
    show.source(model, _("greedy: always the most probable token"))
    code = partial(
        show.code, "grounded_answers", folder=show.model_folder(model.model_id),
        prompts={way: list(case.prompts[way].tokens.input_ids) for way in WAYS},
        n_new=N_NEW, stops_at_line="chat_template" not in model.capabilities,
    )  # fmt: skip
    show.under_picture("grounded_answers", frame=partial(frames.answers, rows), code=code)

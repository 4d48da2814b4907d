"""All questions of a document asked: shares of answers that are right, or believe and obey the chunk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Literal

import pandas as pd
import streamlit as st

from playground.charts import grounding as charts
from playground.core import shipped_documents as shipped
from playground.core.answering import says
from playground.core.byte_cache import ByteCache
from playground.core.documents import Question
from playground.core.grounding import injected
from playground.core.tables import grounding as frames
from playground.engine.contract.retrieval import EncodeRequest
from playground.errors import PlaygroundError
from playground.ui import collections, findings, show, state
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.retrieval.case import Case, way_names
from playground.ui.retrieval.grounded import N_NEW, Grounded
from playground.ui.retrieval.written import write
from playground.ui.text import _, ngettext, share
from playground.ui.waiting import stop_with

Condition = Literal["closed", "right", "wrong", "shuffled", "planted", "ordered"]
RUNNING = "ret_measuring"


@dataclass(frozen=True, slots=True)
class Order:
    """A sentence that speaks to the model, and the word that shows that it was followed."""

    text: str = ""
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer in three signs: it says the right answer, what was planted, the word of the order."""

    is_right: bool
    is_planted: bool
    follows: bool
    size_bytes: int = 600


Asked = tuple[str, Condition]
_known: ByteCache[Outcome] = ByteCache(2**20)  # of all readers; keyed by everything an outcome depends on


def draw(case: Case, conditions: Sequence[Condition], key: str, order: Order = Order()) -> Later | None:
    """Draw what is known of all questions, and the button that asks the rest.

    Args:
        case: The question that is shown: its document, its model and its number of chunks are measured.
        conditions: What the questions are asked with.
        key: Name of this measurement, `[a-z]+`.
        order: The order of the condition "ordered".

    Returns:
        What asks, to be called once the page is drawn; None when nothing is asked.
    """
    questions, n_cut = _held(case)
    wanted = [(one.question_id, condition) for one in questions for condition in conditions]
    found = _found(case, wanted, order)
    st.markdown(f"### {_('The same for all questions of this document')}")
    if n_cut:
        told = ngettext(
            "{n} question is left out: a cut goes through the passage that answers it.",
            "{n} questions are left out: a cut goes through the passage that answers them.", n_cut,
        )  # fmt: skip
        st.caption(told.format(n=n_cut))
    n_left, run = len(wanted) - len(found), (key, case.name, case.language, order)
    running = st.session_state.get(RUNNING) == run
    with st.container(horizontal=True, vertical_alignment="center"):
        if n_left and not running:
            told = ngettext("Ask the other {n} time", "Ask the other {n} times", n_left)
            st.button(
                told.format(n=n_left) if found else _("Ask all {n} questions").format(n=len(questions)),
                key=f"ret_measure_{key}", type="primary", icon=":material/play_arrow:", on_click=_set,
                args=(run,),
            )  # fmt: skip
        if running and n_left:
            st.button(
                _("Stop"), key=f"ret_measure_stop_{key}", icon=":material/stop:", on_click=_set, args=(None,)
            )
    line = st.empty()
    if found:
        _picture_of(_table(found, conditions), key, len(questions))
        _under(case, found, conditions, key, order)
        _note(case, found)
    else:
        st.caption(_("Nobody has asked all questions with this model and these chunks yet."))
    return partial(_go_on, case, questions, conditions, key, order, line) if running and n_left else None


def _held(case: Case) -> tuple[list[Question], int]:
    """Questions whose passage a chunk holds whole, and the number of the others that have an answer."""
    answered = [one for one in shipped.questions(case.name, case.language) if one.answers]
    texts = [one.text for one in case.current.content.chunks]
    held = [one for one in answered if any(map(one.held_by, texts))]
    return held, len(answered) - len(held)


def _set(run: object) -> None:
    st.session_state[RUNNING] = run


def _found(case: Case, wanted: Sequence[Asked], order: Order) -> dict[Asked, Outcome]:
    known = ((one, _known.get(_key(case, one, order))) for one in wanted)
    return {one: outcome for one, outcome in known if outcome is not None}


def _key(case: Case, asked: Asked, order: Order) -> tuple[object, ...]:
    model = case.context.model
    return (
        model.model_id, model.revision, model.adapter, model.dtype, case.current.collection_id, case.name,
        case.language, len(case.picked.right), *asked, order if asked[1] == "ordered" else None,
    )  # fmt: skip


# ---------------------------------------------------------------- asking


def _go_on(
    case: Case,
    questions: Sequence[Question],
    conditions: Sequence[Condition],
    key: str,
    order: Order,
    line: Any,  # noqa: ANN401  (Streamlit's container)
) -> None:
    """Ask some questions and draw the page anew; a click ends it, what is answered stays."""
    wanted = [(one.question_id, condition) for one in questions for condition in conditions]
    found = _found(case, wanted, order)
    missing = [one for one in wanted if one not in found]
    with line.container():
        words = _("{done} of {total} answers").format(done=len(found), total=len(wanted))
        bar = Progress(f"grounded-{key}", case.context.model.model_id, len(wanted), words, done=len(found))
    asked = {one.question_id: one for one in questions}
    limits = state.settings()
    part = missing[: min(limits.max_continuations, limits.max_decode_rows)]
    try:
        texts = tuple(one.text for one in questions)  # all at once: each search then finds its vector
        collections.encode(
            case.context, EncodeRequest(case.current.model, texts=texts, are_queries=True, topic="ret_all")
        )
        prompts = list(_prompts(case, part, asked, order))
        for one, outcome in _outcomes(case, part, prompts, asked, order):
            found[one] = outcome
            _known.put(_key(case, one, order), outcome)
            words = _("{done} of {total} answers").format(done=len(found), total=len(wanted))
            bar.draw(len(found), words)
    except PlaygroundError as error:
        _set(None)
        stop_with(error)
    if not all(one in found for one in part):  # a click waits for the end of this run
        return
    if len(part) == len(missing):
        _set(None)
    st.rerun()


def _prompts(
    case: Case, part: Sequence[Asked], asked: Mapping[str, Question], order: Order
) -> Iterator[Grounded]:
    about: dict[str, Case] = {}
    for question_id, condition in part:
        if question_id not in about:
            about[question_id] = case.about(asked[question_id])
        yield about[question_id].prompt(_chunks(about[question_id], condition, order))


def _chunks(case: Case, condition: Condition, order: Order) -> tuple[str, ...]:
    if condition != "planted" and condition != "ordered":
        return case.texts(condition)
    first, *others = case.texts("right")
    if condition == "ordered":
        return (injected(first, order.text), *others)
    assert case.question is not None  # `_held` has left out the others
    return (case.question.falsified(first), *others)


def _outcomes(
    case: Case,
    part: Sequence[Asked],
    prompts: Sequence[Grounded],
    asked: Mapping[str, Question],
    order: Order,
) -> Iterator[tuple[Asked, Outcome]]:
    with closing(write(case.context, prompts)) as steps:
        for place, answer in steps:
            if answer.finish is not None:
                question = asked[part[place][0]]
                yield part[place], Outcome(
                    says(answer.text, question.answers), says(answer.text, (question.planted,)),
                    bool(order.sign) and says(answer.text, (order.sign,)),
                )  # fmt: skip


# ---------------------------------------------------------------- what was found


def _figures(
    found: Mapping[Asked, Outcome], conditions: Sequence[Condition]
) -> dict[str, tuple[str, int, int]]:
    """Figure -> its words, the questions of which it is true, all questions that were asked so."""
    names = way_names() | {"planted": _("False chunk"), "ordered": _("Chunk with an order")}
    figures: dict[str, tuple[str, int, int]] = {}
    for condition in conditions:
        outcomes = [one for (_id, asked_with), one in found.items() if asked_with == condition]
        counts = {"is_right": _("right answer")}
        if condition == "planted":
            counts["is_planted"] = _("what was planted")
        if condition == "ordered" or (condition == "right" and "ordered" in conditions):
            counts["follows"] = _("the word of the order")
        for name, words in counts.items():
            n_true = sum(getattr(one, name) for one in outcomes)
            figures[f"{condition}_{name}"] = (f"{names[condition]}: {words}", n_true, len(outcomes))
    return figures


def _table(found: Mapping[Asked, Outcome], conditions: Sequence[Condition]) -> pd.DataFrame:
    figures = _figures(found, conditions)
    return frames.outcomes({key: one for key, one in figures.items() if one[2]})


def _note(case: Case, found: Mapping[Asked, Outcome]) -> None:
    """Take down the right answers with the right chunks, and those with none."""
    right, closed = (
        [one.is_right for (_id, condition), one in found.items() if condition == wanted]
        for wanted in ("right", "closed")
    )
    if right:
        before = sum(closed) / len(closed) if closed else None
        findings.note("answers", case.context.model.model_id, sum(right) / len(right), len(right), before)


def _picture_of(table: pd.DataFrame, key: str, n_questions: int) -> None:
    alt = _("Share of questions, with 95 % intervals")
    show.show_chart(_picture(state.language(), len(table)), f"ret_measured_{key}", alt, data=table)
    st.markdown("  \n".join(_told(row, n_questions) for row in table.itertuples()))


def _told(row: Any, n_questions: int) -> str:  # noqa: ANN401  (a row of pandas)
    told = _("{figure}: {n_true} of {n} ({share}, 95 % interval {low} to {high}).")
    said = told.format(
        figure=row.figure, n_true=row.n_true, n=row.n, share=share(row.share), low=share(row.low),
        high=share(row.high),
    )  # fmt: skip
    return said if row.n == n_questions else f"{said} {_('Not all questions have been asked yet.')}"


def _under(
    case: Case, found: Mapping[Asked, Outcome], conditions: Sequence[Condition], key: str, order: Order
) -> None:
    show.source(case.context.model, case.current.model, _("greedy: always the most probable token"))
    questions = {one.question_id: one for one in shipped.questions(case.name, case.language)}
    rows = [
        (questions[question_id].text, questions[question_id].answers[0], condition, one.is_right,
         one.is_planted, one.follows)
        for (question_id, condition), one in found.items()
    ]  # fmt: skip
    columns = ["question", "answer", "asked_with", "is_right", "is_planted", "follows"]
    code = partial(_code, case, conditions, order)
    show.under_picture(
        f"measured_answers_{key}", frame=partial(pd.DataFrame, rows, columns=columns), code=code,
        picture=f"ret_measured_{key}",
    )  # fmt: skip


def _code(case: Case, conditions: Sequence[Condition], order: Order) -> str:
    """The script with every prompt, made when somebody asks for it."""
    questions, _n_cut = _held(case)
    asked = {one.question_id: one for one in questions}
    wanted = [(one.question_id, condition) for one in questions for condition in conditions]
    prompts = _prompts(case, wanted, asked, order)
    rows = [
        (condition, list(prompt.tokens.input_ids), list(asked[question_id].answers),
         asked[question_id].planted, order.sign)
        for (question_id, condition), prompt in zip(wanted, prompts, strict=True)
    ]  # fmt: skip
    model = case.context.model
    return show.code(
        "measured_answers", folder=show.model_folder(model.model_id), rows=rows, n_new=N_NEW,
        stops_at_line="chat_template" not in model.capabilities,
    )  # fmt: skip


@lru_cache
def _picture(language: str, n_rows: int) -> dict[str, Any]:
    """The constant part of the picture; `language` is the session's."""
    words = {
        "figure": _("Answer"), "share": _("Share of questions"), "n_true": _("Questions it is true of"),
        "n": _("Questions asked"), "low": _("95 % interval from"), "high": _("to"),
    }  # fmt: skip
    return charts.shares(words, n_rows=n_rows)

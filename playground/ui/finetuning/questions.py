"""Memorised or understood? Questions asked word for word as trained, and in other words."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from playground.charts import finetuning as charts
from playground.core.tables import finetuning as frames
from playground.core.tables import training as frames_training
from playground.engine.contract.scores import Scores
from playground.ui import findings, show, stepwise
from playground.ui.finetuning.picking import pick
from playground.ui.finetuning.sets import ChoiceQuestion, ReadSet
from playground.ui.panels import Later
from playground.ui.prompted import context_of, prompt_ids
from playground.ui.state import PageContext
from playground.ui.text import _

KEY = "fin_answers"
CHUNK = 8  # questions scored together


@dataclass
class ChoiceAnswers:
    """The candidates that won, before and after.

    Attributes:
        asked: Adapter and set.
        questions: All of them.
        given: "before" and "after" -> place of the winning candidate of each question, 0 = the right one.
    """

    asked: tuple[str, str]
    questions: tuple[ChoiceQuestion, ...]
    given: dict[str, list[int]] = field(default_factory=dict)

    def rows(self) -> list[tuple[str, str, int, int]]:
        """(kind, when, right answers, questions) of what is answered so far."""
        found = []
        for kind in ("memorised", "generalised"):
            for when, places in self.given.items():
                mine = [place for place, one in zip(places, self.questions, strict=False) if one.kind == kind]
                found.append((kind, when, mine.count(0), len(mine)))
        return found

    def table(self) -> list[tuple[str, str, str, str, str]]:
        """(question, right answer, kind, answer before, answer after) of each question."""
        made = []
        for place, one in enumerate(self.questions):
            options = (one.answer, *one.others)
            said = [
                options[given[place]] if place < len(given) else ""
                for given in (self.given.get("before", []), self.given.get("after", []))
            ]
            made.append((one.text, one.answer, one.kind, said[0], said[1]))
        return made


def panel(context: PageContext, data: ReadSet | None) -> Later | None:
    """Draw the scores; give what scores, to be called once the page is drawn."""
    st.markdown(f"## {_('Has it learned facts, or sentences?')}")
    adapter = pick(context, "fin_asked")
    if adapter is None:
        return None
    if data is None or not data.questions:
        st.info(_("This data set has no questions: take *An invented country* or *Sentiment labels*."))
        return None
    told = _(
        "Every question comes with its right answer and wrong ones; the answer that the model finds most "
        "probable per token counts. Memorised questions stand among the rows word for word, the others "
        "ask the same in other words, or something of the same kind."
    )
    st.caption(told)
    with st.container(horizontal=True):
        start = st.button(
            _("Ask all {n} questions").format(n=len(data.questions)), type="primary", key="fin_ask",
            icon=":material/quiz:",
        )  # fmt: skip
        st.button(_("Stop"), key="fin_ask_stop", icon=":material/stop:", disabled=not start)
    asked = (adapter.model_id, f"{data.data.id}.{context.language}")
    known: ChoiceAnswers | None = st.session_state.get(KEY)
    answers = known if known is not None and known.asked == asked else ChoiceAnswers(asked, data.questions)
    with st.container(key="fin_scores_picture"):
        place = st.empty()
    if start:
        return partial(_ask, context, adapter.base_id, ChoiceAnswers(asked, data.questions), place)
    if answers.given:
        _draw(place, answers)
        _say(answers)
        show.source(context_of(context, adapter.model_id).model)
        _under(answers, adapter.base_id, adapter.model_id)
    return None


def _ask(context: PageContext, base_id: str, answers: ChoiceAnswers, place: Any) -> None:  # noqa: ANN401
    st.session_state[KEY] = answers
    prompts = [prompt_ids(base_id, one.text) for one in answers.questions]
    candidates = [(one.answer, *one.others) for one in answers.questions]
    for when, model in (("before", base_id), ("after", answers.asked[0])):
        answers.given[when] = []
        for first in range(0, len(prompts), CHUNK):
            part = slice(first, first + CHUNK)
            asked = stepwise.scores(
                context_of(context, model), prompts[part], candidates[part], topic="fin_questions"
            )
            with closing(asked):
                found = [winner(scores) for _place, scores in asked]
            answers.given[when] += found
            _draw(place, answers)
            if len(found) < len(prompts[part]):
                return
    st.rerun()


def winner(scores: Scores) -> int:
    """Place of the candidate with the largest mean log-probability a token."""
    means = [total / len(ids) for total, ids in zip(scores.logprobs, scores.input_ids, strict=True)]
    return int(np.argmax(means))


def chance(questions: tuple[ChoiceQuestion, ...]) -> float:
    """Accuracy of guessing."""
    return sum(1 / (1 + len(one.others)) for one in questions) / len(questions)


def _draw(place: Any, answers: ChoiceAnswers) -> None:  # noqa: ANN401
    words = {
        "memorised": _("memorised"), "generalised": _("in other words"), "before": _("before"),
        "after": _("after"), "accuracy": _("Right answers"), "low": _("95 % interval from"), "high": _("to"),
        "n": _("Questions"), "chance": _("guessing"),
    }  # fmt: skip
    spec = charts.score_bars(words, chance(answers.questions))
    place.vega_lite_chart(
        frames.question_scores(answers.rows()), spec,
        alt=_("Share of right answers before and after training, with 95 % intervals"),
    )  # fmt: skip


def _say(answers: ChoiceAnswers) -> None:
    found = {(kind, when): (right, n) for kind, when, right, n in answers.rows()}
    if not all(found.get((kind, "after"), (0, 0))[1] for kind in ("memorised", "generalised")):
        return
    told = _(
        "After training {a} of {m} memorised questions are right (before: {b}), and {c} of {n} in other "
        "words "
        "(before: {d})."
    )
    right, n = found["generalised", "after"]
    findings.note("adapter", answers.asked[0], right / n, n, found["generalised", "before"][0] / n)
    st.markdown(
        told.format(
            a=found["memorised", "after"][0], m=found["memorised", "after"][1],
            b=found["memorised", "before"][0],
            c=found["generalised", "after"][0], n=found["generalised", "after"][1],
            d=found["generalised", "before"][0],
        )
    )  # fmt: skip


def _under(answers: ChoiceAnswers, base_id: str, model_id: str) -> None:
    show.under_picture(
        "fin_questions",
        frame=lambda: frames_training.answers(answers.table()),
        code=lambda: show.code(
            "questions", folder=show.model_folder(model_id),
            prompts=[list(prompt_ids(base_id, one.text)) for one in answers.questions],
            candidates=[[one.answer, *one.others] for one in answers.questions],
        ),
        picture="fin_scores_picture",
    )  # fmt: skip

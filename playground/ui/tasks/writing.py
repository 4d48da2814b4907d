"""Translation and summaries: written by the model behind a prompt, scored by the metrics of the field."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Literal

import pandas as pd
import streamlit as st

from playground.core.jobs.items import WritingItem
from playground.core.jobs.prompts import LANGUAGES as PROMPTED
from playground.core.jobs.questions import sentence_spans
from playground.core.jobs.scoring import (
    Figure,
    summary_figures,
    summary_score,
    translation_figures,
    translation_score,
)
from playground.core.tables import tasks as frames
from playground.engine.contract.models import ModelInfo
from playground.ui import show
from playground.ui.choose import choose
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.tasks import chosen, figures
from playground.ui.tasks.measured import Buttons, Measurement, complete, measurement, of_model
from playground.ui.tasks.sets import OWN, choose_language, writing
from playground.ui.tasks.steps import Step, all_of, answer_line, say_left_out
from playground.ui.tasks.writer import N_TOKENS, asked, fitting, shots, write, writer
from playground.ui.text import N_, _, plain

Job = Literal["translation", "summarization"]
OWN_LABELS = {
    "translation": N_("Your own sentence, to be translated"),
    "summarization": N_("Your own text, to be summarised"),
}
BASELINES = {
    "translation": N_("the text itself, copied"),
    "summarization": N_("the first sentence"),
}  # See et al. 2017, "Get To The Point", section 5: the lead of an article is hard to beat
N_FAR = 10


@dataclass(frozen=True, slots=True)
class Work:
    """A job in one language by one model.

    Attributes:
        job: Its kind.
        language: Code of the language of the texts.
        context: With the model that writes.
    """

    job: Job
    language: str
    context: PageContext

    @property
    def items(self) -> tuple[WritingItem, ...]:
        """The held-out items."""
        return tuple(
            one for one in writing(self.job, "held_out", self.language) if isinstance(one, WritingItem)
        )

    @property
    def places(self) -> tuple[int, ...]:
        """Numbers of the items that the model can answer."""
        return fitting(self.model, self.job, self.language)

    @property
    def target(self) -> str:
        """Code of the language of the answers."""
        return self.items[0].target

    @property
    def model(self) -> ModelInfo:
        """The model that writes."""
        return self.context.model

    @property
    def found(self) -> Measurement[str]:
        """The measurement of the set."""
        return measurement(self.job, self.language, *of_model(self.model))

    def own(self, text: str) -> WritingItem:
        """The reader's text as an item; it has no right answer."""
        return WritingItem(self.language, "held_out", text, self.target, ())

    def asked(self, item: WritingItem) -> str:
        """The text that the model reads."""
        return asked(self.model, self.job, item, self.language)

    def score(self, answer: str, references: Sequence[str]) -> float:
        """The score of one answer, 0 to 100."""
        if self.job == "translation":
            return translation_score(answer, references)
        return summary_score(answer, references, self.language)

    def figures(self, answers: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[Figure, ...]:
        """The figures of many answers."""
        if self.job == "translation":
            return translation_figures(answers, references, self.target)
        return summary_figures(answers, references, self.language)

    def copied(self, item: WritingItem) -> str:
        """The baseline's answer."""
        if self.job == "translation":
            return item.text
        start, end = sentence_spans(item.text)[0]
        return item.text[start:end]


def panel(job: Job, context: PageContext) -> Later | None:
    """Draw the job; what writes and measures once the page is drawn."""
    player = writer(context, job)
    if player is None:
        return None
    language = choose_language(context)
    work = Work(job, language, player)
    height = None if job == "translation" else 120
    text = chosen.own_text(f"tsk_own_{job}", _(OWN_LABELS[job]), OWN[job][language], height=height)
    later = [_answer(work, work.own(text), _("The model writes:"))]
    _say_prompt(work, work.own(text))
    buttons = Buttons(f"tsk_{job}", len(work.found.answers), len(work.places))
    say_left_out(len(work.items) - len(work.places))
    place = st.empty()
    if work.found.answers:
        _draw(work)
        later.append(_errors(work))
    else:
        told = _("The set has {n} held-out texts. Press *Measure*: the model writes an answer to each.")
        st.caption(told.format(n=len(work.items)))
    if buttons.wanted:
        later.append(partial(_measure, work, buttons, place))
    return all_of(later)


def _answer(work: Work, item: WritingItem, words: str) -> Step | None:
    """Draw the answer to a text; what writes it where it is not known."""
    return answer_line(work.context, work.job, work.asked(item), words, st.empty())[0]


def _say_prompt(work: Work, item: WritingItem) -> None:
    n = len(shots(work.model, work.job, work.language))
    told = _("What the model reads (examples in the prompt: {n})").format(n=n)
    with st.expander(told):
        st.code(work.asked(item), language=None, wrap_lines=True)


def _measure(work: Work, buttons: Buttons, place: Any) -> bool:  # noqa: ANN401
    """Have the set answered; a click ends it, what is answered stays."""
    items, found = work.items, work.found

    def ask(missing: Sequence[int]) -> Generator[tuple[int, str]]:
        for at, answer in write(work.context, work.job, [work.asked(items[number]) for number in missing]):
            yield missing[at], answer

    with place.container():
        words = _("{done} of {total} texts answered")
        told = words.format(done=len(found.answers), total=len(work.places))
        bar = Progress(
            f"{work.job} {work.language}", work.model.model_id, len(work.places), told, len(found.answers)
        )
        if complete(found, work.places, bar, words, ask):
            buttons.done()
    return True


# ---------------------------------------------------------------- what was measured


@lru_cache(maxsize=32)
def _scored(
    job: Job, language: str, target: str, answers: tuple[tuple[str, tuple[str, ...]], ...]
) -> tuple[Figure, ...]:
    given, references = [one for one, _refs in answers], [refs for _one, refs in answers]
    if job == "translation":
        return translation_figures(given, references, target)
    return summary_figures(given, references, language)


def _answers(work: Work) -> dict[int, str]:
    return dict(sorted(work.found.answers.items()))


def _draw(work: Work) -> None:
    items, answers = work.items, _answers(work)
    mine = tuple((answer, items[at].references) for at, answer in answers.items())
    copied = tuple((work.copied(items[at]), items[at].references) for at in answers)
    model, lead = (_scored(work.job, work.language, work.target, each) for each in (mine, copied))
    names = {"model": plain(work.model.name), "baseline": _(BASELINES[work.job])}
    key = f"tsk_figures_{work.job}"
    figures.draw({"model": model, "baseline": lead}, names, work.context.language, key)
    told = _("{n} of {total} texts answered: {figures}. The baseline, {baseline}: {others}.")
    said = told.format(
        n=len(answers), total=len(items), figures=", ".join(map(figures.said, model)),
        baseline=_(BASELINES[work.job]), others=figures.said(lead[-1]),
    )  # fmt: skip
    st.markdown(f"{said} {figures.compared(model[-1], lead[-1])} {_verdict(work, model, lead)}")
    show.source(work.model, f"{work.found.seconds:.1f} s")
    table = _table(work)
    show.under_picture(f"tasks_{work.job}", frame=table, code=partial(_code, work), picture=key)


def _verdict(work: Work, model: Sequence[Figure], lead: Sequence[Figure]) -> str:
    """A plain word on what the figures mean for this job."""
    if model[-1].low > lead[-1].high:
        return _("Read some answers below before you trust the number.")
    if work.job == "translation":
        return _("A translator this is not: copying the text scores as well.")
    return _("Taking the first sentence does the job as well, without a model.")


def _table(work: Work) -> pd.DataFrame:
    items, answers = work.items, _answers(work)
    scores = [work.score(answer, items[at].references) for at, answer in answers.items()]
    return frames.written(
        [items[at].text for at in answers],
        [items[at].references for at in answers],
        list(answers.values()),
        scores,
    )


def _errors(work: Work) -> Step | None:
    """The worst or the best answers, one of them to edit; what writes the new answer."""
    names = {"worst": _("The worst answers"), "best": _("The best answers")}
    which = choose("tsk_ends", names, _("Which answers"))
    items, answers = work.items, _answers(work)
    scores = {at: work.score(answer, items[at].references) for at, answer in answers.items()}
    ordered = sorted(scores, key=lambda at: (scores[at], at), reverse=which == "best")[:N_FAR]
    texts = {
        chosen.item_id(items[at]): (f"{scores[at]:.0f} · {items[at].text}", items[at].text) for at in ordered
    }
    metric = "chrF" if work.job == "translation" else "ROUGE-L"
    picked = chosen.pick_item(texts, _("Choose a text (before it, its {metric}):").format(metric=metric))
    if picked is None:
        return None
    at = next(number for number in ordered if chosen.item_id(items[number]) == picked)
    item = items[at]
    st.markdown(
        _("Right answer: {text}").format(text=" / ".join(f"**{plain(one)}**" for one in item.references))
    )
    st.markdown(_("The model wrote: {text}").format(text=f"**{plain(answers[at]) or '…'}**"))
    text = chosen.edited(item.text)
    if text == item.text:
        return None
    return _answer(work, work.own(text), _("After your edit it writes:"))


def _code(work: Work) -> str:
    answers = _answers(work)
    rows = [(work.asked(work.items[at]), list(work.items[at].references)) for at in answers]
    return show.code(
        "tasks_writing",
        folder=show.model_folder(work.model.model_id),
        job=work.job,
        language=PROMPTED[work.target],
        n_tokens=N_TOKENS[work.job],
        test=rows,
    )

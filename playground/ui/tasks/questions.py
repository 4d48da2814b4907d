"""Questions about a text: the nearest sentence by an encoder, an answer by a decoder behind a prompt."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import pandas as pd
import streamlit as st

from playground.core.jobs.items import QuestionItem
from playground.core.jobs.questions import holds_answer, sentence_spans
from playground.core.jobs.scoring import Figure, answer_figures, answer_score, share_figure
from playground.core.tables import tasks as frames
from playground.ui import show
from playground.ui.choose import choose
from playground.ui.components.tagged_text import Mark, View, tagged_text
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.tasks import chosen, figures, nearest_sentence
from playground.ui.tasks.measured import Buttons, Measurement, complete, measurement, of_model
from playground.ui.tasks.sets import choose_language, writing
from playground.ui.tasks.steps import Step, all_of, answer_line, say_left_out
from playground.ui.tasks.writer import N_TOKENS, asked, fitting, shots, write, writer
from playground.ui.text import N_, _, plain, strong

SENTENCE, ANSWER = "S", "A"
KINDS = {
    SENTENCE: N_("the sentence nearest to the question"),
    ANSWER: N_("the decoder's answer, where it stands"),
}
N_FAR = 10


@dataclass(frozen=True, slots=True)
class Both:
    """The two models that answer, in one language.

    Attributes:
        language: Code of the language of the set.
        encoder, decoder: The context with each.
    """

    language: str
    encoder: PageContext
    decoder: PageContext

    @property
    def items(self) -> tuple[QuestionItem, ...]:
        """The held-out questions."""
        return questions(self.language)

    @property
    def places(self) -> tuple[int, ...]:
        """Numbers of the questions that the decoder can answer."""
        return fitting(self.decoder.model, "qa", self.language)

    @property
    def sentences(self) -> Measurement[int]:
        """Number of the sentence that the encoder chose for each question."""
        return nearest_sentence.found(self.encoder, self.language)

    @property
    def answers(self) -> Measurement[str]:
        """The decoder's answers."""
        return measurement("qa", self.language, *of_model(self.decoder.model))

    def asked(self, item: QuestionItem) -> str:
        """The text that the decoder reads."""
        return asked(self.decoder.model, "qa", item, self.language)


@lru_cache
def questions(language: str) -> tuple[QuestionItem, ...]:
    """The held-out questions of a language."""
    return tuple(one for one in writing("qa", "held_out", language) if isinstance(one, QuestionItem))


def panel(context: PageContext) -> Later | None:
    """Draw the job; what answers and measures once the page is drawn."""
    language = choose_language(context)
    example = writing("qa", "train", language)[-1]  # the first ones stand in the prompt
    assert isinstance(example, QuestionItem)
    encoder = nearest_sentence.reader(context, example)
    decoder = writer(context, "qa") if encoder else None
    if encoder is None or decoder is None:
        return None
    both = Both(language, encoder, decoder)
    text = chosen.own_text("tsk_own_qa", _("Your own text"), example.context, height=100)
    question = chosen.own_text("tsk_own_question", _("Your question about it"), example.question)
    later = [_answer(both, QuestionItem(language, "held_out", text, question, ()), "tsk_own_answer")]
    n = len(shots(decoder.model, "qa", language))
    with st.expander(_("What the model reads (examples in the prompt: {n})").format(n=n)):
        st.code(
            both.asked(QuestionItem(language, "held_out", text, question, ())), language=None, wrap_lines=True
        )
    buttons = Buttons("tsk_qa", len(both.answers.answers), len(both.places))
    say_left_out(len(both.items) - len(both.places))
    place = st.empty()
    if len(both.sentences.answers) < len(both.items):
        later.append(partial(nearest_sentence.measure, encoder, language, place))
    else:
        _draw(both)
        later.append(_errors(both))
    if buttons.wanted:
        later.append(partial(_measure, both, buttons, place))
    return all_of(later)


def _answer(both: Both, item: QuestionItem, key: str) -> Step | None:
    """Draw both answers to a question; what writes the decoder's where it is not known."""
    ((_place, number),) = nearest_sentence.choose(both.encoder, [item])
    start, end = sentence_spans(item.context)[number]
    marks, line = st.empty(), st.empty()

    def draw(answer: str) -> None:
        views = [View(_("Encoder"), [Mark(start, end, SENTENCE)])]
        at = item.context.find(answer) if answer else -1
        views.append(View(_("Decoder"), [Mark(at, at + len(answer), ANSWER)] if at >= 0 else []))
        with marks.container():
            tagged_text(item.context, views, {kind: _(words) for kind, words in KINDS.items()}, key=key)

    later, answer = answer_line(both.decoder, "qa", both.asked(item), _("The decoder answers:"), line)
    draw(answer)
    return later


def _measure(both: Both, buttons: Buttons, place: Any) -> bool:  # noqa: ANN401
    """Have all questions answered; a click ends it, what is answered stays."""
    items, found = both.items, both.answers

    def ask(missing: Sequence[int]) -> Generator[tuple[int, str]]:
        for at, answer in write(both.decoder, "qa", [both.asked(items[number]) for number in missing]):
            yield missing[at], answer

    with place.container():
        words = _("{done} of {total} texts answered")
        told = words.format(done=len(found.answers), total=len(both.places))
        bar = Progress(
            f"qa {both.language}", both.decoder.model.model_id, len(both.places), told, len(found.answers)
        )
        if complete(found, both.places, bar, words, ask):
            buttons.done()
    return True


# ---------------------------------------------------------------- what was measured


def right_sentences(language: str, numbers: Sequence[int]) -> list[bool]:
    """True for each question whose chosen sentence holds an answer."""
    return [
        holds_answer(item, sentence_spans(item.context)[number])
        for item, number in zip(questions(language), numbers, strict=True)
    ]


def guessed(language: str) -> float:
    """Per cent of the questions whose sentence is found by guessing: the mean of 1 / sentences."""
    counts = [len(sentence_spans(item.context)) for item in questions(language)]
    return 100 * sum(1 / n for n in counts) / len(counts)


def _draw(both: Both) -> None:
    items, answers = both.items, dict(sorted(both.answers.answers.items()))
    numbers = [both.sentences.answers[at] for at in range(len(items))]
    hits = right_sentences(both.language, numbers)
    sentence = share_figure("sentence", hits)
    chance = guessed(both.language)
    of: dict[str, tuple[Figure, ...]] = {"encoder": (sentence,)}
    names = {"encoder": plain(both.encoder.model.name), "model": plain(both.decoder.model.name)}
    told = _(
        "The nearest sentence holds the answer to {n} of {total} questions: {figure}; guessing: {chance:.0f}."
    )
    said = told.format(n=sum(hits), total=len(items), figure=figures.said(sentence), chance=chance)
    if sentence.includes(chance):
        said += " " + _("The interval includes guessing: this could be chance.")
    if answers:
        model = _scored(both.language, tuple((answer, items[at].answers) for at, answer in answers.items()))
        of["model"] = model
        told = _("Questions that the decoder has answered: {n}, with {figures}.")
        said += " " + told.format(n=len(answers), figures=", ".join(map(figures.said, model)))
        inside = sum(bool(answer) and answer in items[at].context for at, answer in answers.items())
        told = _("Word for word in the text stand {n} of its answers; what it adds is its own.")
        said += " " + told.format(n=inside)
    figures.draw(of, names, both.decoder.language, "tsk_figures_qa")
    st.markdown(said)
    show.source(both.encoder.model, f"{both.sentences.seconds:.1f} s")
    if answers:
        show.source(both.decoder.model, f"{both.answers.seconds:.1f} s")
    show.under_picture(
        "tasks_questions",
        frame=partial(_table, both, hits),
        code=partial(_code, both),
        picture="tsk_figures_qa",
    )


@lru_cache(maxsize=32)
def _scored(language: str, answers: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[Figure, ...]:
    return answer_figures([one for one, _right in answers], [right for _one, right in answers], language)


def _table(both: Both, hits: Sequence[bool]) -> pd.DataFrame:
    items, answers = both.items, both.answers.answers
    given = [answers.get(at, "") for at in range(len(items))]
    scores = [answer_score(one, item.answers, both.language) for one, item in zip(given, items, strict=True)]
    table = frames.written([one.question for one in items], [one.answers for one in items], given, scores)
    return table.assign(sentence=list(hits))


def _errors(both: Both) -> Step | None:
    """The questions that one of both missed, or all; the chosen one can be edited."""
    items, answers = both.items, both.answers.answers
    hits = right_sentences(both.language, [both.sentences.answers[at] for at in range(len(items))])
    scores = {at: answer_score(answer, items[at].answers, both.language) for at, answer in answers.items()}
    names = {"sentence": _("Wrong sentence"), "worst": _("The worst answers"), "best": _("The best answers")}
    which = choose("tsk_ends", names, _("Which questions"))
    if which == "sentence":
        mine = [at for at, hit in enumerate(hits) if not hit]
    else:
        mine = sorted(scores, key=lambda at: (scores[at], at), reverse=which == "best")
    texts = {}
    for at in mine[:N_FAR]:
        score = f"{scores[at]:.0f} · " if which != "sentence" else ""
        texts[chosen.item_id(items[at])] = (score + items[at].question, items[at].question)
    if not texts:
        st.caption(_("There is none."))
        return None
    picked = chosen.pick_item(texts, _("Choose a question:"))
    if picked is None:
        return None
    item = next(one for one in items if chosen.item_id(one) == picked)
    right = " / ".join(map(strong, item.answers))
    st.markdown(_("Right answer: {text}").format(text=right))
    question = chosen.edited(item.question)
    return _answer(
        both, QuestionItem(item.language, "held_out", item.context, question, ()), "tsk_edit_answer"
    )


def _code(both: Both) -> str:
    rows = [
        (
            one.question,
            [one.context[a:b] for a, b in sentence_spans(one.context)],
            list(one.answers),
            both.asked(one),
        )
        for one in both.items
    ]
    encoder, decoder = both.encoder.model, both.decoder.model
    return show.code(
        "tasks_questions",
        encoder_folder=show.model_folder(encoder.model_id),
        before_question=encoder.prefixes.query,
        before_sentence=encoder.prefixes.text,
        decoder_folder=show.model_folder(decoder.model_id) if both.answers.answers else "",
        n_tokens=N_TOKENS["qa"],
        korean=both.language == "ko",
        test=rows,
    )

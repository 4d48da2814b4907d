"""The sentence of a text that is nearest to a question, by an encoder's sentence vectors."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from playground.core.jobs.items import QuestionItem
from playground.core.jobs.questions import nearest, sentence_spans
from playground.core.sentences import sentence_vector
from playground.core.trace import Trace
from playground.ui import compute
from playground.ui.progress import Progress
from playground.ui.roles import player
from playground.ui.state import PageContext
from playground.ui.tasks.measured import Measurement, complete, measurement, of_model
from playground.ui.tasks.sets import writing
from playground.ui.text import _
from playground.ui.waiting import stop_with

N_TOGETHER = 8  # questions


def reader(context: PageContext, item: QuestionItem) -> PageContext | None:
    """The context with an encoder that reads the item's language; None while it is not in memory."""
    return player(replace(context, text=item.context), "encoder")


def found(context: PageContext, language: str) -> Measurement[int]:
    """The measurement of a set: the number of the sentence that the encoder chose for each question."""
    return measurement("sentence", language, *of_model(context.model))


def choose(context: PageContext, items: Sequence[QuestionItem]) -> Generator[tuple[int, int]]:
    """(place in `items`, number of the nearest sentence), some questions at a time.

    Args:
        context: With the encoder.
        items: Questions, each with its text.
    """
    model = context.model
    for start in range(0, len(items), N_TOGETHER):
        some = items[start : start + N_TOGETHER]
        spans = [sentence_spans(item.context) for item in some]
        texts = [
            text
            for item, each in zip(some, spans, strict=True)
            for text in (
                model.prefixes.query + item.question,
                *(model.prefixes.text + item.context[a:b] for a, b in each),
            )
        ]
        vectors: dict[int, Any] = {}
        reads = compute.traces(
            context, model.model_id, texts, hidden_states=(model.n_layer,), max_tokens=model.max_seq_length
        )
        for place, read in reads:
            if not isinstance(read, Trace):
                stop_with(read)
            vectors[place] = sentence_vector(read)
        at = 0
        for row, each in enumerate(spans):
            passages = np.stack([vectors[at + 1 + number] for number in range(len(each))])
            yield start + row, nearest(vectors[at], passages)[0]
            at += 1 + len(each)


def measure(context: PageContext, language: str, place: Any) -> bool:  # noqa: ANN401  (Streamlit's container)
    """Choose a sentence for every question of the set; True once there is something new."""
    items = [one for one in writing("qa", "held_out", language) if isinstance(one, QuestionItem)]
    known = found(context, language)

    def ask(missing: Sequence[int]) -> Generator[tuple[int, int]]:
        for at, number in choose(context, [items[one] for one in missing]):
            yield missing[at], number

    with place.container():
        words = _("{done} of {total} questions read")
        told = words.format(done=len(known.answers), total=len(items))
        bar = Progress("sentences", context.model.model_id, len(items), told, len(known.answers))
        return complete(known, range(len(items)), bar, words, ask)

"""Asking the model about labels: log-probabilities in, shares of 1 out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.core.few_shot import CONTENT_FREE, Example, calibrated, label_probabilities
from playground.engine.contract.scores import Scores
from playground.ui import stepwise
from playground.ui.prompting.prompt import Prompt

Probs = NDArray[np.float64]
Asked = tuple[Sequence[Example], str, tuple[str, ...]]  # examples, query, the labels that are compared


@dataclass(frozen=True)
class Answer:
    """The model's answer to the query.

    Attributes:
        shots: Probability of each option with the examples.
        none: Probabilities without any.
        scores, none_scores: Scores that they come from.
        uncalibrated: `shots` before the calibration by queries without content.
    """

    shots: Probs
    none: Probs
    scores: Scores
    none_scores: Scores
    uncalibrated: Probs


def answer(prompt: Prompt) -> Answer:
    """Ask with the examples and without."""
    (none, none_scores), (shots, scores) = answers(prompt, [(), prompt.demos], "answer")
    return Answer(shots, none, scores, none_scores, shares(prompt, [scores]))


def answers(prompt: Prompt, many: Sequence[Sequence[Example]], topic: str) -> list[tuple[Probs, Scores]]:
    """Ask the query under several lists of examples; each calibrated by queries without content, if wanted.

    Args:
        prompt: Everything else about the prompt.
        many: Lists of examples.
        topic: Topic of the request.

    Returns:
        For each list the probability of each option, and the scores of the query itself.
    """
    queries = [prompt.query.text, *(CONTENT_FREE if prompt.is_calibrated else ())]
    asked = [(demos, query, prompt.options) for demos in many for query in queries]
    steps = _scores(prompt, asked, topic, ends_at_click=False)
    found = [scores for _place, scores in steps]
    n = len(queries)
    return [(shares(prompt, found[at : at + n]), found[at]) for at in range(0, len(found), n)]


def shares(prompt: Prompt, found: Sequence[Scores]) -> Probs:
    """Probability of each option; `found` begins with the query's, those without content follow."""
    probs = [label_probabilities(one.logprobs, lengths(one), by_length=prompt.by_length) for one in found]
    return calibrated(probs[0], probs[1:]) if probs[1:] else probs[0]


def lengths(scores: Scores) -> list[int]:
    """Tokens of each candidate."""
    return [len(ids) for ids in scores.input_ids]


def answered(
    prompt: Prompt, many: Sequence[Sequence[Example]], items: Sequence[Example], topic: str
) -> Generator[tuple[int, int, bool]]:
    """Ask all items under several lists of examples, until the reader does something else.

    Args:
        prompt: Everything else about the prompt.
        many: Lists of examples.
        items: The queries, each with its label.
        topic: Topic of the request.

    Yields:
        Which list, which item, whether the most probable option is its label.
    """
    options_of = prompt.task.options
    asked: list[tuple[int, int, str, tuple[str, ...]]] = []  # list, item (-1: no content), query, options
    for place in range(len(many)):
        for options in dict.fromkeys(map(options_of, items)) if prompt.is_calibrated else ():
            asked += [(place, -1, query, options) for query in CONTENT_FREE]
        asked += [(place, at, one.text, options_of(one)) for at, one in enumerate(items)]
    free: dict[tuple[int, tuple[str, ...]], list[Scores]] = {}
    steps = _scores(prompt, [(many[place], query, options) for place, _at, query, options in asked], topic)
    with closing(steps):
        for number, scores in steps:
            place, at, _query, options = asked[number]
            if at < 0:
                free.setdefault((place, options), []).append(scores)
                continue
            best = int(np.argmax(shares(prompt, [scores, *free.get((place, options), [])])))
            yield place, at, options[best] == prompt.task.right(items[at])


def _scores(
    prompt: Prompt, asked: Sequence[Asked], topic: str, *, ends_at_click: bool = True
) -> Generator[tuple[int, Scores]]:
    """The scores of the labels behind each of these prompts."""
    return stepwise.scores(
        prompt.context,
        [prompt.text(demos, query) for demos, query, _options in asked],
        [prompt.candidates(options) for _demos, _query, options in asked],
        following=[prompt.following(options) for _demos, _query, options in asked],
        topic=topic,
        ends_at_click=ends_at_click,
    )

"""GLUE in small: nine sets of our own in the shape of its tasks, how a decoder is asked, and figures.

Source:
    Wang et al. 2018, "GLUE: A Multi-Task Benchmark and Analysis Platform for Natural Language Understanding",
    arXiv:1804.07461: the tasks, their metrics; table 1 and the data cards: sizes of the validation sets.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from playground.core.few_shot import Example, PromptTask, blocks, candidates
from playground.core.labelled_sets import LabelledItem, LabelledSet, read_labelled_set
from playground.core.metrics.classification import classification, matthews
from playground.core.metrics.correlation import spearman
from playground.core.metrics.intervals import N_RESAMPLES, percentile_interval, wilson_interval
from playground.paths import site_root

Answers = tuple[str, ...] | tuple[float, ...]
LANGUAGES = ("en", "ko")
N_SHOTS_A_LABEL = 2
Z_95, Z_80 = 1.959964, 0.841621  # of the normal distribution: 97.5 % and 80 % lie below
_YES_NO = ("no", "yes")
_NLI = "Does the first text show that the second is true?"


@dataclass(frozen=True, slots=True)
class GlueTask:
    """A task of GLUE as a decoder is asked it, in English whatever the language of the texts.

    Attributes:
        name: As in the paper.
        instruction: First line of the prompt.
        names: Word before each text.
        output: Word before the answer.
        words: Word that is scored for each label, in the order of the set's labels; for a number each grade.
        n_validation: Items of the real task's validation set.
    """

    name: str
    instruction: str
    names: tuple[str, ...]
    output: str
    words: tuple[str, ...]
    n_validation: int


TASKS: Mapping[str, GlueTask] = MappingProxyType(
    {
        "cola": GlueTask("CoLA", "Is the sentence correct?", ("Sentence",), "Correct", _YES_NO, 1_043),
        "sst2": GlueTask(
            "SST-2", "Is the review positive or negative?", ("Review",), "Sentiment",
            ("negative", "positive"), 872,
        ),
        "mrpc": GlueTask(
            "MRPC", "Do both sentences say the same?", ("First", "Second"), "Same", _YES_NO, 408
        ),
        "stsb": GlueTask(
            "STS-B", "How similar are both sentences, from 0 (not at all) to 5 (the same)?",
            ("First", "Second"), "Similarity", tuple("012345"), 1_500,
        ),
        "qqp": GlueTask(
            "QQP", "Do both questions ask the same?", ("First", "Second"), "Same", _YES_NO, 40_430
        ),
        "mnli": GlueTask("MNLI", _NLI, ("First", "Second"), "Second is", ("false", "unknown", "true"), 9_815),
        "qnli": GlueTask(
            "QNLI", "Does the sentence answer the question?", ("Question", "Sentence"), "Answers", _YES_NO,
            5_463,
        ),
        "rte": GlueTask("RTE", _NLI, ("First", "Second"), "Shows it", _YES_NO, 277),
        "wnli": GlueTask("WNLI", _NLI, ("First", "Second"), "Shows it", _YES_NO, 71),
    }
)  # fmt: skip

SENTIMENT = "sentiment"  # the reviews of the page Tasks, which a decoder is asked about as those of SST-2
ASKED: Mapping[str, GlueTask] = MappingProxyType({SENTIMENT: TASKS["sst2"], **TASKS})


@lru_cache
def data_of(task: str) -> LabelledSet:
    """The set in the shape of a task.

    Args:
        task: Its id in `ASKED`.
    """
    folder = site_root() / "assets" / "samples"
    own = folder / "jobs" / "classification.json"
    path = own if task == SENTIMENT else folder / "glue" / f"{task}.json"
    return read_labelled_set(path.read_text("utf-8"))


# ---------------------------------------------------------------- what a decoder reads


def prompt(task: str, item: LabelledItem, *, few_shot: bool) -> str:
    """The text whose continuation is scored.

    Args:
        task: Its id.
        item: The item that is asked about.
        few_shot: True to show the first training items of each label in the item's language.
    """
    asked = ASKED[task]
    shown = shots(task, item.language) if few_shot else ()
    frame = PromptTask(asked.instruction, asked.names[0], asked.output, ())
    demos = [Example(_joined(asked, one), word_of(task, one.label)) for one in shown]
    return "".join(block.text for block in blocks(frame, demos, _joined(asked, item), "labelled"))


def shots(task: str, language: str) -> tuple[LabelledItem, ...]:
    """The examples of a few-shot prompt: the first training items of each label, by turns."""
    mine = data_of(task).part("train", [language])
    labels = data_of(task).labels or sorted({item.label for item in mine})
    n_each = N_SHOTS_A_LABEL if data_of(task).labels else 1
    sides = [[item for item in mine if item.label == label][:n_each] for label in labels]
    return tuple(item for turn in zip_longest(*sides) for item in turn if item is not None)


def _joined(asked: GlueTask, item: LabelledItem) -> str:
    """Both texts as one, the second behind its name; few-shot writes the first name itself."""
    rest = zip(asked.names[1:], item.texts[1:], strict=True)
    return "\n".join([item.texts[0], *(f"{name}: {text}" for name, text in rest)])


def word_of(task: str, label: str | float) -> str:
    """The word that stands for a label, or for the nearest grade.

    Example:
        >>> word_of("rte", "entailment"), word_of("stsb", 3.0)
        ('yes', '3')
    """
    if isinstance(label, str):
        return ASKED[task].words[data_of(task).labels.index(label)]
    return ASKED[task].words[round(label)]


def words(task: str) -> tuple[str, ...]:
    """The continuations that are scored.

    Example:
        >>> words("rte")
        (' no', ' yes')
    """
    return candidates(ASKED[task].words, "labelled")


def answer_of(task: str, probs: Sequence[float]) -> str | float:
    """The most probable label; of grades their mean, weighted by their probabilities.

    Args:
        task: Its id.
        probs: Probability of each of `words`, summing to 1.

    Example:
        >>> answer_of("rte", [0.3, 0.7]), answer_of("stsb", [0, 0, 0, 0.5, 0.5, 0])
        ('entailment', 3.5)
    """
    labels = data_of(task).labels
    if labels:
        return labels[int(np.argmax(probs))]
    return float(np.dot(probs, range(len(probs))))


# ---------------------------------------------------------------- figures


@dataclass(frozen=True, slots=True)
class Figure:
    """A task's metric of some answers.

    Attributes:
        value: NaN where it has none: the same number for every pair.
        low, high: Sides of the 95 % interval.
        n: Items.
        n_places: Items that count as different: one in English and its neighbour in Korean are one.
    """

    value: float
    low: float
    high: float
    n: int
    n_places: int

    def against(self, chance: float) -> str:
        """The place of chance: "above" it (the interval lies above), "below", or "undecided"."""
        if self.low > chance:
            return "above"
        return "below" if self.high < chance else "undecided"


def figure(data: LabelledSet, items: Sequence[LabelledItem], answers: Answers, *, seed: int = 0) -> Figure:
    """The metric that GLUE reports for a kind of set, with its 95 % interval.

    Items at the same place of different languages often say the same, so the interval takes them as one:
    accuracy Wilson's and Spearman Fisher's z (Bonett & Wright 2000) with as many items as places; F1 (of the
    set's last label) and Matthews by percentile bootstrap over places.

    Args:
        data: The set.
        items: The items that were answered.
        answers: One an item.
        seed: Of the bootstrap.

    Raises:
        ValueError: No items, or another number of answers.
    """
    right = [item.label for item in items]
    if not right or len(right) != len(answers):
        raise ValueError(f"{len(answers)} answers to {len(right)} items")
    places = places_of(items)
    n, n_places = len(right), int(places.max()) + 1
    if data.metric == "spearman":
        found = spearman(right, answers)
        low, high = _fisher(found.value, n_places)
        return Figure(found.value, low, high, n, n_places)
    counted = classification([str(one) for one in right], [str(one) for one in answers], data.labels)
    if data.metric == "accuracy":
        sides = wilson_interval(counted.accuracy * n_places, n_places)
        return Figure(counted.accuracy, *sides, n, n_places)
    sums = _resampled(data.labels, right, answers, places, seed)
    if data.metric == "matthews":
        return Figure(counted.matthews, *percentile_interval(matthews(*sums)), n, n_places)
    own = next(one.f1 for one in counted.by_label if one.label == data.labels[-1])
    at_right, at_told, hits = (one[:, len(data.labels) - 1] for one in sums)
    either = at_right + at_told
    f1 = np.divide(2 * hits, either, out=np.zeros_like(either), where=either > 0)
    return Figure(own, *percentile_interval(f1), n, n_places)


def places_of(items: Sequence[LabelledItem]) -> NDArray[np.int64]:
    """Place of each item among those of its language. Shape [item].

    Example:
        >>> a, b = data_of("rte").part("held_out", ["en"])[:2]
        >>> places_of([a, b, *data_of("rte").part("held_out", ["ko"])[:1]]).tolist()
        [0, 1, 0]
    """
    seen: Counter[str] = Counter()
    places = []
    for item in items:
        places.append(seen[item.language])
        seen[item.language] += 1
    return np.array(places, dtype=np.int64)


def _fisher(value: float, n: int) -> tuple[float, float]:
    """Sides of Spearman's interval for n items: the metric's own, for as many as count."""
    if n < 4 or math.isnan(value):
        return -1.0, 1.0
    z = math.atanh(min(1 - 1e-12, max(-1 + 1e-12, value)))
    half = Z_95 * math.sqrt((1 + value * value / 2) / (n - 3))
    return math.tanh(z - half), math.tanh(z + half)


def _resampled(
    labels: Sequence[str],
    right: Sequence[str | float],
    answers: Answers,
    places: NDArray[np.int64],
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Items by right label, by told label, and rightly told ones. Shapes [resample, label]."""
    n_places = int(places.max()) + 1
    even = np.full(n_places, 1 / n_places)
    draws = np.random.default_rng(seed).multinomial(n_places, even, size=N_RESAMPLES)
    weights = draws[:, places].astype(np.float64)
    is_right, is_told = (
        np.array([[one == label for label in labels] for one in each]) for each in (right, answers)
    )
    return weights @ is_right, weights @ is_told, weights @ (is_right & is_told)


def chance(data: LabelledSet, items: Sequence[LabelledItem]) -> float:
    """The best figure of an answer that does not look at the texts.

    Of accuracy the share of the commonest label, of F1 that of always telling its label, else 0.

    Example:
        >>> chance(data_of("mnli"), data_of("mnli").part("held_out", ["en"])) == 1 / 3
        True
        >>> round(chance(data_of("mrpc"), data_of("mrpc").part("held_out", ["en"])), 3)
        0.667
    """
    right = [item.label for item in items]
    if data.metric == "accuracy":
        return max(right.count(label) for label in data.labels) / len(right)
    if data.metric == "f1":
        share = right.count(data.labels[-1]) / len(right)
        return 2 * share / (1 + share)
    return 0.0


# ---------------------------------------------------------------- intervals and n


def items_to_tell(worse: float, better: float) -> int:
    """Items that each of two models has to answer so that 8 of 10 such measurements tell them apart.

    Both shares of right answers are compared by the two-sided test of two proportions at 5 %, each model with
    items of its own; on the same items fewer are enough where their mistakes are alike.

    Args:
        worse, better: The true shares of right answers, worse < better.

    Example:
        >>> items_to_tell(0.70, 0.75)
        1251

    Source:
        Fleiss, Levin & Paik 2003, "Statistical Methods for Rates and Proportions", 4.2, without continuity
        correction.
    """
    if not 0 <= worse < better <= 1:
        raise ValueError(f"shares {worse} and {better}")
    mean = (worse + better) / 2
    spread = Z_95 * math.sqrt(2 * mean * (1 - mean))
    spread += Z_80 * math.sqrt(worse * (1 - worse) + better * (1 - better))
    return math.ceil((spread / (better - worse)) ** 2)

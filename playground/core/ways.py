"""One labelled set answered in five ways: an encoder with a head, a decoder with a prompt, an adapter.

frozen   encoder as it is, linear head trained       zero      decoder, labels scored behind a question
whole    encoder's layers trained with the head      few       the same behind a few solved examples
                                                     adapter   the same as zero, a LoRA adapter trained
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import Literal

from playground.core.bag_of_words import bag_of_words
from playground.core.glue import data_of
from playground.core.labelled_sets import LabelledItem
from playground.core.metrics.classification import Classification, classification
from playground.core.voting import sign_test
from playground.paths import site_root

Way = Literal["frozen", "whole", "zero", "few", "adapter"]
WAYS: tuple[Way, ...] = ("frozen", "whole", "zero", "few", "adapter")
OF_ENCODER: tuple[Way, ...] = ("frozen", "whole")
BASELINE = "words"
FOLDER, FILE = "ways", "answers.json"


@dataclass(frozen=True, slots=True)
class WayAnswers:
    """One way's answers to the held-out items of a set, in the order of the set.

    Attributes:
        way: The way.
        task: Id of the set.
        languages: Languages of the items that it learned from and was asked.
        model_id, revision: The model.
        answers: A label of each item.
        seconds: Time for the answers.
        training_s: Time for the training, 0 where nothing was trained.
        n_trained: Numbers that were trained, 0 for none.
    """

    way: Way
    task: str
    languages: tuple[str, ...]
    model_id: str
    revision: str
    answers: tuple[str, ...]
    seconds: float
    training_s: float = 0.0
    n_trained: int = 0

    @property
    def question(self) -> tuple[Way, str, tuple[str, ...], str, str]:
        """All that the answers depend on."""
        return self.way, self.task, self.languages, self.model_id, self.revision


def held_out(task: str, languages: Sequence[str]) -> tuple[LabelledItem, ...]:
    """The items that are asked."""
    return data_of(task).part("held_out", languages)


@lru_cache(maxsize=64)
def baseline(task: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    """The answers of a bag of words, fitted on the same training items."""
    told = bag_of_words(data_of(task).part("train", languages), held_out(task, languages))
    return tuple(map(str, told))


@lru_cache(maxsize=256)
def scored(task: str, languages: tuple[str, ...], answers: tuple[str, ...]) -> Classification:
    """Figures of some answers."""
    return classification(
        [str(one.label) for one in held_out(task, languages)], answers, data_of(task).labels
    )


def right(task: str, languages: Sequence[str], answers: Sequence[str]) -> list[bool]:
    """True for each item that was answered right."""
    items = held_out(task, languages)
    return [one.label == answer for one, answer in zip(items, answers, strict=True)]


def chance(task: str, languages: Sequence[str]) -> float:
    """Accuracy of always giving the label that is commonest among the items that are asked.

    Example:
        >>> chance("rte", ("en",))
        0.5
    """
    labels = [one.label for one in held_out(task, languages)]
    return max(map(labels.count, set(labels))) / len(labels)


def like_chance(of: Mapping[str, Classification], level: float) -> list[str]:
    """Those whose interval includes a level that asks for no model."""
    return [who for who, one in of.items() if one.accuracy_interval[0] <= level <= one.accuracy_interval[1]]


def not_told_apart(of: Mapping[str, Sequence[bool]]) -> list[tuple[str, str]]:
    """Pairs whose right answers differ no more than chance explains, by an exact sign test on the same items.

    The intervals of two ways may overlap and the test tell them apart: it knows that both saw the same items.

    Args:
        of: Who -> whether each item was answered right.

    Example:
        >>> not_told_apart({"a": [True] * 9, "b": [True] * 8 + [False], "c": [False] * 9})
        [('a', 'b')]
    """
    return [(a, b) for a, b in combinations(of, 2) if sign_test(of[a], of[b]) == "unclear"]


def joined(parts: Sequence[WayAnswers], languages: tuple[str, ...]) -> WayAnswers:
    """The answers of a way that knows one language at a time to the items of several.

    Args:
        parts: Its answers in each language.
        languages: All of them.
    """
    first, each = parts[0], {one.languages: iter(one.answers) for one in parts}
    answers = tuple(next(each[item.language,]) for item in held_out(first.task, languages))
    seconds = sum(one.seconds for one in parts)
    return replace(first, languages=languages, answers=answers, seconds=seconds)


# ---- the answers that are shipped


def written(told: Iterable[WayAnswers]) -> str:
    """Answers as the text of a JSON file; labels by their number."""
    rows = []
    for one in told:
        labels = data_of(one.task).labels
        row = {
            "way": one.way, "task": one.task, "languages": one.languages, "model": one.model_id,
            "revision": one.revision, "seconds": round(one.seconds, 1),
            "training_s": round(one.training_s, 1), "n_trained": one.n_trained,
            "answers": [labels.index(answer) for answer in one.answers],
        }  # fmt: skip
        rows.append(json.dumps(row))
    return "[\n" + ",\n".join(rows) + "\n]\n"


def read(text: str) -> tuple[WayAnswers, ...]:
    """The answers of such a file.

    Example:
        >>> one = WayAnswers("zero", "rte", ("en",), "a/b", "c", ("entailment", "not_entailment"), 1.5)
        >>> read(written([one])) == (one,)
        True
    """
    return tuple(
        WayAnswers(
            row["way"], row["task"], tuple(row["languages"]), row["model"], row["revision"],
            tuple(data_of(row["task"]).labels[answer] for answer in row["answers"]), row["seconds"],
            row["training_s"], row["n_trained"],
        )
        for row in json.loads(text)
    )  # fmt: skip


@lru_cache
def shipped() -> tuple[WayAnswers, ...]:
    """The answers that our own script took down (`playground.trained.ways`)."""
    return read((site_root() / "assets" / "trained" / FOLDER / FILE).read_text("utf-8"))

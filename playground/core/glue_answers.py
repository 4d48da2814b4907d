"""Answers of models to the held-out items of the nine sets, and the file of those that are shipped."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from playground.core.bag_of_words import bag_of_words
from playground.core.glue import LANGUAGES, Answers, Figure, chance, data_of, figure
from playground.core.labelled_sets import LabelledItem
from playground.paths import site_root

Way = Literal["head", "zero", "few", "adapter"]
WAYS: tuple[Way, ...] = ("head", "zero", "few", "adapter")
FOLDER, FILE = "glue", "answers.json"


@dataclass(frozen=True, slots=True)
class Told:
    """One model's answers to the held-out items of a task, both languages, in the order of the set.

    Attributes:
        way: head (frozen vectors and a trained linear head), zero or few (labels scored behind a prompt),
            adapter (the same, with an adapter trained on the task).
        task: Id of the task.
        model_id, revision: The model.
        answers: A label or a number of each item.
        seconds: Time for all of it, training included; 0 for what is shipped, as it tells of another machine.
        n_trained: Numbers that were trained for the task.
    """

    way: Way
    task: str
    model_id: str
    revision: str
    answers: Answers
    seconds: float = 0.0
    n_trained: int = 0


def held_out(task: str) -> tuple[LabelledItem, ...]:
    """The items that are asked, both languages."""
    return data_of(task).part("held_out", LANGUAGES)


@lru_cache
def words_told(task: str) -> Answers:
    """The baseline's answers: a bag of words, fitted on the same training items."""
    return bag_of_words(data_of(task).part("train", LANGUAGES), held_out(task))


@lru_cache(1_024)
def figure_of(task: str, languages: tuple[str, ...], answers: Answers) -> Figure:
    """The metric of the answers to a task's held-out items, in some of the languages.

    Args:
        task: Id of the task.
        languages: Codes of the languages that count.
        answers: One for each of `held_out`.
    """
    items = held_out(task)
    own = [place for place, item in enumerate(items) if item.language in languages]
    return figure(data_of(task), [items[place] for place in own], tuple(answers[place] for place in own))  # type: ignore[arg-type]


def chance_of(task: str, languages: tuple[str, ...]) -> float:
    """The best figure without looking at the texts, in some of the languages."""
    return chance(data_of(task), data_of(task).part("held_out", languages))


def written(told: Iterable[Told]) -> str:
    """Answers as the text of a JSON file; labels by their number, numbers with 4 places."""
    rows = []
    for one in told:
        labels = data_of(one.task).labels
        answers = [labels.index(a) if isinstance(a, str) else round(a, 4) for a in one.answers]
        rows.append(
            json.dumps(
                {
                    "way": one.way, "task": one.task, "model": one.model_id, "revision": one.revision,
                    "n_trained": one.n_trained, "answers": answers,
                }
            )
        )  # fmt: skip
    return '{"told": [\n' + ",\n".join(rows) + "\n]}\n"


def read(text: str) -> tuple[Told, ...]:
    """The answers of such a file.

    Example:
        >>> one = Told("zero", "rte", "a/b", "c", ("entailment", "not_entailment"))
        >>> read(written([one])) == (one,)
        True
    """
    found = []
    for row in json.loads(text)["told"]:
        labels = data_of(row["task"]).labels
        answers = tuple(labels[a] if labels else float(a) for a in row["answers"])
        found.append(
            Told(
                row["way"], row["task"], row["model"], row["revision"], answers,
                n_trained=row["n_trained"],
            )
        )  # fmt: skip
    return tuple(found)


@lru_cache
def shipped() -> tuple[Told, ...]:
    """The answers that our own script took down (`playground.trained.glue`)."""
    return read((site_root() / "assets" / "trained" / FOLDER / FILE).read_text("utf-8"))

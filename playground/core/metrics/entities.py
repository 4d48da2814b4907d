"""Entities: names found in a text, marked by BIO labels, one a word or token. Figures by seqeval.

Apple  is  based  in  Cupertino  ,  California
B-ORG  O   O      O   B-LOC      O  B-LOC
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from playground.core.metrics.classification import LabelScore

_BIO = re.compile(r"O|[BI]-.+")


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """A run of words that names something.

    Attributes:
        start, stop: First word, and the one after the last.
        kind: What is named: "ORG", "LOC".
    """

    start: int
    stop: int
    kind: str


@dataclass(frozen=True, slots=True)
class EntityScores:
    """Figures over entities: one is right where its borders and its kind are.

    Attributes:
        precision, recall, f1: Over all entities together (micro).
        n: Entities that there are.
        n_predicted: Entities that were marked.
        by_kind: Figures of each kind, in alphabetical order.
    """

    precision: float
    recall: float
    f1: float
    n: int
    n_predicted: int
    by_kind: tuple[LabelScore, ...]


def entities(labels: Sequence[str]) -> tuple[Entity, ...]:
    """The entities that BIO labels mark; as conlleval, an "I-" after another kind or after "O" begins one.

    Raises:
        ValueError: A label is none of "O", "B-kind", "I-kind".

    Example:
        >>> entities(["B-PER", "I-PER", "O", "I-LOC"])
        (Entity(start=0, stop=2, kind='PER'), Entity(start=3, stop=4, kind='LOC'))
    """
    from seqeval.metrics.sequence_labeling import get_entities

    _check(labels)
    return tuple(Entity(start, last + 1, kind) for kind, start, last in get_entities(list(labels)))


def entity_scores(right: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> EntityScores:
    """Precision, recall and F1 over entities; a division by nothing counts as 0.

    Args:
        right: The right BIO labels of each text.
        predicted: The predicted ones, as many.

    Raises:
        ValueError: The lists do not fit each other, or a label is no BIO label.

    Example:
        >>> found = entity_scores([["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "O", "O", "B-LOC"]])
        >>> found.precision, found.recall, found.f1
        (0.5, 0.5, 0.5)

    Source:
        Tjong Kim Sang & De Meulder 2003, "Introduction to the CoNLL-2003 Shared Task", arXiv:cs/0306050.
    """
    if len(right) != len(predicted) or any(map(_differs, right, predicted)):
        raise ValueError("the right and the predicted labels differ in number")
    kinds = [[entity.kind for each in side for entity in entities(each)] for side in (right, predicted)]
    names = sorted({*kinds[0], *kinds[1]})
    if not names:
        return EntityScores(0.0, 0.0, 0.0, 0, 0, ())
    from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as scores

    both = [list(map(list, right)), list(map(list, predicted))]
    all_kinds = scores(*both, average="micro", zero_division=0)
    each_kind = scores(*both, average=None, zero_division=0)
    by_kind = tuple(
        LabelScore(
            name, kinds[0].count(name), kinds[1].count(name), *(float(each_kind[at][row]) for at in range(3))
        )
        for row, name in enumerate(names)
    )
    precision, recall, f1 = map(float, all_kinds[:3])
    return EntityScores(precision, recall, f1, len(kinds[0]), len(kinds[1]), by_kind)


def _differs(first: Sequence[str], second: Sequence[str]) -> bool:
    return len(first) != len(second)


def _check(labels: Sequence[str]) -> None:
    for label in labels:
        if not _BIO.fullmatch(label):
            raise ValueError(f"{label!r} is no BIO label")

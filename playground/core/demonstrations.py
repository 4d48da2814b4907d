"""Demonstrations and test items drawn from the examples of a task: split, order, labels, all from a seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from playground.core.canonical import canonical, distinct, is_same
from playground.core.few_shot import Example

N_OTHERS = 3
MAX_LABELS = 8


def split(examples: Sequence[Example], n_test: int, seed: int) -> tuple[list[Example], list[Example]]:
    """Cut into demonstrations and test items; no text is on both sides.

    Args:
        examples: Examples of a task; a text that comes again, with whatever label, is left out.
        n_test: Test items wanted; at most half of the examples are used.
        seed: Seed of the shuffle.

    Returns:
        Demonstrations and test items, both shuffled.
    """
    unique = list({canonical(example.text): example for example in reversed(examples)}.values())[::-1]
    rng = np.random.default_rng(seed)
    shuffled = [unique[index] for index in rng.permutation(len(unique))]
    n = min(n_test, len(shuffled) // 2)
    return shuffled[n:], shuffled[:n]


def draw_demonstrations(pool: Sequence[Example], n_shot: int, seed: int) -> list[Example]:
    """The first demonstrations of a shuffle in which the labels take turns; more shots only add at the end.

    Args:
        pool: Demonstrations to choose from.
        n_shot: Number of demonstrations.
        seed: Seed of the shuffle.
    """
    rng = np.random.default_rng(seed)
    by_label: dict[str, list[Example]] = {}
    for index in rng.permutation(len(pool)):
        by_label.setdefault(canonical(pool[index].label), []).append(pool[index])
    groups = [by_label[label] for label in rng.permutation(sorted(by_label))]
    turns = max(map(len, groups), default=0)
    return [group[turn] for turn in range(turns) for group in groups if turn < len(group)][:n_shot]


def with_others(examples: Sequence[Example], seed: int) -> tuple[Example, ...]:
    """The examples, each with wrong answers of its own where there are more than `MAX_LABELS` labels."""
    labels = sorted(distinct(example.label for example in examples))
    if len(labels) <= MAX_LABELS or all(example.others for example in examples):
        return tuple(examples)
    rng = np.random.default_rng(seed)

    def others(example: Example) -> tuple[str, ...]:
        wrong = [label for label in labels if not is_same(label, example.label)]
        return tuple(wrong[index] for index in rng.permutation(len(wrong))[:N_OTHERS])

    return tuple(
        example if example.others else replace(example, others=others(example)) for example in examples
    )


Condition = Literal["true", "flipped", "random"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)


def relabelled(
    demos: Iterable[Example], labels: Sequence[str], condition: Condition, seed: int
) -> list[Example]:
    """The same demonstrations with their labels, each with the next label, or with any one.

    Args:
        demos: Demonstrations.
        labels: Labels of the task; open answers get one of the text's own wrong answers.
        condition: "true" keeps the labels, "flipped" gives the next one, "random" any one.
        seed: Seed of the random labels.

    Source:
        Min et al. 2022, "Rethinking the Role of Demonstrations", arXiv:2202.12837, section 4.
    """
    rng = np.random.default_rng(seed)

    def label(example: Example) -> str:
        options = sorted(distinct((example.label, *example.others))) if example.others else list(labels)
        if condition == "flipped":
            index = list(map(canonical, options)).index(canonical(example.label))
            return options[(index + 1) % len(options)]
        return str(rng.choice(options)) if condition == "random" else example.label

    return [replace(example, label=label(example)) for example in demos]

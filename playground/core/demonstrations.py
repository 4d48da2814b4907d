"""Which examples demonstrate and which test, in which order and with which labels: all from a seed."""

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
    """Cut into demonstrations and test items; no text stands on both sides.

    Args:
        examples: Of a task; a text that comes again, with whatever label, is left out.
        n_test: Test items wanted; at most half of them.
        seed: Of the shuffle.

    Returns:
        Demonstrations and test items, both shuffled.
    """
    once = list({canonical(one.text): one for one in reversed(examples)}.values())[::-1]
    rng = np.random.default_rng(seed)
    shuffled = [once[place] for place in rng.permutation(len(once))]
    n = min(n_test, len(shuffled) // 2)
    return shuffled[n:], shuffled[:n]


def drawn(pool: Sequence[Example], n_shot: int, seed: int) -> list[Example]:
    """The first demonstrations of a shuffle in which the labels take turns; more shots only add at the end.

    Args:
        pool: Demonstrations to choose from.
        n_shot: How many.
        seed: Which shuffle.
    """
    rng = np.random.default_rng(seed)
    by_label: dict[str, list[Example]] = {}
    for place in rng.permutation(len(pool)):
        by_label.setdefault(canonical(pool[place].label), []).append(pool[place])
    groups = [by_label[label] for label in rng.permutation(sorted(by_label))]
    turns = max(map(len, groups), default=0)
    return [group[turn] for turn in range(turns) for group in groups if turn < len(group)][:n_shot]


def with_others(examples: Sequence[Example], seed: int) -> tuple[Example, ...]:
    """Where labels are more than `MAX_LABELS`, answers are open: give each text wrong ones of its own."""
    labels = sorted(distinct(one.label for one in examples))
    if len(labels) <= MAX_LABELS or all(one.others for one in examples):
        return tuple(examples)
    rng = np.random.default_rng(seed)

    def others(one: Example) -> tuple[str, ...]:
        wrong = [label for label in labels if not is_same(label, one.label)]
        return tuple(wrong[place] for place in rng.permutation(len(wrong))[:N_OTHERS])

    return tuple(one if one.others else replace(one, others=others(one)) for one in examples)


Condition = Literal["true", "flipped", "random"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)


def relabelled(
    demos: Iterable[Example], labels: Sequence[str], condition: Condition, seed: int
) -> list[Example]:
    """The same demonstrations with their labels, each with the next label, or with any one.

    Args:
        demos: Demonstrations.
        labels: Of the task; open answers get one of the text's own wrong answers.
        condition: Which labels.
        seed: Of the random ones.

    Source:
        Min et al. 2022, "Rethinking the Role of Demonstrations", arXiv:2202.12837, section 4.
    """
    rng = np.random.default_rng(seed)

    def label(one: Example) -> str:
        known = sorted(distinct((one.label, *one.others))) if one.others else list(labels)
        if condition == "flipped":
            place = list(map(canonical, known)).index(canonical(one.label))
            return known[(place + 1) % len(known)]
        return str(rng.choice(known)) if condition == "random" else one.label

    return [replace(one, label=label(one)) for one in demos]

"""Few-shot prompts as tidy tables; column names stand here only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground.core.canonical import canonical, distinct
from playground.core.demonstrations import Condition
from playground.core.few_shot import Example
from playground.core.metrics.intervals import wilson_interval

LABELS = ("label", "prompt", "probability", "logprob", "n_tokens", "right")
WITHOUT = ("left_out", "text", "label", "probability", "change")
SHOTS = ("condition", "n_shot", "draw", "n_right", "n_items", "accuracy")
MEANS = ("condition", "n_shot", "accuracy", "low", "high", "n_draws", "n_items")
ORDERS = ("order", "labels", "n_right", "n_items", "accuracy")


def labels(
    options: Sequence[str],
    probs: Mapping[str, NDArray[np.float64]],
    logprobs: Mapping[str, Sequence[float]],
    n_tokens: Sequence[int],
    right: str,
) -> pd.DataFrame:
    """Probability of each answer, one row per answer and prompt.

    Args:
        options: The answers.
        probs: Prompt ("none" without examples, "shots" with them) -> probability of each answer,
            shape [option].
        logprobs: Prompt -> log-probability of each answer, nats.
        n_tokens: Tokens of each answer.
        right: The right answer, "" if there is none.

    Returns:
        label, prompt, probability, logprob, n_tokens, right.
    """
    rows = [
        (option, prompt, float(prob_of[index]), logprobs[prompt][index], n_tokens[index], option == right)
        for prompt, prob_of in probs.items()
        for index, option in enumerate(options)
    ]
    return pd.DataFrame(rows, columns=list(LABELS))


def most_probable(table: pd.DataFrame, n: int) -> pd.DataFrame:
    """The rows of the labels that are most probable with the examples, in that order.

    Args:
        table: From `labels`.
        n: Number of labels.
    """
    shots = table[table["prompt"] == "shots"].sort_values("probability", ascending=False, kind="stable")
    place = {label: number for number, label in enumerate(shots["label"].head(n))}
    shown = table[table["label"].isin(place)]
    return shown.sort_values("label", key=lambda names: names.map(place), kind="stable", ignore_index=True)


def without_each(demos: Sequence[tuple[str, str]], with_all: float, without: Sequence[float]) -> pd.DataFrame:
    """Effect of each example on the probability of the answer, one row per example.

    Args:
        demos: Text and label of each example, in the order of the prompt.
        with_all: Probability of the answer with all of them.
        without: Probability of the answer with each of them left out.

    Returns:
        left_out (its place, from 1), text, label, probability (without it), change (with all minus without
        it).
    """
    rows = [
        (place, text, label, left, with_all - left)
        for place, ((text, label), left) in enumerate(zip(demos, without, strict=True), 1)
    ]
    return pd.DataFrame(rows, columns=list(WITHOUT))


def shots(points: Mapping[tuple[Condition, int, int], Sequence[bool]]) -> pd.DataFrame:
    """Accuracy of each prompt of a sweep, one row per prompt.

    Args:
        points: (condition, n_shot, draw) -> True for each item that was answered right.

    Returns:
        condition, n_shot, draw, n_right, n_items, accuracy.
    """
    rows = [
        (condition, n_shot, draw, sum(right), len(right), sum(right) / len(right))
        for (condition, n_shot, draw), right in points.items()
    ]
    table = pd.DataFrame(rows, columns=list(SHOTS))
    return table.sort_values(["condition", "n_shot", "draw"], kind="stable", ignore_index=True)


def means(table: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracy over the draws, one row per condition and number of examples.

    Args:
        table: From `shots`.

    Returns:
        condition, n_shot, accuracy, low, high (Wilson's 95 % interval for this many items: the items are the
        same in every draw, so more draws do not narrow it), n_draws, n_items.
    """
    rows = []
    for (condition, n_shot), group in table.groupby(["condition", "n_shot"], sort=False):
        n_items = int(group["n_items"].iloc[0])
        mean = float(group["accuracy"].mean())
        rows.append((condition, n_shot, mean, *wilson_interval(mean * n_items, n_items), len(group), n_items))
    return pd.DataFrame(rows, columns=list(MEANS))


def points_and_means(table: pd.DataFrame) -> pd.DataFrame:
    """Rows for the picture of a sweep: those of `shots` and of `means`, these without a draw."""
    each = table.assign(low=np.nan, high=np.nan)
    mean = means(table).assign(draw=np.nan)
    columns = ["condition", "n_shot", "draw", "accuracy", "low", "high"]
    return pd.concat([each[columns], mean[columns]], ignore_index=True)


def orders(results: Sequence[tuple[Sequence[str], Sequence[bool]]]) -> pd.DataFrame:
    """Accuracy of the same examples in several orders, one row per order.

    Args:
        results: Labels of the examples in their order, and True for each item that was answered right.

    Returns:
        order (from 1), labels, n_right, n_items, accuracy.
    """
    rows = [
        (number, " · ".join(each), sum(right), len(right), sum(right) / len(right))
        for number, (each, right) in enumerate(results, 1)
    ]
    return pd.DataFrame(rows, columns=list(ORDERS))


def label_counts(examples: Sequence[Example]) -> pd.DataFrame:
    """Labels and how often each occurs, the most frequent first: label, count."""
    names = distinct(example.label for example in examples)
    counts = Counter(canonical(example.label) for example in examples)
    rows = sorted(((name, counts[canonical(name)]) for name in names), key=lambda row: -row[1])
    return pd.DataFrame(rows, columns=["label", "count"])


def kept_prompts(prompts: Sequence[Sequence[Mapping[str, str]]]) -> pd.DataFrame:
    """Prompts as messages, one row each: prompt (from 1), messages (how many), last (text of the last)."""
    rows = [(number, len(messages), messages[-1]["content"]) for number, messages in enumerate(prompts, 1)]
    return pd.DataFrame(rows, columns=["prompt", "messages", "last"])

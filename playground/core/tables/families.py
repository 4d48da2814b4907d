"""Tables of the page Families: maps, states that moved, steps of a target, answers about sentiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground.core.families import ROUNDING
from playground.core.metrics.intervals import wilson_interval

ACCURACIES = ("family", "language", "accuracy", "n_right", "n", "low", "high")


def family_map(
    family: str, weights: NDArray[np.float64], allowed: NDArray[np.bool_], labels: Sequence[str]
) -> pd.DataFrame:
    """One family's map, one row a weight.

    Args:
        family: Its id.
        weights: Shape [query, key].
        allowed: The attention mask. Shape [query, key].
        labels: Label of each token.

    Returns:
        family, query_position, query, key_position, key, allowed, weight.
    """
    query, key = (axis.ravel() for axis in np.indices(weights.shape))
    names = np.array(labels, dtype=object)
    return pd.DataFrame(
        {
            "family": family, "query_position": query, "query": names[query], "key_position": key,
            "key": names[key], "allowed": allowed.ravel(), "weight": weights.ravel(),
        }
    )  # fmt: skip


def moved(
    stack: str, change: NDArray[np.float64], labels: Sequence[str], places: Sequence[str]
) -> pd.DataFrame:
    """Change of the states of one stack, one row a state.

    Args:
        stack: Its id.
        change: From `core.families.moved`. Shape [layer, pair].
        labels: Label of each pair, [pair].
        places: "before", "changed" or "behind" of each pair, [pair].

    Returns:
        stack, layer (0 is the embedding), position, token (with the position, so that no two are the same),
        place, change (of the state's own length), moved (False up to rounding).
    """
    layer, pair = (axis.ravel() for axis in np.indices(change.shape))
    names = np.array([f"{position}: {label}" for position, label in enumerate(labels)], dtype=object)
    return pd.DataFrame(
        {
            "stack": stack, "layer": layer, "position": pair, "token": names[pair],
            "place": np.array(places, dtype=object)[pair], "change": change.ravel(),
            "moved": change.ravel() > ROUNDING,
        }
    )  # fmt: skip


class Stack(NamedTuple):
    """The states of one stack that stand for each other in two texts, counted.

    Attributes:
        n: Number of positions whose token stayed.
        n_moved: Number of those whose state moved in any layer.
        most: Largest change among them.
    """

    n: int
    n_moved: int
    most: float


def counts(table: pd.DataFrame) -> dict[str, Stack]:
    """Stack -> its positions before the difference (of a target: all), counted; rows of `moved`."""
    kept = table[table["place"] == "before"]
    each = kept.groupby(["stack", "position"], sort=False)["change"].max()
    found = {}
    for stack, change in each.groupby(level=0, sort=False):
        found[str(stack)] = Stack(len(change), int((change > ROUNDING).sum()), float(change.max()))
    return found


def steps(
    weights: NDArray[np.float64], target: Sequence[str], source: Sequence[str], logprobs: Sequence[float]
) -> pd.DataFrame:
    """Cross-attention by decoder step, one row a weight.

    Args:
        weights: Shape [step, source].
        target: Label of the token that each step wrote.
        source: Label of each token of the source.
        logprobs: Log-probability of each written token, nats.

    Returns:
        step (from 1), written, p (of the written token), source_position, source, weight.
    """
    step, key = (axis.ravel() for axis in np.indices(weights.shape))
    return pd.DataFrame(
        {
            "step": step + 1, "written": np.array(target, dtype=object)[step],
            "p": np.exp(np.asarray(logprobs, dtype=np.float64))[step], "source_position": key,
            "source": np.array(source, dtype=object)[key], "weight": weights.ravel(),
        }
    )  # fmt: skip


def accuracies(right: Mapping[str, Sequence[bool]], languages: Sequence[str]) -> pd.DataFrame:
    """Accuracy of each family on all items and on those of each language, with Wilson's 95 % interval.

    Args:
        right: Family -> whether each item was answered right.
        languages: Language of each item.

    Returns:
        family, language ("all" or a code), accuracy, n_right, n, low, high.
    """
    rows = []
    for family, answers in right.items():
        for language in ("all", *dict.fromkeys(languages)):
            mine = [
                is_right for is_right, own in zip(answers, languages, strict=True) if language in ("all", own)
            ]
            n_right, n = sum(mine), len(mine)
            rows.append((family, language, n_right / n, n_right, n, *wilson_interval(n_right, n)))
    return pd.DataFrame(rows, columns=list(ACCURACIES))

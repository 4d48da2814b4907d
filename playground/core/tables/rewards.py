"""Tables of a reward model: losses, pairs in the right order, correlations, an answer token by token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from playground.core.metrics.correlation import pearson
from playground.core.preferences.features import FEATURES, counts
from playground.core.preferences.judged import PairAccuracy

Points = Sequence[tuple[int, float]]
N_NAMED = 3


def losses(train: Points, held_out: Points) -> pd.DataFrame:
    """One row a measured step of each line.

    Args:
        train: (step, loss of its pairs before it), nats a pair.
        held_out: (steps done, loss on the held-out pairs), nats a pair.

    Returns:
        step, loss, set ("train" or "held_out").
    """
    rows = [(step, loss, "train") for step, loss in train]
    rows += [(step, loss, "held_out") for step, loss in held_out]
    return pd.DataFrame(rows, columns=["step", "loss", "set"])


def accuracies(found: Mapping[tuple[str, str], PairAccuracy]) -> pd.DataFrame:
    """One row a judge and set of pairs.

    Args:
        found: (judge, set) as they are shown -> its accuracy.

    Returns:
        judge, set, share, low, high (Wilson's 95 % interval), right, n.
    """
    rows = [
        (judge, of, one.share, one.low, one.high, one.n_right, one.n) for (judge, of), one in found.items()
    ]
    return pd.DataFrame(rows, columns=["judge", "set", "share", "low", "high", "right", "n"])


def correlations(answers: Sequence[str], rewards: ArrayLike) -> pd.DataFrame:
    """One row a feature: how far the rewards of answers rise with it.

    Args:
        answers: Texts.
        rewards: Reward of each. Shape [answer].

    Returns:
        feature, value (Pearson's correlation, NaN where all answers have as much of it), low, high, n.
    """
    rows = []
    for feature in FEATURES:
        found = pearson(counts(feature, answers), np.asarray(rewards, np.float64))
        rows.append((feature, found.value, found.low, found.high, found.n))
    return pd.DataFrame(rows, columns=["feature", "value", "low", "high", "n"])


def beginnings(
    names: Sequence[str], labels: Sequence[Sequence[str]], values: Sequence[ArrayLike]
) -> pd.DataFrame:
    """One row a token: the reward of an answer that ends there.

    Args:
        names: Names of the answers.
        labels: Tokens of each.
        values: Rewards. Each of shape [token].

    Returns:
        answer, place (from 1), token, reward, change (from the token before, NaN of the first), is_named
        (among the `N_NAMED` largest changes of its answer).
    """
    parts = []
    for name, own, each in zip(names, labels, values, strict=True):
        rewards = np.asarray(each, np.float64)
        part = pd.DataFrame(
            {"answer": name, "place": range(1, len(own) + 1), "token": own, "reward": rewards}
        )
        part["change"] = part.reward.diff()
        part["is_named"] = part.change.abs().rank(ascending=False, method="first") <= N_NAMED
        parts.append(part)
    return pd.concat(parts, ignore_index=True)

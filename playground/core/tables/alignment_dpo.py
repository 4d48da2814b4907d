"""A run of DPO as tidy tables; column names stand here only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from playground.core.policy.dpo import Dpo
from playground.core.preferences.judged import pair_accuracy
from playground.core.preferences.pair import PreferencePair

LOSSES = ("step", "loss", "data")
RATIOS = ("step", "answer", "log_ratio")
JUDGED = ("step", "kl", "accuracy", "low", "high", "n_right", "n")
PAIRS = ("pair", "prompt", "answer", "text", "reward", "margin", "both_fell")
SAMPLES = ("prompt", "before", "after", "step")
Curve = Sequence[tuple[int, float]]


def losses(train: Curve, held_out: Curve) -> pd.DataFrame:
    """Loss of each batch, and of the held-out pairs where it was measured, nats per pair.

    Returns:
        step, loss (missing where it is not finite), data (train, held_out).
    """
    rows = [(step, loss, data) for data, curve in (("train", train), ("held_out", held_out))
            for step, loss in curve]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(LOSSES)).astype({"step": np.int64, "loss": np.float64})
    return table.assign(loss=table["loss"].where(np.isfinite(table["loss"])))


def log_ratios(measured: Mapping[int, Dpo], beta: float) -> pd.DataFrame:
    """Mean log-probability of both answers relative to the reference, at each milestone.

    Args:
        measured: Step -> the pairs.
        beta: Nats of reward a nat of log-ratio.

    Returns:
        step, answer (chosen, rejected), log_ratio (nats per answer).
    """
    rows = [
        (step, answer, float(np.mean(rewards)) / beta)
        for step, found in measured.items()
        for answer, rewards in (("chosen", found.chosen_rewards), ("rejected", found.rejected_rewards))
    ]
    return pd.DataFrame(rows, columns=list(RATIOS)).astype({"step": np.int64, "log_ratio": np.float64})


def judged(measured: Mapping[int, Dpo], kl: Mapping[int, float]) -> pd.DataFrame:
    """Pair accuracy of the implicit rewards with its interval, and KL to the reference, at each milestone.

    Args:
        measured: Step -> the held-out pairs.
        kl: Step -> KL divergence, nats per token.

    Returns:
        step, kl, accuracy, low, high (95 %), n_right, n.
    """
    rows = []
    for step, found in measured.items():
        if np.isnan(found.margins).any():
            continue
        right = pair_accuracy(found.chosen_rewards, found.rejected_rewards)
        rows.append((step, kl[step], right.share, right.low, right.high, right.n_right, right.n))
    return pd.DataFrame(rows, columns=list(JUDGED))


def pairs(found: Dpo, texts: Sequence[PreferencePair]) -> pd.DataFrame:
    """Implicit reward of both answers of each pair, the largest margin first.

    Args:
        found: The pairs as they are judged.
        texts: The same pairs.

    Returns:
        pair (its number), prompt, answer (chosen, rejected), text, reward and margin (nats), both_fell.
    """
    order = np.argsort(-found.margins, kind="stable")
    rows = [
        (place, texts[at].prompt, answer, text, float(reward), float(found.margins[at]),
         bool(found.both_fell[at]))
        for place, at in enumerate(order.tolist(), 1)
        for answer, text, reward in (
            ("chosen", texts[at].chosen, found.chosen_rewards[at]),
            ("rejected", texts[at].rejected, found.rejected_rewards[at]),
        )
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(PAIRS))


def samples(rows: Sequence[tuple[str, str, str, int]]) -> pd.DataFrame:
    """Answers to the same prompts before and after: prompt, before, after, step."""
    return pd.DataFrame(rows, columns=list(SAMPLES))

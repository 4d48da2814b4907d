"""Runs that learn from a reward as a tidy table; column names stand here only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from playground.core.reward_hacking import MeasuredRollout

ROLLOUTS = ("run", "rollout", "reward", "kl", "k1", "clipped", "entropy", "spread", "answer")


def rollouts(runs: Mapping[str, Sequence[MeasuredRollout]]) -> pd.DataFrame:
    """One row a rollout: run, rollout, reward, kl (nats per answer), k1, clipped, entropy, spread, answer.

    Args:
        runs: Name of each run -> its rollouts; `answer` is the first answer of each.
    """
    rows = [
        (name, one.step, one.reward, one.kl, one.k1, one.clipped, one.entropy, one.spread,
         one.answers[0].text if one.answers else "")
        for name, each in runs.items()
        for one in each
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(ROLLOUTS)).astype({"clipped": "float64"})

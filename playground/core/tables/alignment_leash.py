"""Outcomes before and after the tilt by a reward as tidy tables; column names stand here only."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from playground.core.policy.outcomes import Outcomes

BETAS = (0.1, 0.3, 1.0, 3.0, 10.0)


def outcomes(choice: Outcomes, labels: Sequence[str], rest: str) -> pd.DataFrame:
    """Each outcome by the reference and by the best policy of five leashes; the others in one row.

    Args:
        choice: Outcomes and rewards.
        labels: Words of each named outcome.
        rest: Words of the row of the others.

    Returns:
        outcome, reward (missing for the others), reference, then beta 0.1 to 10: probabilities.
    """
    found = {beta: choice.at(beta) for beta in BETAS}
    table = pd.DataFrame(
        {"outcome": list(labels), "reward": choice.rewards, "reference": choice.probs}
        | {f"beta {beta:g}": one.probs for beta, one in found.items()}
    )
    if len(choice.rest_probs):
        row = {"outcome": rest, "reference": float(choice.rest_probs.sum())}
        row |= {f"beta {beta:g}": float(one.rest.sum()) for beta, one in found.items()}
        table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
    return table


def leashes(choice: Outcomes) -> pd.DataFrame:
    """Expected reward and KL divergence of the best policy of five leashes: beta, reward, kl, left."""
    rows = [(beta, one.reward, one.kl, one.reward - beta * one.kl) for beta in BETAS
            for one in (choice.at(beta),)]  # fmt: skip
    return pd.DataFrame(rows, columns=["beta", "reward", "kl", "left"])

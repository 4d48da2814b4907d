"""Chains of attack, answer, critique and revision as a tidy table; column names stand here only."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from playground.core.constitution_chains import Chain

CHAINS = ("attack", "answer", "critique", "revision", "preference", "gives_pair")


def chains(given: Sequence[Chain]) -> pd.DataFrame:
    """One row a chain: attack, answer, critique, revision, preference (log-odds, nats), gives_pair."""
    rows = [
        (one.attack, one.answer, one.critique, one.revision, one.preference, one.pair is not None)
        for one in given
    ]
    return pd.DataFrame(rows, columns=list(CHAINS)).astype({"preference": "float64"})

"""Tables of a judge's verdicts; the column names are written here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from playground.core.judging import JudgedPair, Share, Verdict


def verdicts(pairs: Sequence[JudgedPair], plain: Sequence[Verdict], rivals: Sequence[str]) -> pd.DataFrame:
    """Verdicts on pairs, one row each.

    Args:
        pairs: The pairs.
        plain: Verdict on each.
        rivals: The worse answer of each as it was shown. Length [pair].

    Returns:
        pair (from 1), language, question, better, worse, shown_first, shown_second (p that the better answer
        wins), mean, turns.
    """
    return pd.DataFrame(
        {
            "pair": range(1, len(pairs) + 1),
            "language": [one.language for one in pairs],
            "question": [one.question for one in pairs],
            "better": [one.better for one in pairs],
            "worse": list(rivals),
            "shown_first": [one.wins[0] for one in plain],
            "shown_second": [one.wins[1] for one in plain],
            "mean": [one.mean for one in plain],
            "turns": [one.turns for one in plain],
        }
    )


def points(table: pd.DataFrame) -> pd.DataFrame:
    """`verdicts` with a row a pair and order: the same columns, order ("first", "second"), wins."""
    kept = table.assign(low=table[["shown_first", "shown_second"]].min(axis=1))
    kept["high"] = table[["shown_first", "shown_second"]].max(axis=1)
    parts = [kept.assign(order=order, wins=table[f"shown_{order}"]) for order in ("first", "second")]
    return pd.concat(parts, ignore_index=True).drop(columns=["shown_first", "shown_second"])


def shares(found: Mapping[str, Sequence[Share]]) -> pd.DataFrame:
    """Shares by language: language, name, n_yes, n, share, low, high, chance."""
    rows = [(language, one) for language, each in found.items() for one in each]
    return pd.DataFrame(
        {
            "language": [language for language, _one in rows],
            "name": [one.name for _language, one in rows],
            "n_yes": [one.n_yes for _language, one in rows],
            "n": [one.n for _language, one in rows],
            "share": [one.share for _language, one in rows],
            "low": [one.interval[0] for _language, one in rows],
            "high": [one.interval[1] for _language, one in rows],
            "chance": [one.chance for _language, one in rows],
        }
    )

"""Two distributions of the next token as one tidy table."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import pandas as pd

COLUMNS = ("token", "setting", "probability")
BOTH = ("seed", "a", "b")


def most_probable(
    first: Mapping[Hashable, float],
    second: Mapping[Hashable, float],
    labels: Mapping[Hashable, str],
    n: int,
) -> pd.DataFrame:
    """The tokens that matter most in either, two rows each.

    Args:
        first, second: Token -> its probability, of all that are kept.
        labels: Token -> label, of those that may be among the first.
        n: Number of tokens.

    Returns:
        token (most probable first, by the larger of the two), setting (A, B), probability (0 where cut).
    """
    larger = {token: max(first.get(token, 0.0), second.get(token, 0.0)) for token in labels}
    tokens = sorted(larger, key=lambda token: (-larger[token], labels[token]))[:n]
    rows = [
        (labels[token], name, probs.get(token, 0.0))
        for token in tokens
        for name, probs in (("A", first), ("B", second))
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def side_by_side(first: Mapping[int, str], second: Mapping[int, str]) -> pd.DataFrame:
    """Texts of both, one row per seed.

    Args:
        first, second: Seed -> text.

    Returns:
        seed, a, b.
    """
    return pd.DataFrame(
        [(seed, text, second.get(seed, "")) for seed, text in first.items()], columns=list(BOTH)
    )

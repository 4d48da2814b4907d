"""The overlap of two distributions."""

from __future__ import annotations

from collections.abc import Hashable, Mapping


def overlap(first: Mapping[Hashable, float], second: Mapping[Hashable, float]) -> float:
    """The mass that two distributions share: 1 for the same, 0 where no token is possible in both.

    Args:
        first, second: Token -> its probability; the others have none.

    Example:
        >>> overlap({"a": 0.7, "b": 0.3}, {"b": 0.6, "c": 0.4})
        0.3

    Source:
        1 minus the total variation distance; Levin & Peres 2017, "Markov Chains and Mixing Times", 4.1.
    """
    return sum(min(mass, second[token]) for token, mass in first.items() if token in second)

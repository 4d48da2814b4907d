"""Tables of the page Tasks: figures of a set, answers to its items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from playground.core.jobs.scoring import Figure

FIGURES = ("who", "metric", "value", "low", "high")


def figures(of: Mapping[str, Sequence[Figure]]) -> pd.DataFrame:
    """One row a figure: who (as `of` names them), metric, value, low, high (0 to 100)."""
    rows = [(who, one.metric, one.value, one.low, one.high) for who, each in of.items() for one in each]
    return pd.DataFrame(rows, columns=list(FIGURES))


def shares(of: Mapping[str, Sequence[float]], labels: Sequence[str]) -> pd.DataFrame:
    """One row a bar: label, time (as `of` names them), share.

    Args:
        of: Time -> probability of each label.
        labels: The labels.
    """
    rows = [
        (label, time, float(p)) for time, each in of.items() for label, p in zip(labels, each, strict=True)
    ]
    return pd.DataFrame(rows, columns=["label", "time", "share"])


def written(
    texts: Sequence[str], references: Sequence[Sequence[str]], answers: Sequence[str], scores: Sequence[float]
) -> pd.DataFrame:
    """One row an item: text, references (in one line), answer, score (0 to 100)."""
    return pd.DataFrame(
        {
            "text": list(texts),
            "references": [" / ".join(each) for each in references],
            "answer": list(answers),
            "score": list(scores),
        }
    )


def labelled(
    texts: Sequence[str], right: Sequence[str], answered: Sequence[str], shares: Sequence[float]
) -> pd.DataFrame:
    """One row an item: text, right label, answered label, share (probability of the answered label)."""
    return pd.DataFrame(
        {"text": list(texts), "right": list(right), "answered": list(answered), "share": list(shares)}
    )


def tagged(
    texts: Sequence[str], right: Sequence[Sequence[str]], answered: Sequence[Sequence[str]]
) -> pd.DataFrame:
    """One row a text: text, right labels and answered labels of its tokens in one line."""
    return pd.DataFrame(
        {
            "text": list(texts),
            "right": [" ".join(each) for each in right],
            "answered": [" ".join(each) for each in answered],
        }
    )

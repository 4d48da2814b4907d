"""Tables of the attention page: heads and their scores, one map, what switching heads off did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground.core.heads import HeadScores, head_name, head_role

N_BARS = 10


def heads(scores: HeadScores, n_keys: float) -> pd.DataFrame:
    """Every head, its seven scores and its job; layers and heads counted from 1, as on the page.

    Args:
        scores: Of `core.heads.head_scores`, each [layer, head].
        n_keys: Keys a token can see, on average.
    """
    n_layer, n_head = next(iter(scores.values())).shape
    layers, numbers = np.divmod(np.arange(n_layer * n_head), n_head)
    table = pd.DataFrame({"layer": layers + 1, "head": numbers + 1})
    for name, values in scores.items():
        table[name] = values.ravel()
    table["job"] = [
        head_role(scores, layer, head, n_keys) for layer, head in zip(layers, numbers, strict=True)
    ]
    return table


def attention_map(weights: NDArray[np.floating], queries: Sequence[str], keys: Sequence[str]) -> pd.DataFrame:
    """One head's map, a row a query.

    Args:
        weights: Shape [query, key].
        queries, keys: Their labels; numbered, because a label may come twice.
    """
    columns = [f"{place}: {label}" for place, label in enumerate(keys)]
    table = pd.DataFrame(np.asarray(weights, dtype=np.float64), columns=columns)
    table.insert(0, "query", [f"{place}: {label}" for place, label in enumerate(queries)])
    return table


def ablated(
    before: NDArray[np.float64], after: NDArray[np.float64], labels: Mapping[int, str]
) -> pd.DataFrame:
    """The likeliest next tokens with all heads, and what the same tokens have without some.

    Args:
        before, after: Probabilities. Shape [d_vocab].
        labels: Token id -> how it is shown; exactly the tokens to show.
    """
    ids = sorted(labels, key=lambda token: -before[token])
    rows = [
        (place, labels[token], token, when, float(probs[token]))
        for place, token in enumerate(ids)
        for when, probs in (("before", before), ("after", after))
    ]
    return pd.DataFrame(rows, columns=["place", "token", "token_id", "when", "probability"])


def shown_tokens(before: NDArray[np.float64], after: NDArray[np.float64]) -> list[int]:
    """The tokens a before-and-after picture shows: the first of each side, `N_BARS` in all."""
    firsts: list[int] = np.argsort(-after, kind="stable")[:3].tolist()
    for token in np.argsort(-before, kind="stable")[: 2 * N_BARS].tolist():
        if len(firsts) < N_BARS and token not in firsts:
            firsts.append(token)
    return firsts


def ranking(
    kl: Mapping[tuple[int, int], float], links: NDArray[np.floating], answers: Mapping[tuple[int, int], str]
) -> pd.DataFrame:
    """Heads by what the model loses without them, beside their strongest link.

    Args:
        kl: (layer, head) -> bits by which the next-token distribution changes without it.
        links: Largest weight from the last token to another one. Shape [layer, head].
        answers: (layer, head) -> the likeliest next token without it.

    Returns:
        name, layer, head (both counted from 1, as on the page), kl_bits, strongest_link, next_token.
    """
    rows = [
        (head_name(layer, head), layer + 1, head + 1, bits, float(links[layer, head]), answers[layer, head])
        for (layer, head), bits in kl.items()
    ]
    table = pd.DataFrame(rows, columns=["name", "layer", "head", "kl_bits", "strongest_link", "next_token"])
    return table.sort_values("kl_bits", ascending=False, kind="stable", ignore_index=True)


def rank_correlation(table: pd.DataFrame) -> float:
    """Spearman's, of what the heads of a `ranking` cost and their strongest links; NaN where one is constant.

    It is no entry of the table's `attrs`: those travel as JSON, which knows no NaN.
    """
    return float(table["kl_bits"].rank().corr(table["strongest_link"].rank()))


def flow(shares: NDArray[np.floating], labels: Sequence[str]) -> pd.DataFrame:
    """A map of tokens, a row a cell.

    Args:
        shares: Shape [query, key].
        labels: Of the tokens; numbered, because one may come twice.
    """
    n = len(labels)
    names = np.array([f"{place}: {label}" for place, label in enumerate(labels)], dtype=object)
    queries, keys = np.divmod(np.arange(n * n), n)
    return pd.DataFrame(
        {
            "query_place": queries,
            "key_place": keys,
            "query": names[queries],
            "key": names[keys],
            "share": np.asarray(shares, dtype=np.float64).ravel(),
        }
    )

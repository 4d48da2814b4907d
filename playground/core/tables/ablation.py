"""Tables of the attention page: heads and their scores, one map, the effect of switching heads off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground.core.heads import HeadScores, head_name, head_role

N_BARS = 10


def heads(scores: HeadScores, n_keys: float) -> pd.DataFrame:
    """Every head, its seven scores and its role; layers and heads counted from 1, as on the page.

    Args:
        scores: From `core.heads.head_scores`, each [layer, head].
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
    """One head's map, one row per query.

    Args:
        weights: Shape [query, key].
        queries, keys: Their labels; numbered, because a label may come twice.
    """
    columns = [f"{number}: {label}" for number, label in enumerate(keys)]
    table = pd.DataFrame(np.asarray(weights, dtype=np.float64), columns=columns)
    table.insert(0, "query", [f"{number}: {label}" for number, label in enumerate(queries)])
    return table


def ablated(
    before: NDArray[np.float64], after: NDArray[np.float64], labels: Mapping[int, str]
) -> pd.DataFrame:
    """Probabilities of the likeliest next tokens with all heads, and of the same tokens without some heads.

    Args:
        before, after: Probabilities. Shape [d_vocab].
        labels: Token id -> label; exactly the tokens to show.
    """
    ids = sorted(labels, key=lambda token: -before[token])
    rows = [
        (place, labels[token], token, when, float(probs[token]))
        for place, token in enumerate(ids)
        for when, probs in (("before", before), ("after", after))
    ]
    return pd.DataFrame(rows, columns=["place", "token", "token_id", "when", "probability"])


def shown_tokens(before: NDArray[np.float64], after: NDArray[np.float64]) -> list[int]:
    """Ids of the tokens that a before-and-after picture shows: the first of each side, `N_BARS` in all.

    Args:
        before, after: Probabilities. Shape [d_vocab].
    """
    firsts: list[int] = np.argsort(-after, kind="stable")[:3].tolist()
    for token in np.argsort(-before, kind="stable")[: 2 * N_BARS].tolist():
        if len(firsts) < N_BARS and token not in firsts:
            firsts.append(token)
    return firsts


def ranking(
    kl: Mapping[tuple[int, int], float], links: NDArray[np.floating], answers: Mapping[tuple[int, int], str]
) -> pd.DataFrame:
    """Heads ranked by the change of the next-token distribution without them, beside their strongest link.

    Args:
        kl: (layer, head) -> change of the next-token distribution without it, bits.
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
    """Spearman correlation of `kl_bits` and `strongest_link` of a `ranking`; NaN where one is constant.

    It is not an entry of the table's `attrs`: those travel as JSON, which has no NaN.
    """
    return float(table["kl_bits"].rank().corr(table["strongest_link"].rank()))


def flow(shares: NDArray[np.floating], labels: Sequence[str]) -> pd.DataFrame:
    """A map of tokens, one row per cell.

    Args:
        shares: Share of each key in each query. Shape [query, key].
        labels: Labels of the tokens; numbered, because one may come twice.
    """
    n = len(labels)
    names = np.array([f"{number}: {label}" for number, label in enumerate(labels)], dtype=object)
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

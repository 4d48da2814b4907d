"""Tables of the page Inside; the column names are written here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground.core.inside import ResidualStream, log_probabilities_of, ranks
from playground.core.residual import Lens


def lens(read: Lens, tokens: Sequence[str], labels: Sequence[Mapping[int, str]]) -> pd.DataFrame:
    """The best guess after every layer at every position.

    Args:
        read: The lens.
        tokens: Labels of the tokens of the text.
        labels: For each of its positions: token id -> label there.

    Returns:
        layer, position, token, guess, guess_id, prob, answer, answer_prob, answer_rank (1 = first).
    """
    n_layer, n_position = read.answer_ranks.shape
    rows = [
        (layer, read.positions[p], tokens[read.positions[p]],
         labels[p][int(read.top_ids[layer, p, 0])], int(read.top_ids[layer, p, 0]),
         float(read.top_probs[layer, p, 0]), labels[p][int(read.answer_ids[p])],
         float(read.answer_probs[layer, p]), int(read.answer_ranks[layer, p]) + 1)
        for layer in range(n_layer)
        for p in range(n_position)
    ]  # fmt: skip
    columns = ["layer", "position", "token", "guess", "guess_id", "prob", "answer", "answer_prob"]
    return pd.DataFrame(rows, columns=[*columns, "answer_rank"])


def cosines(values: NDArray[np.float64], tokens: Sequence[str]) -> pd.DataFrame:
    """Cosine of each state and the last one of its position.

    Args:
        values: The cosines. Shape [layer + 1, position].
        tokens: Labels of the tokens.

    Returns:
        layer, position, token, cosine.
    """
    n_layer, n = values.shape
    return pd.DataFrame(
        {
            "layer": np.repeat(np.arange(n_layer), n),
            "position": np.tile(np.arange(n), n_layer),
            "token": list(tokens) * n_layer,
            "cosine": values.ravel(),
        }
    )


def rank_lines(
    logits: NDArray[np.float32], token_ids: NDArray[np.int64], labels: Mapping[int, str]
) -> pd.DataFrame:
    """Rank and probability of some tokens after every layer.

    Args:
        logits: Logits after each layer. Shape [layer + 1, d_vocab].
        token_ids: The tokens. Shape [n].
        labels: Token id -> label; two tokens may have the same one.

    Returns:
        layer, token, token_id, rank (1 = first), prob.
    """
    places, probs = ranks(logits, token_ids), np.exp(log_probabilities_of(logits, token_ids))
    rows = [
        (layer, f"{labels[token]} ({token})", token, int(places[layer, i]) + 1, float(probs[layer, i]))
        for i, token in enumerate(token_ids.tolist())
        for layer in range(len(logits))
    ]
    return pd.DataFrame(rows, columns=["layer", "token", "token_id", "rank", "prob"])


def stream(residual: ResidualStream) -> pd.DataFrame:
    """Length of the state and its cosine to the last one.

    Returns:
        layer (0 = embedding), norm, cosine.
    """
    layers = np.arange(len(residual.states))
    return pd.DataFrame({"layer": layers, "norm": residual.norms, "cosine": residual.cosines})


def attribution(parts: NDArray[np.float64]) -> pd.DataFrame:
    """Share of each part in a logit.

    Args:
        parts: Embedding, then attention and MLP of each block, then biases; nats. Length [2 * layer + 2].

    Returns:
        layer (0 = embedding), part (embedding, attention, mlp, bias), logit (nats). No row for biases of 0.
    """
    rows = [(0, "embedding", float(parts[0]))]
    for layer in range((len(parts) - 2) // 2):
        rows.append((layer + 1, "attention", float(parts[1 + 2 * layer])))
        rows.append((layer + 1, "mlp", float(parts[2 + 2 * layer])))
    if parts[-1]:
        rows.append((len(parts) // 2 - 1, "bias", float(parts[-1])))
    return pd.DataFrame(rows, columns=["layer", "part", "logit"])


def tensors(rows: Mapping[str, NDArray[np.float64]]) -> pd.DataFrame:
    """Several vectors, one row per number.

    Args:
        rows: Name -> vector, each of shape [d_model].

    Returns:
        tensor, dimension, value, scaled: divided by the root mean square of the longest of them.
    """
    largest = max(float(np.sqrt(np.mean(row**2))) for row in rows.values()) or 1.0
    tables = [
        pd.DataFrame(
            {"tensor": name, "dimension": np.arange(len(row)), "value": row, "scaled": row / largest}
        )
        for name, row in rows.items()
    ]
    return pd.concat(tables, ignore_index=True)


def patched(
    before: NDArray[np.float32], after: NDArray[np.float32], labels: Mapping[int, str]
) -> pd.DataFrame:
    """Next-token probabilities without and with the copied state.

    Args:
        before, after: Logits. Shape [d_vocab].
        labels: Token id -> label, for the tokens wanted, in order.

    Returns:
        place, token, token_id, when (before, after), prob.
    """
    ids = np.array(list(labels), dtype=np.int64)
    probs = np.exp(log_probabilities_of(np.stack([before, after]), ids))
    rows = [
        (place, f"{label} ({token})", token, when, float(probs[row, place]))
        for place, (token, label) in enumerate(labels.items())
        for row, when in enumerate(("before", "after"))
    ]
    return pd.DataFrame(rows, columns=["place", "token", "token_id", "when", "prob"])

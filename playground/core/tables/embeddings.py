"""Tables of the embeddings page; the column names are written here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground.core.contexts import Contexts
from playground.core.embeddings import Baseline, EmbeddingTable, Neighbours
from playground.core.projections import Projection

N_BINS = 60


def neighbours(results: Sequence[Neighbours], texts: Mapping[int, str], baseline: Baseline) -> pd.DataFrame:
    """The nearest tokens under several measures.

    Args:
        results: One entry per measure.
        texts: Token id -> label.
        baseline: Similarity of random pairs.

    Returns:
        measure, place (from 1), token, token_id, similarity; rank (in the whole vocabulary, nothing left
        out), random_mean, random_low, random_high (mean of random pairs, and 2 standard deviations around).
    """
    rows = []
    for result in results:
        pairs = baseline.of(result.measure)
        mean, spread = float(pairs.mean()), float(pairs.std())
        for place, (token_id, value, rank) in enumerate(
            zip(result.token_ids.tolist(), result.similarities.tolist(), result.ranks.tolist(), strict=True),
            start=1,
        ):
            around = (mean, mean - 2 * spread, mean + 2 * spread)
            rows.append((result.measure, place, texts[token_id], token_id, value, rank, *around))
    return pd.DataFrame(
        rows,
        columns=[
            "measure", "place", "token", "token_id", "similarity", "rank",
            "random_mean", "random_low", "random_high",
        ],
    )  # fmt: skip


def vector(table: EmbeddingTable, token_id: int) -> pd.DataFrame:
    """The numbers of one token's vector and of the average vector: dimension (from 0), value, average."""
    return pd.DataFrame(
        {
            "dimension": np.arange(table.vectors.shape[1]),
            "value": table.vectors[token_id],
            "average": table.mean,
        }
    )


def histogram(values: Mapping[str, NDArray[np.floating]]) -> pd.DataFrame:
    """Histogram with bins shared by all series: series, start, stop, share (of its values).

    Args:
        values: Name of a series -> its values. Shape [n].
    """
    everything = np.concatenate([np.asarray(series, np.float64) for series in values.values()])
    low, high = float(everything.min()), float(everything.max())
    edges = np.linspace(low, high if high > low else low + 1, N_BINS + 1)
    parts = []
    for name, series in values.items():
        counts = np.histogram(series, edges)[0]
        bins = {"series": name, "start": edges[:-1], "stop": edges[1:], "share": counts / len(series)}
        parts.append(pd.DataFrame(bins))
    return pd.concat(parts, ignore_index=True)


def maps(projections: Mapping[str, Projection], labels: Sequence[str], groups: Sequence[int]) -> pd.DataFrame:
    """Points of several maps of the same things: map, label, group (from 1), x, y."""
    parts = [
        pd.DataFrame(
            {
                "map": name,
                "label": list(labels),
                "group": [group + 1 for group in groups],
                "x": projection.points[:, 0],
                "y": projection.points[:, 1],
            }
        )
        for name, projection in projections.items()
    ]
    return pd.concat(parts, ignore_index=True)


def context_map(contexts: Contexts, layer: int) -> pd.DataFrame:
    """The word at one layer, one row per sentence: number (from 1), sentence, sense (from 1), x, y."""
    points = contexts.maps[contexts.layers.index(layer)]
    return pd.DataFrame(
        {
            "number": np.arange(1, len(points) + 1),
            "sentence": list(contexts.sentences),
            "sense": [group + 1 for group in contexts.groups],
            "x": points[:, 0],
            "y": points[:, 1],
        }
    )


def context_cosines(contexts: Contexts, layer: int) -> pd.DataFrame:
    """Cosine of every two occurrences at one layer: row, column (numbers from 1), cosine, same_sense."""
    matrix = contexts.cosines[contexts.layers.index(layer)]
    n = len(matrix)
    rows, columns = np.divmod(np.arange(n * n), n)
    groups = np.array(contexts.groups)
    return pd.DataFrame(
        {
            "row": rows + 1,
            "column": columns + 1,
            "cosine": matrix.ravel(),
            "same_sense": groups[rows] == groups[columns],
        }
    )


def separations(contexts: Contexts, layer: int) -> pd.DataFrame:
    """Separation of the senses at each layer: layer, separation, now (the chosen layer)."""
    return pd.DataFrame(
        {
            "layer": list(contexts.layers),
            "separation": pd.array(list(contexts.scores), dtype="Float64"),
            "now": [each == layer for each in contexts.layers],
        }
    )


def sentence_map(projection: Projection, sentences: Sequence[str], groups: Sequence[str]) -> pd.DataFrame:
    """Points of the sentence map: number (from 1), sentence, group, x, y and, in three dimensions, z."""
    axes = dict(zip("xyz", projection.points.T, strict=False))
    number = np.arange(1, len(sentences) + 1)
    return pd.DataFrame({"number": number, "sentence": list(sentences), "group": list(groups), **axes})


def hits(nearest: Sequence[tuple[int, float]], sentences: Sequence[str]) -> pd.DataFrame:
    """Sentences nearest to a query: place, number (in the list, from 1), cosine, sentence.

    Args:
        nearest: Row of the sentence and cosine, best first.
        sentences: All sentences.
    """
    return pd.DataFrame(
        [(place, row + 1, cosine, sentences[row]) for place, (row, cosine) in enumerate(nearest, start=1)],
        columns=["place", "number", "cosine", "sentence"],
    )

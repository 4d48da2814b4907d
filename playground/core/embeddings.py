"""The embedding table: one vector per token, nearest neighbours over the whole vocabulary, analogies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Measure = Literal["cosine", "centred", "dot"]
MEASURES: tuple[Measure, ...] = ("cosine", "centred", "dot")


@dataclass(frozen=True, eq=False)
class EmbeddingTable:
    """The input embedding matrix of a model, shared by every session, and what follows from it.

    On the CPU `vectors` is the model's own memory, not a copy. What follows from it is computed once and is
    small: no second matrix is ever made.

    Attributes:
        model_id: Catalogue id of the model.
        revision: Hash or tag of its weights.
        dtype: Number format of the weights, "float32".
        device: Device they lie on, "cpu".
        vectors: One row per token id, read-only. Shape [d_vocab, d_model].
    """

    model_id: str
    revision: str
    dtype: str
    device: str
    vectors: FloatArray

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.vectors.dtype != np.float32:
            raise ValueError(f"vectors are {self.vectors.dtype} of shape {self.vectors.shape}")
        self.vectors.flags.writeable = False

    @cached_property
    def norms(self) -> FloatArray:
        """Length of each vector. Shape [d_vocab]."""
        lengths: FloatArray = np.sqrt(np.einsum("ij,ij->i", self.vectors, self.vectors))
        return lengths

    @cached_property
    def mean(self) -> FloatArray:
        """The average vector. Shape [d_model]."""
        average: FloatArray = self.vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        return average

    @cached_property
    def along_mean(self) -> FloatArray:
        """Dot product of each vector with the average one. Shape [d_vocab]."""
        products: FloatArray = self.vectors @ self.mean
        return products

    @cached_property
    def centred_norms(self) -> FloatArray:
        """Length of each vector after the average one is subtracted. Shape [d_vocab]."""
        squared = self.norms**2 - 2 * self.along_mean + self.mean @ self.mean
        lengths: FloatArray = np.sqrt(np.maximum(squared, 0))
        return lengths


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The most similar tokens under one measure.

    Attributes:
        measure: "cosine", "centred" (cosine after the average vector is subtracted) or "dot".
        token_ids: Best first. Shape [n].
        similarities: Similarity of each. Shape [n].
        ranks: Rank of each in the whole vocabulary, from 1, nothing left out. Shape [n].
    """

    measure: Measure
    token_ids: NDArray[np.int64]
    similarities: FloatArray
    ranks: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Baseline:
    """Similarity of pairs of unrelated tokens, under each measure.

    Attributes:
        cosine, centred, dot: Similarity of each random pair. Shape [n_pairs].
    """

    cosine: FloatArray
    centred: FloatArray
    dot: FloatArray

    def of(self, measure: Measure) -> FloatArray:
        """Similarities of the pairs under one measure. Shape [n_pairs]."""
        return {"cosine": self.cosine, "centred": self.centred, "dot": self.dot}[measure]


def similarities(table: EmbeddingTable, query: FloatArray) -> dict[Measure, FloatArray]:
    """Similarity of a vector to every token, under all three measures, from one product with the matrix.

    Args:
        table: The vectors t.
        query: The vector q. Shape [d_model].

    Returns:
        Measure -> similarity. Shape [d_vocab]. A vector of length 0 is similar to nothing: 0.

    Source:
        (t - m)(q - m) = tq - tm - m(q - m), so centring needs no centred copy of the matrix.
    """
    query = np.asarray(query, dtype=np.float32)
    dot: FloatArray = table.vectors @ query
    centre = query - table.mean
    centred = dot - table.along_mean - table.mean @ centre
    return {
        "cosine": _divided(dot, table.norms * np.linalg.norm(query)),
        "centred": _divided(centred, table.centred_norms * np.linalg.norm(centre)),
        "dot": dot,
    }


def nearest(values: FloatArray, measure: Measure, n: int, *, without: tuple[int, ...] = ()) -> Neighbours:
    """The `n` most similar tokens, exact over the whole vocabulary; equal ones in the order of their ids.

    Args:
        values: From `similarities`. Shape [d_vocab].
        measure: The measure of these values.
        n: Number of tokens.
        without: Token ids to leave out.

    Example:
        >>> best = nearest(np.array([0.1, 0.9, 0.5, 0.9], dtype=np.float32), "cosine", 2, without=(1,))
        >>> best.token_ids.tolist(), best.ranks.tolist()
        ([3, 2], [2, 3])
    """
    wanted = min(n + len(set(without)), len(values))
    edge = np.partition(values, len(values) - wanted)[len(values) - wanted]
    candidates = np.flatnonzero(values >= edge)
    ordered = candidates[np.argsort(-values[candidates], kind="stable")]
    ranks = np.arange(1, len(ordered) + 1)
    kept = ~np.isin(ordered, without)
    ids = ordered[kept][:n].astype(np.int64)
    return Neighbours(measure, ids, values[ids], ranks[kept][:n])


def rank_of(values: FloatArray, token_id: int, *, without: tuple[int, ...] = ()) -> int:
    """Rank of one token among all, from 1.

    Args:
        values: From `similarities`. Shape [d_vocab].
        token_id: The token.
        without: Token ids that do not count.

    Example:
        >>> rank_of(np.array([0.1, 0.9, 0.5], dtype=np.float32), 2)
        2
    """
    better = values > values[token_id]
    better[list(without)] = False
    return int(better.sum()) + 1


def random_pairs(table: EmbeddingTable, seed: int, n_pairs: int = 4_000) -> Baseline:
    """Similarity of pairs of tokens drawn at random, two different ones each.

    Args:
        table: The vectors.
        seed: Same seed, same pairs.
        n_pairs: Number of pairs.
    """
    random = np.random.Generator(np.random.Philox(key=seed))
    d_vocab = len(table.vectors)
    first = random.integers(0, d_vocab, n_pairs)
    second = (first + random.integers(1, max(d_vocab, 2), n_pairs)) % d_vocab
    dot = np.einsum("ij,ij->i", table.vectors[first], table.vectors[second])
    centred = dot - table.along_mean[first] - table.along_mean[second] + table.mean @ table.mean
    return Baseline(
        cosine=_divided(dot, table.norms[first] * table.norms[second]),
        centred=_divided(centred, table.centred_norms[first] * table.centred_norms[second]),
        dot=dot,
    )


def analogy_query(table: EmbeddingTable, a: int, b: int, c: int) -> FloatArray:
    """The vector a - b + c of three tokens, as they lie in the table.

    Source:
        Mikolov, Yih & Zweig 2013, "Linguistic Regularities in Continuous Space Word Representations".
        Their vectors had length 1; these are the model's own.

    Returns:
        Shape [d_model].
    """
    query: FloatArray = table.vectors[a] - table.vectors[b] + table.vectors[c]
    return query


def _divided(dot: FloatArray, lengths: FloatArray) -> FloatArray:
    quotients: FloatArray = np.divide(dot, lengths, out=np.zeros_like(dot), where=lengths > 0)
    return quotients

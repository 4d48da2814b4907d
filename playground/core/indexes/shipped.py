"""Chunks of the texts that come with the playground, and their vectors by multilingual-e5-small.

`playground.trained.chunk_vectors` writes the file; its questions are sentences that are in no chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playground.core.indexes.found import Vectors
from playground.paths import site_root

FOLDER = "chunk-vectors"
FILE = "chunks.npz"


@dataclass(frozen=True, slots=True, eq=False)
class ShippedChunks:
    """Texts, and their vectors of length 1.

    Attributes:
        chunks: The chunks.
        vectors: Their vectors. Shape [chunk, 384].
        questions: The questions.
        question_vectors: Their vectors. Shape [question, 384].
    """

    chunks: tuple[str, ...]
    vectors: Vectors
    questions: tuple[str, ...]
    question_vectors: Vectors


@cache
def shipped_chunks() -> ShippedChunks:
    """The chunks that are shipped, read once; nobody may write to them."""
    return read(site_root() / "assets" / "trained" / FOLDER / FILE)


def write(path: Path, shipped: ShippedChunks) -> None:
    """Write it, each number of a vector as one byte."""
    np.savez_compressed(
        path,
        texts=np.frombuffer("\n".join([*shipped.chunks, *shipped.questions]).encode(), dtype=np.uint8),
        vectors=_as_bytes(shipped.vectors),
        question_vectors=_as_bytes(shipped.question_vectors),
    )


def read(path: Path) -> ShippedChunks:
    """Read what `write` wrote."""
    with np.load(path) as file:
        texts = tuple(file["texts"].tobytes().decode().split("\n"))
        vectors, asked = _unit(file["vectors"]), _unit(file["question_vectors"])
    return ShippedChunks(texts[: len(vectors)], vectors, texts[len(vectors) :], asked)


def _as_bytes(vectors: Vectors) -> NDArray[np.int8]:
    largest: Vectors = np.abs(vectors).max(axis=1, keepdims=True)
    return np.round(vectors * (127 / largest)).astype(np.int8)


def _unit(rows: NDArray[np.int8]) -> Vectors:
    vectors = rows.astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors.flags.writeable = False
    return vectors

"""Sentence vectors: one per sentence, their nearest neighbours, and the files that take them elsewhere."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from playground.core.projections import unit
from playground.core.trace import Trace

Vectors = NDArray[np.float32]
_BREAKS = re.compile(r"[\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")


def sentence_vector(trace: Trace) -> Vectors:
    """Mean of the last layer over all tokens, [CLS] and [SEP] too, divided by its length. Shape [d_model].

    Source:
        Reimers & Gurevych 2019, "Sentence-BERT", section 3: mean pooling; the all-MiniLM-L6-v2 model card
        normalises after it.
    """
    assert trace.hidden_states is not None
    vector: Vectors = unit(trace.hidden_states[-1].mean(axis=0))
    return vector


def closest(
    vectors: Vectors, query: Vectors, n: int, *, without: int | None = None
) -> list[tuple[int, float]]:
    """The `n` rows most similar to a vector, with their cosine, best first; equal ones in order.

    Args:
        vectors: Vectors of length 1. Shape [n_sentences, d_model].
        query: A vector of length 1. Shape [d_model].
        n: Most rows returned.
        without: A row to leave out.
    """
    cosines = np.clip(vectors @ query, -1.0, 1.0)
    ordered = [int(row) for row in np.argsort(-cosines, kind="stable") if row != without]
    return [(row, float(cosines[row])) for row in ordered[:n]]


def npy_bytes(vectors: Vectors) -> bytes:
    """The vectors [n_sentences, d_model] as a .npy file."""
    file = io.BytesIO()
    np.save(file, vectors, allow_pickle=False)
    return file.getvalue()


def vectors_tsv(vectors: Vectors) -> bytes:
    """The vectors [n_sentences, d_model] as the embedding projector reads them: one per line, no header."""
    return "".join("\t".join(f"{x:.7g}" for x in row) + "\n" for row in vectors.tolist()).encode()


def metadata_tsv(sentences: Sequence[str], groups: Sequence[str]) -> bytes:
    r"""The metadata file beside `vectors_tsv`: a header, then sentence and group of each line.

    Example:
        >>> metadata_tsv(["a\tb"], [""]).decode()
        'sentence\tgroup\na b\t\n'
    """
    lines = [f"{_one_line(s)}\t{_one_line(g)}\n" for s, g in zip(sentences, groups, strict=True)]
    return ("sentence\tgroup\n" + "".join(lines)).encode("utf-8", "replace")


def _one_line(text: str) -> str:
    return _BREAKS.sub(" ", text)

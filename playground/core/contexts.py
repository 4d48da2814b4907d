"""One word in several sentences: where its tokens are, and how its vectors part layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.core import projections
from playground.core.tokens import Tokenization
from playground.core.trace import Trace


@dataclass(frozen=True, eq=False)
class Contexts:
    """A word in `n` sentences, seen at every layer.

    Attributes:
        sentences: The texts. Length n.
        groups: Which sense each belongs to, from 0, as the reader grouped them. Length n.
        layers: Which layers; 0 is the embedding.
        maps: Principal components of the vectors' directions, each layer turned towards the one before.
            Shape [layer, n, 2].
        cosines: Cosine of every two vectors. Shape [layer, n, n].
        scores: Separation of the senses at each layer (`projections.separation`), None where undefined.
    """

    sentences: tuple[str, ...]
    groups: tuple[int, ...]
    layers: tuple[int, ...]
    maps: NDArray[np.float64]
    cosines: NDArray[np.float32]
    scores: tuple[float | None, ...]

    @property
    def best_layer(self) -> int | None:
        """The layer at which the senses separate best; the first of equal ones."""
        known = [
            (score, -layer)
            for score, layer in zip(self.scores, self.layers, strict=True)
            if score is not None
        ]
        return -max(known)[1] if known else None


def positions_of(word: str, tokenization: Tokenization) -> tuple[int, ...]:
    """Tokens that hold any character of the last place where `word` occurs, upper and lower case alike.

    The last place, because a decoder knows only what stands before. Nothing when it does not occur.

    Example:
        >>> spans = ((0, 1), (1, 6))
        >>> cut = Tokenization("m", "a bank", (1, 2), ("a", " bank"), (b"a", b" bank"), spans, (False,) * 2)
        >>> positions_of("Bank", cut)
        (1,)
    """
    text = tokenization.text
    same_length = len(text.lower()) == len(text)  # not so for a few letters, such as the Turkish I with a dot
    start = text.lower().rfind(word.lower()) if same_length else text.rfind(word)
    if start < 0 or not word:
        return ()
    stop = start + len(word)
    return tuple(
        position
        for position, (begin, end) in enumerate(tokenization.offsets)
        if begin < end and begin < stop and end > start
    )


def word_vectors(trace: Trace, positions: Sequence[int]) -> NDArray[np.float32]:
    """The word at every captured layer: the mean over its tokens. Shape [layer, d_model]."""
    assert trace.hidden_states is not None
    found: NDArray[np.float32] = trace.hidden_states[:, list(positions)].mean(axis=1)
    return found


def compare(
    sentences: Sequence[str],
    groups: Sequence[int],
    layers: Sequence[int],
    vectors: NDArray[np.float32],
) -> Contexts:
    """Map, cosines and separation at every layer.

    Args:
        sentences: The texts.
        groups: Sense of each.
        layers: Which layers.
        vectors: Of the word. Shape [layer, n, d_model].
    """
    directions = projections.unit(vectors)
    maps: list[NDArray[np.float64]] = []
    for layer in directions:
        points = projections.pca(layer, 2).points
        maps.append(projections.turned_towards(points, maps[-1]) if maps and maps[-1].any() else points)
    cosines = np.stack([projections.cosine_matrix(layer) for layer in vectors])
    scores = tuple(projections.separation(layer, groups) for layer in cosines)
    return Contexts(tuple(sentences), tuple(groups), tuple(layers), np.stack(maps), cosines, scores)


def grouped(text: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    r"""Read sentences, one a line; an empty line starts the next sense.

    Example:
        >>> grouped("a\nb\n\n\nc\n")
        (('a', 'b', 'c'), (0, 0, 1))
    """
    sentences: list[str] = []
    groups: list[int] = []
    group, gap = 0, False
    for line in text.splitlines():
        if not line.strip():
            gap = bool(sentences)
            continue
        group, gap = group + gap, False
        sentences.append(line.strip())
        groups.append(group)
    return tuple(sentences), tuple(groups)

"""One word in several sentences: where its tokens are, and how its vectors part layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.core import pieces, projections
from playground.core.canonical import canonical
from playground.core.tokens import Tokenization
from playground.core.trace import Trace


@dataclass(frozen=True, eq=False)
class Contexts:
    """A word in `n` sentences, seen at every layer.

    Attributes:
        sentences: The texts. Length n.
        groups: The sense each belongs to, from 0, as the reader grouped them. Length n.
        layers: The captured layers; 0 is the embedding.
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
        scored = [
            (score, -layer)
            for score, layer in zip(self.scores, self.layers, strict=True)
            if score is not None
        ]
        return -max(scored)[1] if scored else None


def positions_of(word: str, tokenization: Tokenization) -> tuple[int, ...]:
    """Tokens that hold any character of the last place where `word` occurs, whatever its case and form.

    The last place, because a decoder knows only what stands before. Nothing when it does not occur.

    Example:
        >>> spans = ((0, 1), (1, 6))
        >>> cut = Tokenization("m", "a bank", (1, 2), ("a", " bank"), (b"a", b" bank"), spans, (False,) * 2)
        >>> positions_of("Bank", cut)
        (1,)
    """
    compared, spans = _compared(tokenization.text)
    wanted = _compared(word)[0]
    first = compared.rfind(wanted)
    if first < 0 or not word:
        return ()
    start, stop = spans[first][0], spans[first + len(wanted) - 1][1]
    return tuple(
        position
        for position, (begin, end) in enumerate(tokenization.offsets)
        if begin < end and begin < stop and end > start
    )


def _compared(text: str) -> tuple[str, list[tuple[int, int]]]:
    """A text as it is compared, and for each of its code points the ones of `text` that it was made of.

    Lower case is longer than upper case for a few letters, such as the Turkish I with a dot.
    """
    compared, spans, start = "", list[tuple[int, int]](), 0
    for character in pieces.characters(text):
        form = canonical(character).lower()
        is_plain = len(form) == len(character)
        spans += [
            (start + i, start + i + 1) if is_plain else (start, start + len(character))
            for i in range(len(form))
        ]
        compared, start = compared + form, start + len(character)
    return compared, spans


def word_vectors(trace: Trace, positions: Sequence[int]) -> NDArray[np.float32]:
    """The word at every captured layer: the mean over its tokens. Shape [layer, d_model]."""
    assert trace.hidden_states is not None
    means: NDArray[np.float32] = trace.hidden_states[:, list(positions)].mean(axis=1)
    return means


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
        layers: The layers of `vectors`.
        vectors: The word's vector in each sentence. Shape [layer, n, d_model].
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
    r"""Read sentences, one per line; an empty line starts the next sense.

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

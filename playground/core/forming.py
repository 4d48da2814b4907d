"""A model as it forms: words in what it writes, embeddings on axes that stay, heads that change."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from playground.core.pretraining import normal, parts
from playground.core.projections import pca

_WORD = re.compile(r"\w+")
N_PROMPTS = 2
PROMPT_CHARS = 16  # most of a prompt
LEAST_ASCII, LEAST_OTHER = 3, 2  # characters of a word: a single letter is one by chance


@lru_cache(maxsize=16)
def words_of(text: str) -> frozenset[str]:
    """The different words of a text: runs of letters and digits, composed, in small letters.

    A run of fewer than three ASCII characters, or of fewer than two others, is none: noise hits it by chance.

    Example:
        >>> sorted(words_of("The sea, the SEA: a b 바다 물"))
        ['sea', 'the', '바다']
    """
    return frozenset(filter(is_long, _WORD.findall(unicodedata.normalize("NFC", text).lower())))


def is_long(word: str) -> bool:
    """True if a run of letters is long enough to be a word.

    Example:
        >>> [is_long(one) for one in ("sea", "is", "바다", "물")]
        [True, False, True, False]
    """
    return len(word) >= (LEAST_ASCII if word.isascii() else LEAST_OTHER)


def real_words(prompt: str, written: str, known: frozenset[str]) -> tuple[int, int]:
    """Words in what a model wrote that are words of a text, and all that it wrote.

    Runs as in `words_of`. The rest of the prompt's last word, and the last word, which the end may have cut,
    do not count.

    Args:
        prompt: What it went on from.
        written: What it wrote.
        known: Words of the text, from `words_of`.

    Example:
        >>> real_words("The li", "ght was drk in the h", frozenset({"the", "was", "light"}))
        (2, 3)
    """
    text = unicodedata.normalize("NFC", written).lower()
    begins_within = bool(prompt) and bool(_WORD.fullmatch(prompt[-1]))
    found = [
        match.group()
        for match in _WORD.finditer(text)
        if is_long(match.group()) and match.end() < len(text) and not (begins_within and match.start() == 0)
    ]
    return sum(word in known for word in found), len(found)


@dataclass(frozen=True, eq=False)
class FixedMap:
    """Vectors at several steps on the same two axes.

    Attributes:
        points: Of each step, shape [vector, 2].
        explained: Share of the last step's variance along each axis. Shape [2].
        extent: Largest distance of a coordinate from the middle, over all steps.
    """

    points: tuple[NDArray[np.float64], ...]
    explained: NDArray[np.float64]
    extent: float


def fixed_map(steps: Sequence[NDArray[np.floating]]) -> FixedMap:
    """The vectors of every step along the two directions in which those of the last step differ most.

    Args:
        steps: Vectors of each step, all of the same things. Shape of each [vector, d_model].

    Example:
        >>> first, last = np.zeros((2, 3)), np.array([[3.0, 0, 0], [-3.0, 0, 0]])
        >>> fixed_map([first, last]).points[-1][:, 0].round(6).tolist()
        [3.0, -3.0]
    """
    last = np.asarray(steps[-1], np.float64)
    found = pca(last.astype(np.float32), 2)
    middle = last.mean(axis=0)
    axes = (
        np.linalg.pinv(last - middle, rcond=1e-6) @ found.points
    )  # [d_model, 2]: points = (last - middle) axes
    points = tuple((np.asarray(one, np.float64) - middle) @ axes for one in steps)
    extent = max(float(np.abs(one).max(initial=0.0)) for one in points)
    return FixedMap(points, found.explained, extent or 1.0)


def weight_on_the_one_before(attention: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean weight of each head on the position before, over the positions that have one.

    Args:
        attention: Shape [layer, head, query, key].

    Returns:
        Shape [layer, head].

    Example:
        >>> float(weight_on_the_one_before(np.array([[[[1.0, 0], [0.75, 0.25]]]]))[0, 0])
        0.75

    Source:
        Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits": previous-token heads.
    """
    found: NDArray[np.float64] = np.diagonal(
        np.asarray(attention, np.float64), offset=-1, axis1=2, axis2=3
    ).mean(axis=-1)
    return found


def most_changed_head(first: NDArray[np.floating], last: NDArray[np.floating]) -> tuple[int, int]:
    """The head whose weights moved most between two steps, from 0: half the sum of differences, over rows.

    Args:
        first, last: Shape [layer, head, query, key].

    Example:
        >>> first = np.eye(2)[None, None].repeat(2, axis=1)
        >>> most_changed_head(first, np.stack([np.eye(2), np.ones((2, 2)) / 2])[None])
        (0, 1)
    """
    moved = np.abs(np.asarray(last, np.float64) - np.asarray(first, np.float64)).sum(axis=(2, 3))
    layer, head = np.unravel_index(int(moved.argmax()), moved.shape)
    return int(layer), int(head)


def first_below(points: Sequence[tuple[int, float]], line: float) -> int | None:
    """The first step from which on every measurement lies below a line; None where the last does not.

    Example:
        >>> first_below([(0, 5.0), (10, 2.0), (20, 4.0), (30, 2.5)], 3.0)
        30
        >>> first_below([(0, 5.0), (10, 3.0)], 3.0) is None
        True
    """
    found = None
    for step, value in reversed(points):
        if not value < line:
            break
        found = step
    return found


def prompts_of(text: str) -> tuple[str, ...]:
    r"""Beginnings for a model to go on from: the first words of held-out lines, which it has never read.

    Where no such line is long enough, the beginning of the text.

    Example:
        >>> prompts_of("one two three\n" * 30 + "four\nfive six seven eight nine\n")
        ('five six seven',)
    """
    held_out = parts(text).held_out.decode("utf-8", "ignore")
    lines = [line.strip() for line in held_out.split("\n")[1:]]
    cut = [line[: PROMPT_CHARS + 1].rpartition(" ")[0] for line in lines if len(line) > PROMPT_CHARS]
    found = list(dict.fromkeys(one.strip() for one in cut if one.strip()))[:N_PROMPTS]
    return tuple(found) or (normal(text)[:PROMPT_CHARS],)

"""Span corruption: spans of a text become sentinels; the answer is the sentinels, each with its span."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DENSITY, MEAN_SPAN = 0.15, 3.0

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CorruptedText:
    """A text as an encoder-decoder reads and answers it in training.

    Attributes:
        input_ids: Tokens that the encoder reads; sentinel k is -1 - k.
        target_ids: Tokens that the decoder is to write: each sentinel with what it stands for, one more
            sentinel at the end.
        hidden: True where a token of the text is hidden. Shape [position of the text].
    """

    input_ids: tuple[int, ...]
    target_ids: tuple[int, ...]
    hidden: NDArray[np.bool_]


def corrupt_spans(ids: Ids, rng: np.random.Generator) -> CorruptedText:
    """Hide 15 % of a text in spans of three tokens on average; it begins with a token that is seen.

    Args:
        ids: Token ids of the text, without its frame; two at least. Shape [position].
        rng: Source of the choice.

    Source:
        Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
        Transformer", section 3.1.4; `random_spans_noise_mask` of its code.

    Raises:
        ValueError: The text has fewer than two tokens.
    """
    n = len(ids)
    if n < 2:
        raise ValueError(f"{n} tokens")
    n_hidden = min(max(round(n * DENSITY), 1), n - 1)
    n_spans = min(max(round(n_hidden / MEAN_SPAN), 1), n - n_hidden)
    seen, spans = _segments(n - n_hidden, n_spans, rng), _segments(n_hidden, n_spans, rng)
    lengths = np.stack([seen, spans], axis=1).ravel()
    hidden = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    input_ids: list[int] = []
    target_ids: list[int] = []
    sentinel = 0
    for place, token in enumerate(ids.tolist()):
        if hidden[place] and not (place and hidden[place - 1]):
            sentinel -= 1
            input_ids.append(sentinel)
            target_ids.append(sentinel)
        (target_ids if hidden[place] else input_ids).append(token)
    return CorruptedText(tuple(input_ids), (*target_ids, sentinel - 1), hidden)


def restore(input_ids: tuple[int, ...], target_ids: tuple[int, ...]) -> tuple[int, ...]:
    """The text again: every sentinel of the input replaced by what follows it in the target.

    Example:
        >>> restore((5, -1, 8, -2), (-1, 6, 7, -2, 9, -3))
        (5, 6, 7, 8, 9)
    """
    spans: dict[int, list[int]] = {}
    for token in target_ids:
        if token < 0:
            spans[last := token] = []
        else:
            spans[last].append(token)
    return tuple(each for token in input_ids for each in (spans[token] if token < 0 else [token]))


def _segments(n_items: int, n_segments: int, rng: np.random.Generator) -> Ids:
    """Random lengths, one at least each, of so many segments of so many items. Shape [segment]."""
    ends = np.sort(rng.choice(n_items - 1, n_segments - 1, replace=False)) + 1
    return np.diff(ends, prepend=0, append=n_items)

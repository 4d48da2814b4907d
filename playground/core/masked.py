"""Masks in a text: words and their tokens, one mask after another filled, answers of several tokens."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray

from playground.core.tokens import Tokenization

Ids = tuple[int, ...]
Order = Literal["left", "right", "surest"]
ORDERS: tuple[Order, ...] = ("left", "right", "surest")
BETWEEN_SPACES = regex.compile(r"\S+")
LETTERS_OR_SIGNS = regex.compile(r"[\p{L}\p{M}\p{N}'’_]+|[^\s\p{L}\p{M}\p{N}'’_]+")
_LN_2 = float(np.log(2))


@dataclass(frozen=True, slots=True, eq=False)
class Guesses:
    """A model's answers at the masks of a text.

    Attributes:
        positions: Positions of the masks. Shape [mask].
        best_ids: The most probable token of each. Shape [mask].
        best_logprobs: Its log-probability, nats. Shape [mask].
        asked_logprobs: Log-probability of a token that was asked about at each. Shape [mask].
    """

    positions: NDArray[np.int64]
    best_ids: NDArray[np.int64]
    best_logprobs: NDArray[np.floating]
    asked_logprobs: NDArray[np.floating]


Ask = Callable[[Ids, int], Guesses]
"""Reads a text with masks; gives the answers at them, and the log-probability of one token at each."""


@dataclass(frozen=True, slots=True)
class Filling:
    """Tokens that were written into the masks of a text.

    Attributes:
        positions: Positions of the masks, from left to right.
        token_ids: Token in each.
        logprobs: Log-probability of each when it was chosen, nats.
    """

    positions: Ids
    token_ids: Ids
    logprobs: tuple[float, ...]

    @property
    def bits(self) -> float:
        """Sum of the surprisals at the moments of choice, bits."""
        return -sum(self.logprobs) / _LN_2


class Word(NamedTuple):
    """A word of a text.

    Attributes:
        text: The word.
        start: Its first character in the text.
        positions: Positions of its tokens, ascending.
    """

    text: str
    start: int
    positions: Ids


def words_of(tokens: Tokenization, pattern: regex.Pattern[str] = BETWEEN_SPACES) -> list[Word]:
    """The words of a text and the positions of each one's tokens; those of the frame belong to none.

    A token belongs to the word that holds its last character. A word without a token of its own (its
    characters are part of another's tokens, or left out by the tokenizer) is not listed.

    Args:
        tokens: The text as a model reads it.
        pattern: Pattern of a word.
    """
    spans = [match.span() for match in pattern.finditer(tokens.text)]
    starts = [start for start, _stop in spans]
    of_word: list[list[int]] = [[] for _word in spans]
    for position, ((start, stop), special) in enumerate(zip(tokens.offsets, tokens.special, strict=True)):
        shown = tokens.text[start:stop].rstrip()
        if special or not shown.strip():
            continue
        last = start + len(shown) - 1
        word = bisect_right(starts, last) - 1
        if word >= 0 and last < spans[word][1]:
            of_word[word].append(position)
    return [
        Word(tokens.text[start:stop], start, tuple(positions))
        for (start, stop), positions in zip(spans, of_word, strict=True)
        if positions
    ]


def longest(labels: Sequence[str], positions: Sequence[int]) -> int | None:
    """The position with the longest label, the first of equal ones; None of none."""
    return max(positions, key=lambda at: (len(labels[at]), -at), default=None)


def with_masks(ids: Sequence[int], positions: Sequence[int], mask_id: int) -> Ids:
    """The token ids with a mask at these positions."""
    hidden = set(positions)
    return tuple(mask_id if at in hidden else token for at, token in enumerate(ids))


def fill_at_once(ids: Ids, ask: Ask) -> Filling:
    """Every mask filled with its most probable token, none knowing of the others.

    Args:
        ids: Token ids of a text with masks.
        ask: Reads it.
    """
    guesses = ask(ids, 0)
    return Filling(
        tuple(guesses.positions.tolist()),
        tuple(guesses.best_ids.tolist()),
        tuple(guesses.best_logprobs.tolist()),
    )


def fill_in_turn(ids: Ids, order: Order, ask: Ask) -> Filling:
    """One mask filled after another, each knowing what stands in those before it; one reading per mask.

    Args:
        ids: Token ids of a text with masks.
        order: The leftmost first, the rightmost first, or the one whose best token is most probable.
        ask: Reads a text.

    Source:
        Ghazvininejad et al. 2019, "Mask-Predict", and Wang & Cho 2019, "BERT has a Mouth, and It Must Speak".
    """
    written: dict[int, tuple[int, float]] = {}
    current = list(ids)
    n_masks = 1
    while len(written) < n_masks:
        guesses = ask(tuple(current), 0)
        n_masks = len(written) + len(guesses.positions)
        place = {"left": 0, "right": -1, "surest": int(guesses.best_logprobs.argmax())}[order]
        position, token = int(guesses.positions[place]), int(guesses.best_ids[place])
        written[position] = token, float(guesses.best_logprobs[place])
        current[position] = token
    positions = tuple(sorted(written))
    return Filling(
        positions,
        tuple(written[at][0] for at in positions),
        tuple(written[at][1] for at in positions),
    )


def chain(ids: Ids, positions: Sequence[int], token_ids: Sequence[int], ask: Ask) -> tuple[float, ...]:
    """log p of tokens written into masks from left to right, each given those before it.

    Args:
        ids: Token ids of a text with masks at least at `positions`; other masks stay.
        positions: Positions to write, ascending.
        token_ids: Token of each.
        ask: Reads a text.

    Returns:
        Log-probability of each, nats; their sum is that of the whole answer among all of as many tokens.

    Source:
        Kauf & Ivanova 2023, "A Better Way to Do Masked Language Model Scoring".
    """
    current, logprobs = list(ids), list[float]()
    for position, token in zip(positions, token_ids, strict=True):
        guesses = ask(tuple(current), token)
        at = int(np.flatnonzero(guesses.positions == position)[0])
        logprobs.append(float(guesses.asked_logprobs[at]))
        current[position] = token
    return tuple(logprobs)


def tokens_instead(before: Tokenization, position: int, after: Tokenization) -> tuple[Ids, Ids] | None:
    """Positions and ids of the tokens that stand where one token was, in a text with other words there.

    Args:
        before: A text.
        position: The token that was replaced.
        after: The text with the replacement.

    Returns:
        None where a token beside the replacement has changed, or nothing stands there.
    """
    n_behind = len(before) - position - 1
    stop = len(after) - n_behind
    same_start = before.input_ids[:position] == after.input_ids[:position]
    same_end = before.input_ids[position + 1 :] == after.input_ids[stop:]
    if stop <= position or not same_start or not same_end:
        return None
    return tuple(range(position, stop)), after.input_ids[position:stop]

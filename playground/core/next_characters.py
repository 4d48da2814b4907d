"""The next character of a text, summed over every way in which a model's tokens can spell it.

A token may be part of a character (`EC`, `95 88`) or hold several, so the probability of a character is that
of all sequences of tokens that begin with it. They form a tree, walked from the most probable branch on.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground.core.pieces import open_bytes

Floats = NDArray[np.float64]
Path = tuple[int, ...]
_BROKEN = "\ufffd"
AT_ONCE = 4  # branches that are asked for together: of SmolLM2 in Korean, nearly all of them are followed
N_KEPT = 512  # beginnings of characters whose going on is kept, some 6 kB each


@dataclass(frozen=True, slots=True, eq=False)
class NextCharacters:
    """Probabilities of the next character; all masses together are 1.

    Attributes:
        probs: Character (a code point), with the white space before it -> probability, most probable first.
            U+FFFD where the bytes are not text.
        ended: Mass of the special tokens: they end the text or mark its format.
        left: Mass of begun characters that were not followed to their end: each character has up to this much
            more.
        n_followed: Number of begun characters that were followed, one forward pass each.
    """

    probs: dict[str, float]
    ended: float
    left: float
    n_followed: int


class Spelling:
    """The bytes of each token of a vocabulary, sorted so that a distribution is summed by character at once.

    Args:
        tokens: The bytes of every token id, in order; b"" for special tokens, which spell nothing.
    """

    def __init__(self, tokens: Sequence[bytes]) -> None:
        self._bytes = tuple(tokens)
        self._special = np.array([i for i, token in enumerate(tokens) if not token], dtype=np.int64)
        own = [i for i, token in enumerate(tokens) if token]
        self._inside = [i for i in own if 0x80 <= self._bytes[i][0] <= 0xBF]
        inside = set(self._inside)
        self._fresh = [i for i in own if i not in inside]
        read = {i: first_character(self._bytes[i]) for i in self._fresh}
        self._begun = np.array([i for i, char in read.items() if not char], dtype=np.int64)
        names = sorted({char for char in read.values() if char})
        index_of = {name: i for i, name in enumerate(names)}
        self._whole = np.array([i for i, char in read.items() if char], dtype=np.int64)
        self._names, self._place = names, np.array([index_of[read[i]] for i in self._whole], dtype=np.int64)
        self._going_on = lru_cache(maxsize=N_KEPT)(self._read_going_on)

    def split(self, probs: Floats, before: bytes) -> tuple[dict[str, float], float, list[tuple[float, int]]]:
        """Sort the next token's probabilities by the character it completes after the bytes that stand there.

        Args:
            probs: Probability of every token. Shape [d_vocab].
            before: White space, then bytes that have begun a character.

        Returns:
            Character -> its mass; the mass of special tokens; (mass, token) where no character is whole yet.
        """
        masses: dict[str, float] = {}
        ended = float(probs[self._special].sum())
        rest = open_bytes(before)
        space = before[: len(before) - len(rest)].decode()
        begun: list[tuple[float, int]] = []
        if rest:  # any token that does not go on with the character breaks it
            masses[space + _BROKEN] = float(probs[self._fresh].sum())
        else:
            sums = np.bincount(self._place, weights=probs[self._whole], minlength=len(self._names))
            names = [space + name for name in self._names] if space else self._names
            masses = {name: mass for name, mass in zip(names, sums.tolist(), strict=True) if mass}
            begun = list(zip(probs[self._begun].tolist(), self._begun.tolist(), strict=True))
        own = probs[self._inside].tolist()
        for i, char, p in zip(self._inside, self._going_on(before), own, strict=True):
            if char:
                masses[char] = masses.get(char, 0.0) + p
            else:
                begun.append((p, i))
        return masses, ended, begun

    def _read_going_on(self, before: bytes) -> list[str]:
        """For each token that goes on with a character: the character that is whole with it, or ""."""
        return [first_character(before + self._bytes[i]) for i in self._inside]

    def spelled(self, path: Path) -> bytes:
        """The bytes of these tokens."""
        return b"".join(self._bytes[token] for token in path)


def table(result: NextCharacters) -> pd.DataFrame:
    """The next characters as a table, one row each, most probable first.

    Returns:
        kind (character, end: of the text, left: begun and not followed), character (with the white space
        before it; "" but for the first kind), prob. All probabilities together are 1.

    Example:
        >>> table(NextCharacters({"a": 0.7, "안": 0.2}, 0.0625, 0.0375, 1))["prob"].tolist()
        [0.7, 0.2, 0.0625, 0.0375]
    """
    rows = [("character", char, p) for char, p in result.probs.items()]
    rows += [("end", "", result.ended), ("left", "", result.left)]
    return pd.DataFrame(rows, columns=["kind", "character", "prob"])


def first_character(text: bytes) -> str:
    """The first character other than white space, with the white space before it; "" where it is not whole.

    Example:
        >>> first_character(b" London"), first_character(b" "), first_character("한".encode()[:2])
        (' L', '', '')
        >>> first_character("한국".encode()[:4]), first_character(bytes([0xFF])) == chr(0xFFFD)
        ('한', True)
    """
    rest = open_bytes(text)
    whole = text[: len(text) - len(rest)].decode("utf-8", "replace")
    space = len(whole) - len(whole.lstrip())
    return whole[: space + 1] if space < len(whole) else ""


def next_characters(
    spelling: Spelling,
    probabilities: Callable[[Sequence[Path]], Sequence[Floats | None]],
    *,
    max_followed: int,
    enough: float,
) -> NextCharacters:
    """Sum the next character's probabilities over the tree of tokens that spell it, best branch first.

    Branches are asked for `AT_ONCE` at a time, the one that is followed next and those that look best after
    it, so that a batch reads them together; the order in which they are followed is the same.

    Args:
        spelling: Spelling of the model's vocabulary.
        probabilities: Gives, for each of some paths, the probability of every token, shape [d_vocab], after
            the text and these tokens, () for the text alone; None where the model can read no more.
        max_followed: Most begun characters that are followed.
        enough: Mass that may be left: once less is left, no more is followed.

    Returns:
        Probabilities that are exact but for `left`: the mass that was not followed.

    Example:
        >>> spelling = Spelling([b"a", b" ", bytes([0xEC]), bytes([0x95, 0x88])])
        >>> after = {(): [0.5, 0.0, 0.5, 0.0], (2,): [0.25, 0.0, 0.0, 0.75]}
        >>> read = lambda paths: [np.array(after[path]) for path in paths]
        >>> result = next_characters(spelling, read, max_followed=8, enough=0.0)
        >>> result.probs == {"a": 0.5, "안": 0.375, chr(0xFFFD): 0.125}, result.left, result.n_followed
        (True, 0.0, 1)
    """
    probs: dict[str, float] = {}
    ended, left, stopped, n_followed = 0.0, 1.0, 0.0, -1  # the text itself is not a begun character
    order = count()  # of equal branches the first found
    known: dict[Path, Floats | None] = {}
    waiting: list[tuple[float, int, Path]] = [(-1.0, next(order), ())]
    while waiting and n_followed < max_followed and left > enough:
        if waiting[0][-1] not in known:
            best = (branch[-1] for branch in heapq.nsmallest(AT_ONCE, waiting))
            room = max(1, min(AT_ONCE, max_followed - n_followed) - len(known))
            wanted = [path for path in best if path not in known][:room]
            known |= zip(wanted, probabilities(wanted), strict=True)
        mass, _order, path = heapq.heappop(waiting)
        if (after := known.pop(path)) is None:
            stopped -= mass
            continue
        masses, special, begun = spelling.split(after, spelling.spelled(path))
        n_followed += 1
        ended -= mass * special
        for char, share in masses.items():
            if share:
                probs[char] = probs.get(char, 0.0) - mass * share
        for share, token in begun:
            if share:
                heapq.heappush(waiting, (mass * share, next(order), (*path, token)))
        left = stopped - sum(branch[0] for branch in waiting)
    names, shares = list(probs), np.array(list(probs.values()))
    ranked = {names[i]: float(shares[i]) for i in np.argsort(-shares, kind="stable").tolist()}
    return NextCharacters(ranked, ended, max(0.0, left), max(0, n_followed))

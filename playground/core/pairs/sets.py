"""The data sets of pairs: drawn by a seed; held out by what a pair is, so that no seed trains on those."""

from __future__ import annotations

import hashlib
import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType

from playground.core.pairs import korean_numbers
from playground.core.pairs.dates import LANGUAGES, date_pairs
from playground.core.pairs.pair import Pair
from playground.core.pairs.vocabulary import Vocabulary

OWN = "own"  # a reader's pairs
HELD_OUT_SHARE = 0.1
N_DATES = 3  # in a line, at most
SEPARATOR = "; "
_TRIES = 400  # draws for each pair of a wanted length
Draw = Callable[[random.Random, bool, range], Pair]


@dataclass(frozen=True, slots=True)
class PairSet:
    """A data set.

    Attributes:
        draw: Draws a pair: random numbers, True for one that is held out, lengths of the source that are
            wanted (it may be another where the data cannot choose).
        lengths: Lengths that sources have, characters.
    """

    draw: Draw
    lengths: range


def is_held_out(source: str) -> bool:
    """True for the tenth of all sources on which nothing is ever trained, whatever the seed.

    Example:
        >>> [word for word in ("copy", "word", "time", "note", "attention") if is_held_out(word)]
        []
    """
    digest = hashlib.sha256(source.encode()).digest()
    return int.from_bytes(digest[:8]) < HELD_OUT_SHARE * 2**64


def _by_hash(make: Callable[[random.Random, range], Pair]) -> Draw:
    """Draw until the hash of the source says what is wanted."""

    def draw(drawn: random.Random, held_out: bool, lengths: range) -> Pair:
        while True:
            pair = make(drawn, lengths)
            if is_held_out(pair.source) is held_out:
                return pair

    return draw


def _letters(drawn: random.Random, lengths: range) -> str:
    return "".join(drawn.choices(string.ascii_lowercase, k=drawn.choice(lengths)))


def _reversed(drawn: random.Random, lengths: range) -> Pair:
    letters = _letters(drawn, lengths)
    return Pair(letters, letters[::-1])


def _copied(drawn: random.Random, lengths: range) -> Pair:
    letters = _letters(drawn, lengths)
    return Pair(letters, letters)


def _number(drawn: random.Random, _lengths: range) -> Pair:
    number = drawn.randrange(10 ** drawn.randint(1, 12))
    return Pair(korean_numbers.in_words(number), str(number))


def _dates(languages: tuple[str, ...], most: int = 1) -> Draw:
    """Dates in a line; those of a held-out line are all held out."""

    def draw(drawn: random.Random, held_out: bool, _lengths: range) -> Pair:
        pairs = date_pairs(drawn.randint(1, most), drawn.getrandbits(64), languages, held_out=held_out)
        return Pair(SEPARATOR.join(one.source for one in pairs), " ".join(one.target for one in pairs))

    return draw


PAIR_SETS: Mapping[str, PairSet] = MappingProxyType(
    {
        "dates": PairSet(_dates(LANGUAGES), range(9, 30)),
        "dates_en": PairSet(_dates(("en",)), range(9, 30)),
        "dates_ko": PairSet(_dates(("ko",)), range(9, 18)),
        "date_lines": PairSet(_dates(LANGUAGES, N_DATES), range(9, 92)),
        "reverse": PairSet(_by_hash(_reversed), range(2, 41)),
        "copy": PairSet(_by_hash(_copied), range(2, 41)),
        "korean_numbers": PairSet(_by_hash(_number), range(1, 24)),
    }
)


@lru_cache(maxsize=8)
def pairs(name: str, n: int, seed: int, longest: int, *, held_out: bool = False) -> tuple[Pair, ...]:
    """Pairs of a data set; one may come twice.

    Args:
        name: Id of the set.
        n: Number of pairs.
        seed: The same seed gives the same pairs.
        longest: Longest source, characters; not less than the shortest of the set.
        held_out: True draws held-out pairs only, False the others only.

    Raises:
        KeyError: There is no such set.
        ValueError: No source of it is that short.
    """
    chosen = PAIR_SETS[name]
    lengths = range(chosen.lengths.start, min(chosen.lengths.stop, longest + 1))
    if not lengths:
        raise ValueError(f"sources of {name} have {chosen.lengths.start} characters or more")
    drawn = random.Random(seed)
    found: list[Pair] = []
    while len(found) < n:
        pair = chosen.draw(drawn, held_out, lengths)
        if len(pair.source) <= longest:
            found.append(pair)
    return tuple(found)


@lru_cache(maxsize=256)
def of_length(name: str, length: int, n: int, seed: int) -> tuple[Pair, ...]:
    """Held-out pairs whose source has one length, each once; fewer than wanted where there are no more.

    Args:
        name: Id of the set.
        length: Characters of the source.
        n: Number of pairs wanted.
        seed: The same seed gives the same pairs.

    Raises:
        KeyError: There is no such set.
    """
    chosen, drawn, found = PAIR_SETS[name], random.Random(f"{seed} {length}"), dict[Pair, None]()
    if length in chosen.lengths:
        for _ in range(_TRIES * n):
            pair = chosen.draw(drawn, True, range(length, length + 1))
            if len(pair.source) == length:
                found[pair] = None
            if len(found) == n:
                break
    return tuple(found)


@cache
def vocabularies(name: str) -> tuple[Vocabulary, Vocabulary]:
    """The characters of a data set, of its sources and of its targets.

    Raises:
        KeyError: There is no such set.
    """
    known = [*pairs(name, 2000, 0, PAIR_SETS[name].lengths[-1])]
    return Vocabulary.of(one.source for one in known), Vocabulary.of(one.target for one in known)

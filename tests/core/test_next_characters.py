"""Next characters: sums over a tree of tokens, against every sequence of tokens written out."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core import next_characters as core
from playground.core.next_characters import (
    AT_ONCE,
    Floats,
    Path,
    Spelling,
    first_character,
    next_characters,
)
from playground.core.pieces import bytes_of

TOKENS = ["a", " ", "<EC>", "<95>", "<88>", "<20 EC 95>", "<88 EC>", "</s>"]
END = len(TOKENS) - 1
SPELLING = Spelling([b"" if token == "</s>" else bytes_of(token) for token in TOKENS])
DEPTH = 5


def each(probabilities: Callable[[Path], Floats | None]) -> Callable[[Sequence[Path]], list[Floats | None]]:
    """The same for several paths."""
    return lambda paths: list(map(probabilities, paths))


class TinyModel:
    """A model of eight tokens whose next token depends on all before it."""

    def __init__(self, seed: int) -> None:
        self.seed, self.asked = seed, list[Path]()

    def __call__(self, path: Path) -> Floats:
        self.asked.append(path)
        logits = np.random.default_rng([self.seed, *path]).normal(scale=2.0, size=len(TOKENS))
        found: Floats = np.exp(logits) / np.exp(logits).sum()
        return found


def bytes_by_hand(path: Path) -> bytes:
    each = {"a": b"a", " ": b" ", "</s>": b""}
    return b"".join(each.get(TOKENS[i]) or bytes.fromhex(TOKENS[i].strip("<>/s")) for i in path)


def by_hand(text: bytes) -> str:
    """The first character after white space, by the first byte's count; "" while it may still come."""
    rest = text.lstrip(b" ")
    space = " " * (len(text) - len(rest))
    if not rest:
        return ""
    if rest[0] < 0x80:
        return space + chr(rest[0])
    if rest[0] != 0xEC or any(not 0x80 <= byte <= 0xBF for byte in rest[1:3]):
        return space + "\ufffd"
    return space + rest[:3].decode() if len(rest) >= 3 else ""


def every_sequence(seed: int) -> tuple[dict[str, float], float, float]:
    """Mass of each character, of ends, and of what is not decided after `DEPTH` tokens."""
    model, sums, ended, left = TinyModel(seed), defaultdict[str, float](float), 0.0, 0.0
    after = {path: model(path) for n in range(DEPTH) for path in itertools.product(range(END), repeat=n)}
    for path in itertools.product(range(len(TOKENS)), repeat=DEPTH):
        stop = path.index(END) if END in path else DEPTH
        if stop < DEPTH - 1 and any(path[stop + 1 :]):
            continue  # one sequence stands for all that end here
        read = path[:stop]
        p = float(np.prod([after[read[:i]][token] for i, token in enumerate(read)]))
        p *= float(after[read][END]) if stop < DEPTH else 1.0
        char = by_hand(bytes_by_hand(read))
        if char:
            sums[char] += p
        elif stop < DEPTH:
            ended += p
        else:
            left += p
    return dict(sums), ended, left


@pytest.mark.parametrize("seed", range(4))
def test_sums_are_those_of_every_sequence_of_tokens(seed: int) -> None:
    expected, ended, left = every_sequence(seed)
    model = TinyModel(seed)
    found = next_characters(
        SPELLING,
        each(lambda path: model(path) if len(path) < DEPTH else None),  # the same depth
        max_followed=100_000, enough=0.0,
    )  # fmt: skip
    assert set(found.probs) == set(expected)
    assert found.probs == pytest.approx(expected, abs=1e-12)
    assert (found.ended, found.left) == pytest.approx((ended, left), abs=1e-12)
    assert list(found.probs.values()) == sorted(found.probs.values(), reverse=True)


@given(st.integers(0, 10_000), st.integers(0, 30))
def test_all_masses_are_one_and_no_more_is_followed_than_allowed(seed: int, most: int) -> None:
    model = TinyModel(seed)
    found = next_characters(SPELLING, each(model), max_followed=most, enough=0.01)
    assert sum(found.probs.values()) + found.ended + found.left == pytest.approx(1, abs=1e-12)
    assert found.n_followed <= most
    assert found.n_followed + 1 <= len(model.asked) <= found.n_followed + AT_ONCE
    assert found.left <= 0.01 or found.n_followed == most


@given(st.integers(0, 10_000), st.integers(0, 30))
def test_branches_asked_for_together_are_followed_in_the_order_of_one_by_one(seed: int, most: int) -> None:
    one_by_one, turns = each(TinyModel(seed)), list[int]()

    def together(paths: Sequence[Path]) -> list[Floats | None]:
        turns.append(len(paths))
        return one_by_one(paths)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(core, "AT_ONCE", 1)
        slow = next_characters(SPELLING, one_by_one, max_followed=most, enough=0.01)
    quick = next_characters(SPELLING, together, max_followed=most, enough=0.01)
    assert (quick.probs, quick.ended, quick.left, quick.n_followed) == (
        slow.probs, slow.ended, slow.left, slow.n_followed,
    )  # fmt: skip
    assert len(turns) <= 1 + slow.n_followed


@given(st.integers(0, 10_000))
def test_what_is_followed_longer_only_moves_what_was_left(seed: int) -> None:
    short, long = (
        next_characters(SPELLING, each(TinyModel(seed)), max_followed=n, enough=0.0) for n in (3, 20)
    )
    assert long.left <= short.left + 1e-12
    for char, p in long.probs.items():
        assert short.probs.get(char, 0.0) - 1e-12 <= p <= short.probs.get(char, 0.0) + short.left + 1e-12


@given(st.text())
def test_first_character_is_known_as_soon_as_its_bytes_are(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    space = len(text) - len(text.lstrip())
    wanted = text[: space + 1] if space < len(text) else ""
    whole = len(wanted.encode())
    for n in range(len(text.encode()) + 1):
        assert first_character(text.encode()[:n]) == (wanted if wanted and n >= whole else "")

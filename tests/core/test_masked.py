"""Words of a text, masks filled one after another, answers of several tokens."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from playground.core import masked as core
from playground.core.masked import Guesses
from playground.core.tokens import Tokenization

MASK = 9
JOINT = np.array([[0.00, 0.40], [0.35, 0.25]])  # at once: 1, 1, the rarest pair that is possible


def joint(ids: tuple[int, ...], token: int) -> Guesses:
    """A model that knows the joint distribution of two places between two marks."""
    assert ids[0] == ids[3] == 7
    places = [at for at in (1, 2) if ids[at] == MASK]
    rows: list[NDArray[np.float64]] = []
    for place in places:
        other = ids[3 - place]
        table = JOINT if place == 1 else JOINT.T  # [this, other]
        weights = table.sum(1) if other == MASK else table[:, other]
        rows.append(weights / weights.sum())
    probs = np.array(rows)
    with np.errstate(divide="ignore"):
        return Guesses(np.array(places), probs.argmax(1), np.log(probs.max(1)), np.log(probs[:, token]))


START = (7, MASK, MASK, 7)


def test_at_once_no_mask_knows_of_the_other() -> None:
    filling = core.fill_at_once(START, joint)
    assert filling.token_ids == (1, 1)
    np.testing.assert_allclose(np.exp(filling.logprobs), [0.6, 0.65])
    assert filling.bits == pytest.approx(-np.log2(0.6 * 0.65))


@pytest.mark.parametrize(
    ("order", "tokens", "probs"),
    [
        ("left", (1, 0), (0.6, 0.35 / 0.6)),
        ("right", (0, 1), (0.4 / 0.65, 0.65)),
        ("surest", (0, 1), (0.4 / 0.65, 0.65)),
    ],
)
def test_one_after_the_other_the_second_knows_the_first(
    order: core.Order, tokens: tuple[int, ...], probs: tuple[float, ...]
) -> None:
    filling = core.fill_in_turn(START, order, joint)
    assert filling.positions == (1, 2)
    assert filling.token_ids == tokens
    np.testing.assert_allclose(np.exp(filling.logprobs), probs)


@pytest.mark.parametrize("tokens", [(0, 1), (1, 0), (1, 1)])
def test_the_chain_from_left_to_right_is_the_joint_probability(tokens: tuple[int, int]) -> None:
    logprobs = core.chain(START, (1, 2), tokens, joint)
    assert np.exp(sum(logprobs)) == pytest.approx(JOINT[tokens])


def cut(text: str, spans: list[tuple[int, int]], ids: list[int] | None = None) -> Tokenization:
    """A text between two tokens that frame it."""
    spans = [(0, 0), *spans, (len(text), len(text))]
    n = len(spans)
    parts = tuple(text[start:stop] for start, stop in spans)
    special = (True, *(False,) * (n - 2), True)
    numbers = tuple(range(n)) if ids is None else (7, *ids, 7)
    return Tokenization("m", text, numbers, parts, tuple(map(str.encode, parts)), tuple(spans), special)


def test_a_token_belongs_to_the_word_of_its_last_character() -> None:
    tokens = cut("서울은  big, no", [(0, 2), (2, 3), (3, 4), (4, 8), (8, 9), (9, 12)])
    assert core.words_of(tokens) == [("서울은", 0, (1, 2)), ("big,", 5, (4, 5)), ("no", 10, (6,))]
    assert core.words_of(tokens, core.LETTERS_OR_SIGNS) == [
        ("서울은", 0, (1, 2)), ("big", 5, (4,)), (",", 8, (5,)), ("no", 10, (6,)),
    ]  # fmt: skip


def test_the_longest_token_is_the_first_of_equal_ones() -> None:
    assert core.longest(["a", "bb", "cc"], [0, 1, 2]) == 1
    assert core.longest(["a"], []) is None


def test_an_answer_of_several_tokens_stands_between_the_same_neighbours() -> None:
    before = cut("a b c", [(0, 1), (2, 3), (4, 5)], [1, 2, 3])
    after = cut("a xyz c", [(0, 1), (2, 3), (3, 5), (6, 7)], [1, 5, 6, 3])
    assert core.tokens_instead(before, 2, after) == ((2, 3), (5, 6))
    swallowed = cut("a xc", [(0, 1), (2, 4)], [1, 8])
    assert core.tokens_instead(before, 2, swallowed) is None
    assert core.tokens_instead(before, 2, cut("a c", [(0, 1), (2, 3)], [1, 3])) is None


def test_masks_stand_where_they_are_wanted() -> None:
    assert core.with_masks((4, 5, 6), (0, 2), MASK) == (MASK, 5, MASK)

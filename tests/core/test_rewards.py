"""Rewards a reader may choose: counted right, bounded in time, refused with a sentence."""

from __future__ import annotations

import pickle
import re
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.rewards import MAX_PATTERN, TIMEOUT_S, TextReward, finite_rewards, rewards_of
from playground.errors import BadValue

PLAIN, SMALL = "plain regular expression", "smaller counts"
SLOW = r"(x|xx|xxx)+$"  # triples its time with every x, where another letter ends the text


@pytest.mark.parametrize(
    ("reward", "text", "expected"),
    [(TextReward("characters"), "한 글", 3), (TextReward("characters"), "\u1112\u1161\u11ab", 1),
     (TextReward("words"), " so  it is ", 3), (TextReward("words"), "", 0),
     (TextReward("mentions", "Awesome"), "awesome, AWESOME, awesomest", 3),
     (TextReward("mentions", "고마"), "고마워요, 고맙습니다", 1), (TextReward("mentions", "aa"), "aaaa", 2),
     (TextReward("pattern", r"[?!]"), "What?! No!", 3), (TextReward("pattern", r"x*"), "xx x", 2),
     (TextReward("pattern", r"(?i)\bthank(s| you)\b"), "Thanks. Thank you!", 2),
     (TextReward("pattern", r"\p{Hangul}+"), "한글 and 영어", 2),
     (TextReward("words", sign=-1), "so it is", -3)],
)  # fmt: skip
def test_by_hand(reward: TextReward, text: str, expected: float) -> None:
    assert rewards_of(reward, [text, text]).tolist() == [expected, expected]


@given(st.text(max_size=60), st.sampled_from([r"\w+", r"[aeiou]", r"a{2,3}", r"(?:ab)+", r"\d+\.\d+"]))
def test_matches_are_those_of_re(text: str, pattern: str) -> None:
    ascii_ = text.encode("ascii", "ignore").decode()
    expected = sum(bool(match.group()) for match in re.finditer(pattern, ascii_))
    assert rewards_of(TextReward("pattern", pattern), [ascii_]).tolist() == [expected]


@given(st.text(max_size=40), st.text(max_size=40), st.text(min_size=1, max_size=5).filter(str.strip))
def test_more_text_never_has_less_of_it(text: str, more: str, word: str) -> None:
    for reward in (TextReward("characters"), TextReward("words"), TextReward("mentions", word)):
        one, both = rewards_of(reward, [text, f"{text} {more}"])
        assert 0 <= one <= both


def test_an_expression_that_would_never_end_is_stopped() -> None:
    begin = time.process_time()
    with pytest.raises(BadValue, match="takes less time"):
        rewards_of(TextReward("pattern", SLOW), ["x" * 200 + "z"] * 8)
    assert time.process_time() - begin < 10 * TIMEOUT_S, "a second of this process for all texts"


@pytest.mark.parametrize(
    ("pattern", "cure"),
    [("(", PLAIN), ("[a", PLAIN), (r"\L<names>", PLAIN),
     ("", "1 to 200 characters"), ("a" * (MAX_PATTERN + 1), "1 to 200 characters"),
     ("((a{100}){100}){100}", SMALL), ("a{99999999}", SMALL), ("(a{,200}){,200}", SMALL),
     (r"\p{nonsense}", PLAIN), ("(?P<a>x)(?P<a", PLAIN)],
)  # fmt: skip
def test_an_expression_that_cannot_be_used_is_refused_before_any_text(pattern: str, cure: str) -> None:
    with pytest.raises(BadValue, match=cure) as caught:
        TextReward("pattern", pattern).check()
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@given(st.text(max_size=30))
def test_any_expression_is_used_or_refused_with_a_sentence(pattern: str) -> None:
    reward, said = TextReward("pattern", pattern), ""
    try:
        assert np.isfinite(rewards_of(reward, ["Some text, 한 글.", ""])).all()
    except BadValue as error:
        said = str(error)
    assert not said or said.startswith("The regular expression is ")


@pytest.mark.parametrize(
    ("reward", "sentence"),
    [(TextReward("mentions"), "The word is ''"), (TextReward("mentions", " "), "The word is ' '"),
     (TextReward("mentions", "x" * 41), "a word of 1 to 40 characters"),
     (TextReward("vowels"), "only characters, words, mentions, pattern"),  # type: ignore[arg-type]
     (TextReward("words", sign=2), "only -1, 1")],  # type: ignore[arg-type]
)  # fmt: skip
def test_other_rewards_are_refused(reward: TextReward, sentence: str) -> None:
    with pytest.raises(BadValue, match=re.escape(sentence)):
        rewards_of(reward, ["a"])


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_reward_that_is_no_number_is_refused(broken: Any) -> None:
    with pytest.raises(BadValue, match=f"The reward is {broken}, but only a number is possible"):
        finite_rewards([1.0, broken])
    assert finite_rewards([]).tolist() == []

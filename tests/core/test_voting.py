"""Numbers read off answers, and the vote over them."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st_

from playground.core.voting import canonical_number, last_number, majority, sign_test
from playground.paths import site_root

ANSWERS = st_.lists(st_.sampled_from(["1", "2", "3", None]), max_size=12)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Tom has 3 + 4 = 7 apples.", "7"),
        ("He has 8. Answer: 7", "7"),
        ("Answer: 5. No. Answer: 7. ", "7"),
        ("ANSWER : 7 apples", "7"),
        ("Answer: 3 + 4 = 7", "7"),
        ("5마리였습니다. 정답: 7마리입니다", "7"),
        ("답：7", "7"),
        ("Answer: unknown, but 7 before", "7"),
        ("7 apples. Answer:", "7"),
        ("It costs 1,200 won", "1200"),
        ("It costs 1,200,300.50 won", "1200300.5"),
        ("12,34", "12.34"),
        ("Answer: .5", "0.5"),
        ("-.25 and", "-0.25"),
        ("the end.5 apples", "5"),
        ("wait...5", "5"),
        ("1e5", "100000"),
        ("1.5E-3 m", "0.0015"),
        ("-2e3개", "-2000"),
        ("3e4f", "4"),
        ("2e", "2"),
        ("1.000.000", "1000000"),
        ("1,000,000", "1000000"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1.000", "1"),
        ("1,000", "1000"),
        ("0,500", "0.5"),
        ("1234,567", "1234.567"),
        ("3,14.", "3.14"),
        ("1,2,3", "3"),
        ("1,2,300", "300"),
        ("1.2.3", "3"),
        ("2024.01.15", "15"),
        ("1만", "1"),
        ("1, 2, 3", "3"),
        ("7.0", "7"),
        ("So it is 7.", "7"),
        ("0.50", "0.5"),
        ("007", "7"),
        ("일곱 개가 아니라 7개입니다.", "7"),
        ("-5", "-5"),
        ("= −5", "-5"),
        ("(-5)", "-5"),
        ("10-4", "4"),
        ("10 - 4", "4"),
        ("GPT-2", "2"),
        ("$15", "15"),
        ("**7**", "7"),
        ("７", "7"),
        ("-0", "0"),
        ("no number", None),
        ("Answer: seven", None),
        ("", None),
    ],
)
def test_the_number_of_an_answer_and_in_the_shown_code(text: str, number: str | None) -> None:
    assert last_number(text) == number
    assert shown_number()(text) == number


@cache
def shown_number() -> Callable[[str], str | None]:
    """`number` of the script under the picture; the rest of it, which loads a model, does not run."""
    tree = ast.parse((site_root() / "assets/code/thinking.py").read_text("utf-8"))
    at = next(
        i for i, part in enumerate(tree.body) if isinstance(part, ast.FunctionDef) and part.name == "number"
    )
    found: dict[str, Any] = {"re": re, "Decimal": Decimal}
    exec(compile(ast.Module(tree.body[at - 4 : at + 1], []), "thinking.py", "exec"), found)
    return cast("Callable[[str], str | None]", found["number"])


@given(st_.integers(-(10**40), 10**40), st_.sampled_from(["{}", "{:,}", "{:,}.00", "{}개"]))
def test_a_number_is_read_however_it_is_written(number: int, style: str) -> None:
    text = f"First 1, then 2. Answer: {style.format(number)} is it"
    assert last_number(text) == shown_number()(text) == str(number)


@given(st_.text(st_.sampled_from("0123.,-−e :답\n")))
def test_the_shown_code_reads_the_same(text: str) -> None:
    assert shown_number()(text) == last_number(text)


@given(st_.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_a_number_with_decimals_is_read_in_both_ways_of_grouping(number: Decimal) -> None:
    english = f"{number:,.2f}"
    german = english.replace(",", "x").replace(".", ",").replace("x", ".")
    assert last_number(english) == last_number(german) == canonical_number(f"{number:.2f}")


@given(st_.text(st_.sampled_from("0123456789.,-−eE :답Answer개\n%$")))
def test_what_is_read_is_a_number_in_its_shortest_form(text: str) -> None:
    number = last_number(text)
    assert (number is None) == (not any(letter.isdecimal() for letter in text))
    if number is not None:
        assert canonical_number(number) == number
        assert Decimal(number).is_finite()


@given(st_.text())
def test_any_text_has_a_number_or_none(text: str) -> None:
    assert (last_number(text) is None) == (not any(letter.isdecimal() for letter in text))


@pytest.mark.parametrize(
    ("answers", "winner"),
    [
        (["7"], "7"),
        (["7", "8", "8"], "8"),
        (["7", "8", "9"], "7"),
        (["1", "2", "2", "1"], "2"),
        ([None, None, "7"], "7"),
        ([None], None),
        ([], None),
    ],
)
def test_most_votes_win_and_of_equals_the_first_to_have_them(
    answers: list[str | None], winner: str | None
) -> None:
    assert majority(answers) == winner


@given(ANSWERS)
def test_the_winner_is_the_one_that_led_when_the_last_count_was_first_reached(
    answers: list[str | None],
) -> None:
    votes = [answer for answer in answers if answer is not None]
    if not votes:
        assert majority(answers) is None
        return
    most = max(Counter(votes).values())
    reached = next(end for end in range(1, len(votes) + 1) if max(Counter(votes[:end]).values()) == most)
    assert majority(answers) == votes[reached - 1]


@given(st_.lists(st_.tuples(st_.booleans(), st_.booleans()), max_size=40))
def test_better_one_way_is_worse_the_other_way(pairs: list[tuple[bool, bool]]) -> None:
    one, other = [a for a, _b in pairs], [b for _a, b in pairs]
    turned = {"better": "worse", "worse": "better", "unclear": "unclear"}
    assert sign_test(other, one) == turned[sign_test(one, other)]


def test_an_exact_sign_test() -> None:
    """Eight that changed, all one way: p = 2 / 2⁸. Problems that both solve, or neither, change nothing."""
    twelve, four = [True] * 12 + [False] * 8, [True] * 4 + [False] * 16
    assert sign_test(twelve, four) == "better"
    turned = [False] * 4 + [True] * 8 + [False] * 8  # 12 - 4 as before, but four problems went the other way
    assert sign_test([True] * 4 + turned[4:], four) == "better"
    assert sign_test(turned, four) == "unclear"

"""The number an answer ends with, and the vote of several answers.

    "3 + 4 = 7 apples. Answer: 7"  -> "7"  \
    "Tom has 12 apples."           -> "12"  } majority -> "7"
    "So there are 7."              -> "7"  /
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import comb
from typing import Literal

_MARK = re.compile(r"(?:answer|답)\s*[:：]", re.IGNORECASE)  # also the end of "정답:"
_NUMBER = re.compile(
    r"""
    (?:(?<![\w.,)\]%])[-−])?  # a minus sign; between two numbers it would be a difference
    (?:
        (?<!\d)(?<!\d[.,])  # not in the middle of "1,2,3", a list
        (?:
            (?!0)\d{1,3}(?:,\d{3})+(?:\.\d+)?  # 1,200 and 1,200.50
            | (?!0)\d{1,3}(?:\.\d{3})+,\d+  # 1.200,50
            | (?!0)\d{1,3}(?:\.\d{3}){2,}  # 1.200.300
            | \d+,\d+  # 12,5
        )
        (?![.,]?\d)
        | \d+(?:\.\d+)?
        | (?<![\w.])\.\d+  # .5
    )
    (?:[eE][-+]?\d{1,2}(?![\dA-Za-z]))?  # 1e5
    """,
    re.VERBOSE,
)
_BY_COMMAS = re.compile(r"-?(?!0)\d{1,3}(?:,\d{3})+(?:\.\d+)?")  # thousands, not a decimal comma

ALPHA = 0.05
Comparison = Literal["better", "worse", "unclear"]


def last_number(text: str) -> str | None:
    """The number a text answers with: the last one after the last "Answer:" or "답:", or the last one of all.

    A comma between two digits groups thousands where it can (1,200), as in English and Korean; otherwise it
    is a decimal comma (12,5). A point is a decimal point (1.200 is 1.2) unless more than one point or a comma
    behind it says that it groups (1.200.300 and 1.200,50). Digits with several commas that do not group are
    a list (1,2,3).

    Args:
        text: Text that a model wrote; a unit may follow the number without a space, as in "7개".

    Returns:
        Digits without thousands separators, zeros that say nothing, or a unit; None without any number.
        Words that stand for numbers are not read, so neither is 만 in "1만", which may also mean "only 1".

    Example:
        >>> last_number("3 + 4 = 7. Answer: 7.0"), last_number("모두 1,200개입니다."), last_number("-5")
        ('7', '1200', '-5')
        >>> last_number("I take 4 of 10-4."), last_number("Answer: I do not know.")
        ('4', None)
        >>> last_number(".5"), last_number("12,34"), last_number("1.000.000"), last_number("1e5")
        ('0.5', '12.34', '1000000', '100000')

    Source:
        Wei et al. 2022, "Chain-of-Thought Prompting Elicits Reasoning in Large Language Models",
        arXiv:2201.11903: the answer stands behind the steps, after fixed words.
        Kojima et al. 2022, "Large Language Models are Zero-Shot Reasoners", arXiv:2205.11916, 2.1: without
        examples the number is picked out of the text. They take the first one behind the words "the answer
        is"; here the last one counts, because "Answer: 3 + 4 = 7" begins with what is added.
    """
    after = _NUMBER.findall(_MARK.split(text)[-1])
    numbers = after or _NUMBER.findall(text)
    return canonical_number(numbers[-1]) if numbers else None


def canonical_number(number: str) -> str:
    """The form in which a number is compared.

    Args:
        number: Written in any way that `last_number` reads.

    Example:
        >>> [canonical_number(number) for number in ("1,200", "7.0", "007", "-0", "2.50", "12,34")]
        ['1200', '7', '7', '0', '2.5', '12.34']
    """
    text = number.replace("−", "-")
    has_decimal_comma = "," in text and not _BY_COMMAS.match(text)
    if has_decimal_comma or text.count(".") > 1:
        text = text.replace(".", "").replace(",", ".")
    written = format(Decimal(text.replace(",", "")), "f")
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return "0" if written in ("-0", "") else written


def majority(answers: Iterable[str | None]) -> str | None:
    """The answer given most often; of equals, the one that reached the count first.

    Args:
        answers: Answers in the order they were given; None, an answer without a number, is not a vote.

    Returns:
        The winner, None when nobody voted.

    Example:
        >>> majority(["7", "12", None, "7"]), majority(["1", "2", "2", "1"]), majority([None])
        ('7', '2', None)

    Source:
        Wang et al. 2022, "Self-Consistency Improves Chain of Thought Reasoning in Language Models",
        arXiv:2203.11171, section 2: sampled reasoning paths, majority vote of their answers.
    """
    counts: Counter[str] = Counter()
    best: str | None = None
    for answer in answers:
        if answer is None:
            continue
        counts[answer] += 1
        if best is None or counts[answer] > counts[best]:
            best = answer
    return best


def sign_test(first: Sequence[bool], second: Sequence[bool]) -> Comparison:
    """An exact sign test: did the first get more of the same problems right than chance explains?

    Problems that both got right or both got wrong say nothing. Among the others chance is a coin toss; the
    answer is "unclear" where at least 5 % of all tosses are as uneven.

    Args:
        first, second: True for each problem that was answered right.

    Example:
        >>> sign_test([True] * 6, [False] * 6), sign_test([True] * 5, [False] * 5)
        ('better', 'unclear')

    Source:
        McNemar 1947, "Note on the Sampling Error of the Difference Between Correlated Proportions",
        Psychometrika 12; exact as in Dietterich 1998, "Approximate Statistical Tests", section 3.1.
    """
    wins = sum(a and not b for a, b in zip(first, second, strict=True))
    losses = sum(b and not a for a, b in zip(first, second, strict=True))
    n, fewer = wins + losses, min(wins, losses)
    p = min(1.0, 2 * sum(comb(n, k) for k in range(fewer + 1)) / 2**n)
    if p >= ALPHA:
        return "unclear"
    return "better" if wins > losses else "worse"

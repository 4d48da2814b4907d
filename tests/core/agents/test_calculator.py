"""The calculator beside Python's own arithmetic, and what it refuses."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.agents.calculator import LARGEST, MAX_CHARS, calculate
from playground.core.agents.trouble import ToolTrouble

SIGNS = {"+": Fraction.__add__, "-": Fraction.__sub__, "*": Fraction.__mul__, "/": Fraction.__truediv__}
Term = tuple[str, Fraction]
numbers = st.integers(0, 999).map(lambda n: (str(n), Fraction(n)))


def joined(parts: tuple[Term, str, Term]) -> Term:
    (left, a), sign, (right, b) = parts
    if sign == "/" and b == 0:
        return f"({left} + {right})", a + b
    return f"({left} {sign} {right})", SIGNS[sign](a, b)


terms = st.recursive(
    numbers, lambda inner: st.tuples(inner, st.sampled_from(list(SIGNS)), inner).map(joined), max_leaves=4
)


@given(terms)
def test_it_gives_the_value_of_the_tree_that_a_text_spells(term: Term) -> None:
    text, value = term
    assert float(calculate(text)) == pytest.approx(float(value), abs=1e-6)


@pytest.mark.parametrize(
    ("text", "value"),
    [("2 + 3 * 4", "14"), ("(2 + 3) * 4", "20"), ("2 - 3 - 4", "-5"), ("24 / 4 / 2", "3"),
     ("2 ^ 3 ^ 2", "512"),
     ("-2 ^ 2", "-4"), ("1 / 3", "0.333333"), ("0.1 + 0.2", "0.3"), ("12 × 7", "84"), ("1,000 - 1", "999")],
)  # fmt: skip
def test_signs_bind_as_in_school(text: str, value: str) -> None:
    assert calculate(text) == value


@pytest.mark.parametrize(
    ("text", "trouble"),
    [("", "not_arithmetic"), ("37 times 24", "not_arithmetic"), ("__import__('os')", "not_arithmetic"),
     ("open('/etc/passwd')", "not_arithmetic"), ("1 +", "not_arithmetic"), ("(1", "not_arithmetic"),
     ("1 2", "not_arithmetic"), ("1 / 0", "divides_by_zero"),
     ("0 ^ -1", "divides_by_zero"),
     ("9 ^ 9 ^ 9", "too_large"), ("10 ^ 12 * 10 ^ 12", "too_large"), ("1" * MAX_CHARS, "too_large"),
     ("-" * 60 + "1", "too_large"), ("(" * 30 + "1" + ")" * 30, "too_large"), ("1" * 100_000, "too_long"),
     ("2 ^ 0.5", "too_large")],
)  # fmt: skip
def test_what_it_refuses_has_a_name(text: str, trouble: str) -> None:
    with pytest.raises(ToolTrouble) as caught:
        calculate(text)
    assert caught.value.name == trouble


@given(st.text(max_size=MAX_CHARS))
def test_any_text_has_a_value_or_a_name(text: str) -> None:
    try:
        said = calculate(text)
    except ToolTrouble as trouble:
        said = str(trouble)
    assert said.startswith("Error:") or float(said) <= LARGEST

"""The tool that computes: a parser of arithmetic with bounds, on exact fractions. It knows no names."""

from __future__ import annotations

import re
from fractions import Fraction

from playground.core.agents.trouble import ToolTrouble

MAX_CHARS = 80
MAX_DEPTH = 12  # of brackets and signs
MAX_EXPONENT = 12
LARGEST = 10**15
_TOKEN = re.compile(r"\s*(\d+(?:,\d{3})+(?:\.\d+)?(?![\d,])|\d+(?:\.\d+)?|\.\d+|\*\*|[-+*/^()])")
_OTHER_SIGNS = str.maketrans({"×": "*", "÷": "/", "−": "-", "·": "*"})


def calculate(expression: str) -> str:
    """The value of an arithmetic expression: + - * / ^ and brackets, numbers with a point.

    Args:
        expression: At most `MAX_CHARS` characters.

    Raises:
        ToolTrouble: It is no arithmetic, divides by zero, or is too long, too deep or too large.

    Example:
        >>> calculate("12 * (3 + 4)"), calculate("1,203 - 487"), calculate("1 / 8"), calculate("-2 ^ 2")
        ('84', '716', '0.125', '-4')
    """
    if len(expression) > MAX_CHARS:
        raise ToolTrouble("too_long", expression)
    return _written(_Parser(_tokens(expression), expression).value())


def _tokens(expression: str) -> list[str]:
    text, place, tokens = expression.translate(_OTHER_SIGNS).rstrip(), 0, []
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise ToolTrouble("not_arithmetic", expression)
        tokens.append(found[1])
        place = found.end()
    return tokens


class _Parser:
    """Recursive descent: sum of products of signed powers of numbers and brackets."""

    def __init__(self, tokens: list[str], expression: str) -> None:
        self._tokens, self._place, self._expression = tokens, 0, expression

    def value(self) -> Fraction:
        result = self._sum(0)
        if self._place < len(self._tokens):
            raise self._trouble("not_arithmetic")
        return result

    def _trouble(self, name: str) -> ToolTrouble:
        return ToolTrouble(name, self._expression)

    def _next(self, *wanted: str) -> str:
        """The next token where it is one of these, "" otherwise."""
        if self._place < len(self._tokens) and self._tokens[self._place] in wanted:
            self._place += 1
            return self._tokens[self._place - 1]
        return ""

    def _bounded(self, number: Fraction) -> Fraction:
        if abs(number.numerator) > LARGEST**2 or abs(number) > LARGEST or number.denominator > LARGEST:
            raise self._trouble("too_large")
        return number

    def _sum(self, depth: int) -> Fraction:
        result = self._product(depth)
        while sign := self._next("+", "-"):
            other = self._product(depth)
            result = self._bounded(result + other if sign == "+" else result - other)
        return result

    def _product(self, depth: int) -> Fraction:
        result = self._signed(depth)
        while sign := self._next("*", "/"):
            other = self._signed(depth)
            if sign == "/" and other == 0:
                raise self._trouble("divides_by_zero")
            result = self._bounded(result * other if sign == "*" else result / other)
        return result

    def _signed(self, depth: int) -> Fraction:
        if depth > MAX_DEPTH:
            raise self._trouble("too_large")
        if sign := self._next("-", "+"):
            value = self._signed(depth + 1)
            return -value if sign == "-" else value
        base = self._atom(depth)
        if not self._next("**", "^"):
            return base
        exponent = self._signed(depth + 1)
        if exponent.denominator != 1 or abs(exponent) > MAX_EXPONENT:
            raise self._trouble("too_large")
        if base == 0 and exponent < 0:
            raise self._trouble("divides_by_zero")
        return self._bounded(base ** int(exponent))

    def _atom(self, depth: int) -> Fraction:
        if self._next("("):
            result = self._sum(depth + 1)
            if not self._next(")"):
                raise self._trouble("not_arithmetic")
            return result
        if self._place < len(self._tokens) and self._tokens[self._place][0] in ".0123456789":
            self._place += 1
            return self._bounded(Fraction(self._tokens[self._place - 1].replace(",", "")))
        raise self._trouble("not_arithmetic")


def _written(number: Fraction) -> str:
    """A number as digits, at most six behind the point."""
    if number.denominator == 1:
        return str(number.numerator)
    rounded = round(number, 6)
    sign, digits = "-" if rounded < 0 else "", abs(int(rounded * 10**6))
    whole, rest = divmod(digits, 10**6)
    return f"{sign}{whole}.{rest:06d}".rstrip("0").rstrip(".")

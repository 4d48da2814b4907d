"""Amounts that span twenty powers of ten, written shortly and read back."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

_SIGNS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNITS = ("", "k", "M", "B", "T")
LEAST_BUDGET, MOST_BUDGET = 1e6, 1e30


def short(value: float) -> str:
    """Three digits of an amount; the component `budget_split` writes the same.

    Example:
        >>> short(134.5e6), short(20), short(3.15e23), short(999_999), short(0.5)
        ('135M', '20', '3.15·10²³', '1M', '0.5')
    """
    if not value > 0:
        return "0"
    exact = Decimal(value)
    place = Decimal(1).scaleb(exact.adjusted() - 2)
    rounded = float(exact.quantize(place, ROUND_HALF_UP))  # a tie goes up, as in the browser
    power = math.floor(math.log10(rounded) + 1e-9)
    if power >= 15 or power < -3:
        return f"{rounded / 10.0**power:.3g}·10{str(power).translate(_SIGNS)}"
    group = max(0, power // 3)
    return f"{rounded / 10.0 ** (3 * group):.3g}{_UNITS[group]}"


def budget_of(text: str) -> float | None:
    """Operations that somebody typed: 3e21, 3.15*10^23, 1 000 000; None where that is no number.

    Example:
        >>> budget_of("3.15e23"), budget_of("1·10^21"), budget_of("10^9"), budget_of("1,000,000")
        (3.15e+23, 1e+21, 1000000000.0, 1000000.0)
        >>> budget_of("much"), budget_of("1e999"), budget_of("0")
        (None, None, 0.0)
    """
    written = text.strip().lower().replace(" ", "").replace(",", "").replace("_", "")
    for sign in ("*10^", "·10^", "x10^", "×10^", "*10**"):
        written = written.replace(sign, "e")
    if written.startswith("10^"):
        written = f"1e{written[3:]}"
    try:
        value = float(written)
    except ValueError:
        return None
    return value if math.isfinite(value) else None

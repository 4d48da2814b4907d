"""The colours of amounts: 0 is the paper and more is further from it, in the light theme and in the dark."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise

import pytest

from playground import charts
from playground.paths import site_root

THEMES = tomllib.loads((site_root() / ".streamlit/config.toml").read_text("utf-8"))["theme"]


def lab(colour: str) -> tuple[float, float, float]:
    """CIELAB of a hexadecimal sRGB colour, white point D65.

    Source:
        IEC 61966-2-1 (sRGB); CIE 15:2004 (CIELAB).
    """
    values = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    xyz = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883,
    )
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def lightness_from_paper(theme: str, colours: list[str]) -> list[float]:
    """How much lighter or darker than the paper each colour is."""
    paper = lab(THEMES[theme]["backgroundColor"])[0]
    return [abs(lab(colour)[0] - paper) for colour in colours]


def test_lab_is_that_of_the_textbook() -> None:
    assert lab("#ffffff") == pytest.approx((100, 0, 0), abs=0.02)
    assert lab("#ff0000") == pytest.approx((53.24, 80.09, 67.20), abs=0.05)
    assert lab("#0000ff") == pytest.approx((32.30, 79.19, -107.86), abs=0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_more_is_further_from_the_paper(theme: str) -> None:
    amounts = THEMES[theme]["chartSequentialColors"]
    assert amounts[0].lower() == THEMES[theme]["backgroundColor"].lower(), "0 is the paper"
    far = lightness_from_paper(theme, amounts)
    assert all(b > a + 2 for a, b in pairwise(far)), far


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_signed_amounts_leave_the_paper_on_both_sides(theme: str) -> None:
    far = lightness_from_paper(theme, THEMES[theme]["chartDivergingColors"])
    below, above = far[:5][::-1], far[5:]
    for side in (below, above):
        assert side[0] < 12, "around 0 it is nearly the paper"
        assert all(b > a + 2 for a, b in pairwise(side)), side


def test_no_chart_brings_amounts_of_its_own() -> None:
    """A scheme of Vega's is one for both themes: it would run the wrong way in one of them."""
    for folder in charts.__path__:
        for path in sorted((site_root() / folder).glob("*.py")):
            assert not re.search(r"""["']scheme["']\s*:|cividis["']""", path.read_text("utf-8")), path.name

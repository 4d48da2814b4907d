"""Colours and number formats, the same on every page; colour is never the only sign.

Source:
    Okabe & Ito 2008, "Color Universal Design": the eight colours that all readers tell apart.
    Nuñez, Anderton & Renslow 2018, "Optimizing colormaps with consideration for color vision deficiency",
    PLOS ONE 13(7): cividis, for amounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

QUERY = "#0072B2"  # the current token; kept; train
KEY = "#E69F00"  # attended
VALUE = "#009E73"  # result; general text
BEFORE = "#56B4E9"
AFTER = "#D55E00"  # held-out; cumulative
CUT = "#8A929B"  # grey, drawn hatched or dashed
NEUTRAL = "#7D858E"  # words in a picture whose paper may be light or dark
# ranges of `config.toml`, for each theme its own: 0 is the paper, and what is further from it is more
AMOUNTS = "ramp"  # cividis
SIGNED = "diverging"  # PuOr: orange below 0, violet above

PERCENT = ".3~p"  # d3 format: 58.9 % with the sign of LOCALE
BITS = ".2f"
COUNT = ",d"

# `config` of every picture that shows shares: Vega's own number format, with a space before the sign.
_NUMBERS = {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", ""], "percent": "\u00a0%"}
LOCALE: Final[Mapping[str, Any]] = {"locale": {"number": _NUMBERS}}

NARROW = "windowSize()[0] < 640"  # Vega expression: the page is on a phone, where Streamlit stacks columns


def legend_columns(n: int = 0, narrow: int = 1) -> dict[str, str]:
    """Columns of a legend above or below its picture.

    Args:
        n: Columns where there is room, 0 for as many as entries.
        narrow: Columns on a phone.
    """
    return {"expr": f"{NARROW} ? {narrow} : {n}"}


def side_by_side(panels: Sequence[dict[str, Any]], spacing: int) -> dict[str, Any]:
    """Vega-Lite of panels beside each other, on a phone below each other.

    Args:
        panels: Views of fixed width.
        spacing: Space between them, in pixels.
    """
    return {
        "hconcat": list(panels),
        "columns": {"signal": f"{NARROW} ? 1 : {len(panels)}"},
        "spacing": spacing,
    }

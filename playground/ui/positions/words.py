"""The words inside the pictures of positions, in the reader's language; the browser fills the braces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.ui.text import _


def waves() -> dict[str, str]:
    """Words of the sinusoidal matrix."""
    return {
        "n_ctx": _("Positions"),
        "d_model": _("Dimensions"),
        "base": _("Base"),
        "dimension": _("Dimension shown"),
        "exact": _("{name}, exact value"),
        "picture": _("Sinusoidal positions: matrix, one dimension as a wave, dot product against distance"),
        "matrix": _("One row per position"),
        "dimensions": _("dimension"),
        "position": _("position"),
        "distance": _("distance"),
        "wave": _("Dimension {dimension} as a wave"),
        "dot": _("Dot product of two rows"),
        "reading": _(
            "Dimension {dimension} repeats every {turn} positions, the slowest dimension every {slowest}."
        ),
        "legend": _(
            "Orange: -1, background: 0, violet: 1. Blue frame and line: the dimension shown. Green line: the "
            "row of position 0 with each later row; circles: a row in the middle with each later row. They "
            "lie on one line: only the distance counts. Point at or tap the matrix for exact values."
        ),
        "detail": _("Position {position}, dimension {dimension}: {value}"),
    }


def clocks(facts: Mapping[str, Any]) -> dict[str, str]:
    """Words of the rotary clocks.

    Args:
        facts: d_head and base of the model.
    """
    legend = _(
        "A clock is a pair of dimensions, the number below it is how many positions make one turn "
        "(head size {d_head}, base {base:,.0f}). Blue hand: query, orange: key, dashed: both after the "
        "shift. Point at or tap a clock for exact values."
    )
    return {
        "query": _("Query token"),
        "key": _("Key token"),
        "m": _("Query position m"),
        "n": _("Key position n"),
        "shift": _("Shift s of both"),
        "exact": _("{name}, exact value"),
        "picture": _("Query and key as two hands of a clock for each pair of dimensions, and their score"),
        "bars": _("What each pair adds to the score: solid at (m, n), dashed at (m + s, n + s)"),
        "reading": _(
            "Score q·k at (m, n): {here}. At (m + s, n + s): {there}. "
            "Difference: {difference}, rounding only."
        ),
        "legend": legend.format(d_head=facts["d_head"], base=facts["base"]),
        "detail": _(
            "Pair {pair}: {speed} radians per position, one turn in {turn} positions; (m - n) turns the "
            "query against the key by {angle} radians. Adds {here} to the score, after the shift {there}."
        ),
    }


def distances(names: Mapping[str, str], facts: Mapping[str, Any]) -> dict[str, str]:
    """Words of the four curves.

    Args:
        names: Names of the learned and the rotary model.
        facts: d_head and base of the rotary model.
    """
    rotary = _("RoPE of {name} (size {d_head}, base {base:,.0f})")
    values = _("Distance {distance}: sinusoids {sinusoidal}, RoPE {rotary}, learned {learned}, ALiBi {alibi}")
    return {
        "d_model": _("Sinusoids: dimensions"),
        "base": _("Sinusoids: base"),
        "head": _("ALiBi: head of 8"),
        "reach": _("Distances up to"),
        "exact": _("{name}, exact value"),
        "picture": _("Similarity against distance for four position schemes"),
        "similarity": _("Similarity, 1 = the same position"),
        "distance": _("distance in tokens"),
        "sinusoidal": _("Sinusoids"),
        "rotary": rotary.format(name=names["rotary"], **facts),
        "learned": _("Learned by {name}").format(name=names["learned"]),
        "alibi": _("ALiBi, head {head}"),
        "reading": values,
        "legend": _(
            "Sinusoids and RoPE: mean cosine over their pairs of dimensions. Learned: mean cosine of two "
            "rows of the table, eight of ten pairs inside the band, row 0 left out. ALiBi: factor on the "
            "attention weight. Point at or tap the picture for exact values."
        ),
        "detail": values,
    }


def learned(name: str, n_ctx: int, d_model: int, largest: float) -> dict[str, str]:
    """Words of a learned table.

    Args:
        name: Name of the model.
        n_ctx, d_model: Shape of the table.
        largest: The number that is drawn in full colour.
    """
    reading = _("{name} learned {n_ctx:,} × {d_model:,} numbers, one row per position: there is no formula.")
    legend = _(
        "Orange: -{largest:.3f} or less, background: 0, violet: {largest:.3f} or more. Row 0 belongs to the "
        "first token and is like no other. Point at or tap the picture for exact values."
    )
    return {
        "exact": "",
        "picture": _("The learned position table as an image"),
        "matrix": _("One row per position"),
        "dimensions": _("dimension"),
        "reading": reading.format(name=name, n_ctx=n_ctx, d_model=d_model),
        "legend": legend.format(largest=largest),
        "detail": _("Position {position}, dimension {dimension}: {value}"),
    }

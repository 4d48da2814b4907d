"""Losses on new and on old texts as tidy tables; column names stand here only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from playground.core.forgetting import Curve, ForgettingMethod, ForgettingTable, MeasuredForgetting

POINTS = ("kind", "role", "strength", "r", "seed", "held_out", "bits", "general", "distance", "seconds")
CURVES = ("step", "loss", "kind", "text")


def points(table: ForgettingTable, chosen: Sequence[ForgettingMethod]) -> pd.DataFrame:
    """The start and the end of every run.

    Args:
        table: The runs.
        chosen: Methods that are drawn as the best of their kind.

    Returns:
        kind (start, plain, rehearsal, l2sp, ewc, rank), role (start, chosen, other), strength, r, seed,
        held_out and general (nats a token), bits (a byte of the general texts), distance, seconds.
    """
    rows = [_row(table, one, "chosen" if one.method in chosen else "other") for one in table.runs]
    first = table.runs[0]
    start, held_out = first.general[0][1], first.held_out[0][1]
    rows.insert(0, ("start", "start", 0.0, 0, 0, held_out, table.bits_per_byte(start), start, 0.0, 0.0))
    return pd.DataFrame(rows, columns=list(POINTS))


def _row(table: ForgettingTable, one: MeasuredForgetting, role: str) -> tuple[object, ...]:
    held_out, general = one.end
    method = one.method
    return (
        method.kind, role, method.strength, method.r, one.seed, held_out, table.bits_per_byte(general),
        general, one.distance, one.seconds,
    )  # fmt: skip


def curves(of: Mapping[str, tuple[Curve, Curve]], bits_a_nat: float) -> pd.DataFrame:
    """Losses after each step of a run of each kind.

    Args:
        of: Kind -> its losses on held-out rows and on general texts, nats a token.
        bits_a_nat: Bits a byte of the general texts, for one nat a token.

    Returns:
        step, loss, kind, text (held_out: nats a token; general: bits a byte).
    """
    rows = [
        (step, loss * factor, kind, text)
        for kind, (held_out, general) in of.items()
        for text, curve, factor in (("held_out", held_out, 1.0), ("general", general, bits_a_nat))
        for step, loss in curve
    ]
    return pd.DataFrame(rows, columns=list(CURVES)).astype({"step": int, "loss": float})

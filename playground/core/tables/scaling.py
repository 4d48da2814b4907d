"""Tables of scaling: measured runs, laws with their bands, iso-FLOP curves, known models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from playground.core.known_models import TOKENS_PER_PARAMETER, KnownModel
from playground.core.scaling import PowerFit
from playground.core.scaling_laws import Law, flops, iso_flop
from playground.core.scaling_runs import Point

KINDS = ("all", "part", "own", "model")
POINT_COLUMNS = (
    "kind", "name", "x", "loss", "fitted", "law", "n_parameters", "n_bytes", "n_tokens", "flops", "step",
    "seconds", "seed",
)  # fmt: skip
LABELS = {"LLaMA 65B": "left", "Chinchilla": "below", "GPT-3": "left"}
BAND_POINTS = 60
CURVE_POINTS = 81


def points(found: Iterable[Point], law: PowerFit | None) -> pd.DataFrame:
    """One row a point of an axis.

    Args:
        found: From `core.scaling_runs.points`.
        law: The law of the axis, None where too few points count for it.

    Returns:
        kind (all: our run on all of the text; part: on a part of it; own: the reader's), name, x, loss (bits
        per byte), fitted, law (loss that the law says at x), n_parameters, n_bytes, n_tokens, flops, step,
        seconds, seed.
    """
    rows = [
        (
            "own" if one.run.is_own else "all" if one.run.is_on_all else "part", one.run.name, one.x,
            one.loss,
            one.is_fitted, np.nan if law is None else float(law.at(one.x)), one.run.n_parameters,
            one.run.n_bytes, one.measured.n_tokens, flops(one.run.n_parameters, one.measured.n_tokens),
            one.measured.step, one.measured.seconds, one.run.seed,
        )
        for one in found
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(POINT_COLUMNS))


def model(name: str, x: float, loss: float, law: PowerFit | None, known: KnownModel | None) -> pd.DataFrame:
    """The row of a model that was not trained here, in the columns of `points`."""
    row = {
        "kind": "model", "name": name, "x": x, "loss": loss, "fitted": False,
        "law": np.nan if law is None else float(law.at(x)),
        "n_parameters": known.n_parameters if known else np.nan,
        "n_tokens": known.n_tokens if known else np.nan,
        "flops": known.flops if known else np.nan,
    }  # fmt: skip
    return pd.DataFrame([row], columns=list(POINT_COLUMNS))


def laws(found: Mapping[str, PowerFit], first: float, last: float) -> pd.DataFrame:
    """Laws with their 95 % bands between two amounts.

    Args:
        found: Name of each law -> the law.
        first, last: Amounts.

    Returns:
        kind (the law's name), x, loss, low, high.
    """
    x = np.geomspace(first, last, BAND_POINTS)
    parts = []
    for name, law in found.items():
        low, high = law.band(x)
        parts.append(pd.DataFrame({"kind": name, "x": x, "loss": law.at(x), "low": low, "high": high}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(
        columns=["kind", "x", "loss", "low", "high"]
    )  # fmt: skip


def iso_flops(law: Law, budgets: Sequence[float], first: float, last: float) -> pd.DataFrame:
    """Iso-FLOP curves of a law, and their lowest points.

    Args:
        law: The law.
        budgets: Operations of each curve.
        first, last: Smallest and largest size.

    Returns:
        kind (curve or best), budget, n_parameters, n_tokens, ratio (tokens per parameter), loss.
    """
    sizes = np.geomspace(first, last, CURVE_POINTS)
    parts = []
    for budget in budgets:
        tokens = budget / (flops(1, 1) * sizes)
        parts.append(
            pd.DataFrame(
                {
                    "kind": "curve", "budget": budget, "n_parameters": sizes, "n_tokens": tokens,
                    "ratio": tokens / sizes, "loss": iso_flop(law, budget, sizes),
                }
            )
        )  # fmt: skip
    best = [(budget, *law.best_split(budget)) for budget in budgets]
    parts.append(
        pd.DataFrame(
            [("best", budget, n, d, d / n, float(law.loss(n, d))) for budget, n, d in best],
            columns=["kind", "budget", "n_parameters", "n_tokens", "ratio", "loss"],
        )
    )
    return pd.concat(parts, ignore_index=True)


def known(models: Iterable[KnownModel], chosen: str) -> pd.DataFrame:
    """One row a known model.

    Args:
        models: The models.
        chosen: Catalogue id of the model at hand.

    Returns:
        name, year, n_parameters, n_tokens, ratio, flops, side (more or fewer tokens than the rule of 20 per
        parameter, or at_hand), source, label (side of the point where its name has room).
    """
    rows = []
    for one in models:
        side = "more" if one.ratio > 1.5 * TOKENS_PER_PARAMETER else (
            "fewer" if one.ratio < TOKENS_PER_PARAMETER / 1.5 else "near"
        )  # fmt: skip
        if chosen and one.model_id == chosen:
            side = "at_hand"
        rows.append(
            (
                one.name, one.year, one.n_parameters, one.n_tokens, one.ratio, one.flops, side, one.source,
                LABELS.get(one.name, "right"),
            )
        )  # fmt: skip
    columns = ["name", "year", "n_parameters", "n_tokens", "ratio", "flops", "side", "source", "label"]
    return pd.DataFrame(rows, columns=columns)

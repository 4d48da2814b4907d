"""Tables about memory: predicted beside measured, a step's line, caches, formats, devices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from playground.core.devices import SCHEMES, Trained, device
from playground.core.memory import Budget, ModelSizes, cache_bytes
from playground.core.number_formats import NumberFormat, stored


def parts(budget: Budget, batch: int, length: int) -> pd.DataFrame:
    """Bytes of each part, and together. Columns: part, n_bytes."""
    rows: list[tuple[str, float]] = [(name, part.at(batch, length)) for name, part in budget.parts.items()]
    rows += [("total", budget.total(batch, length)), ("peak", budget.peak(batch, length))]
    return pd.DataFrame(rows, columns=["part", "n_bytes"])


def compared(pairs: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """Predicted beside measured. Columns: part, predicted, measured, error (a share; NaN of nothing)."""
    rows = [
        (name, predicted, measured, predicted / measured - 1 if measured else math.nan)
        for name, (predicted, measured) in pairs.items()
    ]
    return pd.DataFrame(rows, columns=["part", "predicted", "measured", "error"])


def line(points: Sequence[tuple[float, int]], phases: Sequence[tuple[str, float]]) -> pd.DataFrame:
    """Memory through a step. Columns: ms, n_bytes, phase."""
    ends = [end for _name, end in phases]
    rows: list[tuple[float, float, str]] = []
    for at, n_bytes in points:
        place = min(int(np.searchsorted(ends, at)), len(phases) - 1)
        if rows and rows[-1][2] != phases[place][0]:  # what one phase leaves, the next begins with
            border, level = ends[place - 1], rows[-1][1]
            rows += [(border, level, rows[-1][2]), (border, level, phases[place][0])]
        rows.append((at, float(n_bytes), phases[place][0]))
    return pd.DataFrame(rows, columns=["ms", "n_bytes", "phase"])


def caches(
    sizes: ModelSizes, heads: Mapping[str, int], lengths: Sequence[int], number_bytes: float,
    measured: Sequence[tuple[str, int, int]] = (),
) -> pd.DataFrame:  # fmt: skip
    """Bytes of the cache for each number of key-value heads, then those that were measured.

    Columns: series, length, n_bytes, is_measured.
    """
    rows = [
        (name, length, length * cache_bytes(sizes, number_bytes, n_kv_head), False)
        for name, n_kv_head in heads.items()
        for length in lengths
    ]
    rows += [(name, length, float(n_bytes), True) for name, length, n_bytes in measured]
    return pd.DataFrame(rows, columns=["series", "length", "n_bytes", "is_measured"])


def ranges(formats: Mapping[str, NumberFormat], magnitude: float) -> pd.DataFrame:
    """Reach of each format. Columns: format, smallest, smallest_normal, largest, here (NaN off the axis)."""
    here = magnitude if math.isfinite(magnitude) and magnitude > 0 else math.nan
    rows = [(kind.name, kind.smallest, kind.smallest_normal, kind.largest, here) for kind in formats.values()]
    return pd.DataFrame(rows, columns=["format", "smallest", "smallest_normal", "largest", "here"])


def kept(formats: Mapping[str, NumberFormat], number: float) -> pd.DataFrame:
    """A number in every format. Columns: format, bits, value, error, outcome, step."""
    rows = []
    for kind in formats.values():
        found = stored(number, kind)
        error = found.value - number if math.isfinite(number) else math.nan
        rows.append((kind.name, found.bits, found.value, error, found.outcome, found.step))
    return pd.DataFrame(rows, columns=["format", "bits", "value", "error", "outcome", "step"])


def devices(model: Trained, n_devices: int) -> pd.DataFrame:
    """Bytes on each device. Columns: scheme, part, order, n_bytes, total, sent."""
    rows = []
    for scheme in SCHEMES:
        found = device(model, scheme, n_devices)
        held = {"weights": found.weights, "gradients": found.gradients, "optimizer": found.states}
        for order, (part, n_bytes) in enumerate(held.items()):
            rows.append((scheme, part, order, n_bytes, found.total, found.sent))
    return pd.DataFrame(rows, columns=["scheme", "part", "order", "n_bytes", "total", "sent"])

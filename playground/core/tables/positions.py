"""Tables of the page Positions; the column names are written here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground.core.positions import (
    DistanceProfile,
    PositionScheme,
    alibi_slopes,
    frequencies,
    rotate,
    similarity,
    sinusoidal,
)
from playground.core.projections import pca

FLOOR = 1e-8  # a logarithmic axis has no 0; smaller differences are drawn here
N_ALIBI = 8  # heads of the ALiBi curve, as in the paper


def sinusoid(n_ctx: int, d_model: int, base: float) -> pd.DataFrame:
    """The sinusoidal matrix, one row per position.

    Returns:
        position, dot_product (of position 0 and this one), dimension_0, dimension_1, ...
    """
    rows = sinusoidal(n_ctx, d_model, base)
    return _numbered(rows, {"position": np.arange(n_ctx), "dot_product": rows @ rows[0]})


def table(scheme: PositionScheme) -> pd.DataFrame:
    """A learned table, one row per position.

    Returns:
        position, length (of its vector), dimension_0, dimension_1, ...
    """
    assert scheme.table is not None
    lengths = np.linalg.norm(scheme.table, axis=1)
    return _numbered(scheme.table, {"position": np.arange(scheme.n_ctx), "length": lengths})


def _numbered(rows: NDArray[np.floating], first: Mapping[str, NDArray[np.generic]]) -> pd.DataFrame:
    values = pd.DataFrame(rows, columns=[f"dimension_{i}" for i in range(rows.shape[1])])
    return pd.concat([pd.DataFrame(first), values], axis=1)


def principal_curve(scheme: PositionScheme) -> pd.DataFrame:
    """The learned rows along the directions in which they differ most.

    Returns:
        position, pc1, pc2, pc3; attrs["explained"]: share of the variance of each direction;
        attrs["degrees"]: angle by which the point on the first two turns round their origin per step: its
        10 %, 50 % and 90 % quantiles.
    """
    assert scheme.table is not None
    projection = pca(scheme.table, 3)
    curve = pd.DataFrame(projection.points, columns=["pc1", "pc2", "pc3"])
    curve.insert(0, "position", np.arange(scheme.n_ctx))
    curve.attrs["explained"] = projection.explained.tolist()
    steps = np.diff(np.unwrap(np.arctan2(projection.points[:, 1], projection.points[:, 0])))
    turns = np.degrees(np.abs(steps)) if len(steps) else np.zeros(1)
    curve.attrs["degrees"] = np.quantile(turns, (0.1, 0.5, 0.9)).tolist()
    return curve


def rotary(
    query: NDArray[np.float64], key: NDArray[np.float64], base: float, *, m: int, n: int, shift: int
) -> pd.DataFrame:
    """Share of each pair of dimensions in the score of a query at m and a key at n, and after a shift.

    Args:
        query, key: Before rotation. Shape [d_head].
        base: Base of the frequencies.
        m, n: Positions of query and key.
        shift: Number of positions that both move.

    Returns:
        pair, radians (per position), turn (positions for one turn), score (at m and n), shifted (at m + shift
        and n + shift); both divided by the square root of the head size.
    """
    speeds = frequencies(len(query), base)

    def score(at_query: int, at_key: int) -> NDArray[np.float64]:
        product = rotate(query, at_query, base) * rotate(key, at_key, base)
        pairs: NDArray[np.float64] = product.reshape(2, -1).sum(axis=0) / np.sqrt(len(query))
        return pairs

    return pd.DataFrame(
        {
            "pair": np.arange(len(speeds)),
            "radians": speeds,
            "turn": 2 * np.pi / speeds,
            "score": score(m, n),
            "shifted": score(m + shift, n + shift),
        }
    )


def distances(
    rotary_scheme: PositionScheme,
    learned: DistanceProfile,
    *,
    d_model: int,
    base: float,
    head: int,
    reach: int,
) -> pd.DataFrame:
    """Similarity of two positions by their distance, under four schemes.

    Returns:
        distance, sinusoidal and rotary (mean cosine), learned (mean cosine of two rows), learned_low and
        learned_high (nine of ten pairs above, below), alibi (factor on the attention weight). The learned
        columns are empty past the table.
    """
    distance = np.arange(reach + 1)
    table = pd.DataFrame(
        {
            "distance": distance,
            "sinusoidal": similarity(distance, d_model, base),
            "rotary": similarity(distance, rotary_scheme.d_head, rotary_scheme.base),
            "alibi": np.exp(-alibi_slopes(N_ALIBI)[head - 1] * distance),
        }
    )
    for name, values in (
        ("learned", learned.mean),
        ("learned_low", learned.low),
        ("learned_high", learned.high),
    ):
        table[name] = pd.Series(values[: reach + 1])
    return table


def order(measured: Mapping[tuple[str, str], NDArray[np.float64]]) -> pd.DataFrame:
    """Change of the vectors of each layer when the words are shuffled.

    Args:
        measured: (model, positions) -> difference of each layer, shape [layer]; positions is counted, equal,
            or last (equal, the last token only).

    Returns:
        model, positions, layer, difference, drawn (at least `FLOOR`).
    """
    rows = [
        (model, positions, layer, float(difference), max(float(difference), FLOOR))
        for (model, positions), differences in measured.items()
        for layer, difference in enumerate(differences)
    ]
    return pd.DataFrame(rows, columns=["model", "positions", "layer", "difference", "drawn"])


def far(rows: Sequence[tuple[str, int, float, str, float]]) -> pd.DataFrame:
    """The next token when the text is moved to other positions, or has a gap.

    Args:
        rows: moved (all, last), offset, probability of the token that wins without any offset, the token
            that wins now, its probability.

    Returns:
        moved, offset, prob, token, token_prob.
    """
    return pd.DataFrame(rows, columns=["moved", "offset", "prob", "token", "token_prob"])

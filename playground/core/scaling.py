"""Power laws through measured points: loss against parameters, data or compute, with a 95 % interval.

line    log L = log a - b log x            least squares, Student's t       3 points and more
floor   L = a x^-b + c, c >= 0             least relative squares,          4 points and more
                                           bootstrap of the residuals
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playground.core.metrics.intervals import percentile_interval

Form = Literal["line", "floor"]
FORMS: tuple[Form, ...] = ("line", "floor")
LEAST_POINTS = {"line": 3, "floor": 4}
N_DRAWS = 400
_EXPONENTS = np.geomspace(0.005, 4, 700)  # candidates of b: 1 % apart
_REFINED = 25  # candidates between two neighbours of those
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PowerFit:
    """A power law L = a x^-b + c through points.

    Attributes:
        form: The law: a line on two logarithmic axes (c = 0), or one that ends at a floor c.
        a, b, c: Its numbers.
        x, loss: The points. Shape [point].
        draws: a, b, c of each resample of a floor; none for a line. Shape [draw, 3].
    """

    form: Form
    a: float
    b: float
    c: float
    x: FloatArray
    loss: FloatArray
    draws: FloatArray

    def at(self, x: FloatArray | float) -> FloatArray:
        """Loss that the law says. Shape of x and of the result: any."""
        return self.a * np.asarray(x, dtype=np.float64) ** -self.b + self.c

    def band(self, x: FloatArray | float) -> tuple[FloatArray, FloatArray]:
        """95 % interval of the law itself (not of a further point) at each x. Shapes: those of x."""
        at = np.asarray(x, dtype=np.float64)
        if self.form == "floor":
            a, b, c = (self.draws[:, i].reshape(-1, *[1] * at.ndim) for i in range(3))
            low, high = np.percentile(a * at[None] ** -b + c, [2.5, 97.5], axis=0)
            return low, high
        far = (np.log(at) - np.log(self.x).mean()) ** 2 / self._spread
        half = self._t * self._deviation * np.sqrt(1 / len(self.x) + far)
        return self.at(at) * np.exp(-half), self.at(at) * np.exp(half)

    @cached_property
    def exponent_interval(self) -> tuple[float, float]:
        """95 % interval of b."""
        if self.form == "floor":
            return percentile_interval(self.draws[:, 1])
        half = self._t * self._deviation / math.sqrt(self._spread)
        return self.b - half, self.b + half

    @cached_property
    def floor_interval(self) -> tuple[float, float]:
        """95 % interval of c; 0 twice for a line."""
        return percentile_interval(self.draws[:, 2]) if self.form == "floor" else (0.0, 0.0)

    @property
    def _spread(self) -> float:
        logs = np.log(self.x)
        return float(((logs - logs.mean()) ** 2).sum())

    @property
    def _deviation(self) -> float:
        """Standard deviation of the logarithms around the line."""
        errors = np.log(self.loss) - np.log(self.at(self.x))
        return math.sqrt(float((errors**2).sum()) / (len(self.x) - 2))

    @property
    def _t(self) -> float:
        return t_quantile(0.975, len(self.x) - 2)


def can_fit(x: Sequence[float], form: Form) -> bool:
    """True if there are enough points, and as many different x as the law has numbers.

    Example:
        >>> can_fit([1, 2, 4], "line"), can_fit([1, 2, 4], "floor"), can_fit([1, 1, 1], "line")
        (True, False, False)
    """
    return len(x) >= LEAST_POINTS[form] and len(set(x)) >= LEAST_POINTS[form] - 1


def fit(x: Sequence[float], loss: Sequence[float], form: Form = "line", seed: int = 0) -> PowerFit:
    """The power law through points.

    Args:
        x: Parameters, bytes or operations, all above 0. Length n.
        loss: Loss of each, above 0. Length n.
        form: The law.
        seed: Seed of the resamples of a floor.

    Example:
        >>> law = fit([1, 10, 100], [8.0, 4.0, 2.0])
        >>> round(law.a, 6), round(law.b, 6), law.c
        (8.0, 0.30103, 0.0)

    Source:
        Kaplan et al. 2020, "Scaling Laws for Neural Language Models": lines on logarithmic axes. Hoffmann et
        al. 2022, "Training Compute-Optimal Large Language Models", section 3.3: a law with a floor. Band of a
        line: Draper & Smith, "Applied Regression Analysis", section 1.4; of a floor: Efron & Tibshirani 1993,
        chapter 9.5 (residuals are resampled, stretched by the degrees of freedom).
    """
    points, losses = np.asarray(x, dtype=np.float64), np.asarray(loss, dtype=np.float64)
    assert can_fit(list(points), form), "too few points"
    if form == "line":
        slope, height = np.polyfit(np.log(points), np.log(losses), 1)
        return PowerFit("line", math.exp(height), -float(slope), 0.0, points, losses, np.empty((0, 3)))
    middle = math.exp(float(np.log(points).mean()))
    near = points / middle
    [best] = _floors(near, losses, losses[None])
    said = best[0] * near ** -best[1] + best[2]
    errors = (losses - said) / losses
    stretched = (errors - errors.mean()) * math.sqrt(len(errors) / (len(errors) - 3))
    drawn = np.random.default_rng(seed).integers(0, len(errors), (N_DRAWS, len(errors)))
    draws = _floors(near, losses, said + losses * stretched[drawn])
    for each in (best[None], draws):
        each[:, 0] *= middle ** each[:, 1]
    a, b, c = (float(number) for number in best)
    return PowerFit("floor", a, b, c, points, losses, draws)


def _floors(x: FloatArray, weights: FloatArray, losses: FloatArray) -> FloatArray:
    """a, b, c of the least sum of ((L - a x^-b - c) / weight)^2 for each row of losses. Shape [row, 3].

    For a given b the best a and c are those of a line, so b is searched for alone.
    """
    best = _best_of(x, weights, losses, _EXPONENTS)
    found = np.empty_like(best)
    for at, row in enumerate(best):
        place = int(np.searchsorted(_EXPONENTS, row[1]))
        low = _EXPONENTS[max(place - 1, 0)]
        high = _EXPONENTS[min(place + 1, len(_EXPONENTS) - 1)]
        found[at] = _best_of(x, weights, losses[at : at + 1], np.linspace(low, high, _REFINED))[0]
    return found


def _best_of(x: FloatArray, weights: FloatArray, losses: FloatArray, exponents: FloatArray) -> FloatArray:
    """As `_floors`, among these exponents. Shape [row, 3]."""
    u = x[None] ** -exponents[:, None] / weights  # [exponent, point]
    v = 1 / weights
    y = losses / weights  # [row, point]
    uu, uv, vv = (u * u).sum(1), u @ v, float(v @ v)
    uy, vy, yy = y @ u.T, y @ v, (y * y).sum(1)
    determinant = np.maximum(uu * vv - uv**2, 1e-300)
    c = (uu * vy[:, None] - uv * uy) / determinant
    c = np.where(c < 0, 0.0, c)
    a = (uy - c * uv) / uu
    is_flat = a < 0
    a, c = np.where(is_flat, 0.0, a), np.where(is_flat, vy[:, None] / vv, c)
    squares = yy[:, None] - 2 * (a * uy + c * vy[:, None]) + a * a * uu + 2 * a * c * uv + c * c * vv
    at = squares.argmin(1)
    rows = np.arange(len(losses))
    return np.stack([a[rows, at], exponents[at], c[rows, at]], axis=1)


def frontier(compute: Sequence[float], loss: Sequence[float]) -> list[int]:
    """Places of the points that no point with as much or less compute beats, from little compute to much.

    Example:
        >>> frontier([1, 2, 3, 4], [5.0, 4.0, 4.5, 3.0])
        [0, 1, 3]
    """
    places: list[int] = []
    for place in sorted(range(len(compute)), key=lambda at: (compute[at], loss[at])):
        if not places or loss[place] < loss[places[-1]]:
            places.append(place)
    return places


def t_quantile(share: float, freedom: int) -> float:
    """Quantile of Student's distribution above the middle.

    Args:
        share: Between 0.5 and 1.
        freedom: Degrees of freedom, 1 and more.

    Example:
        >>> round(t_quantile(0.975, 4), 3), round(t_quantile(0.975, 1), 2)
        (2.776, 12.71)

    Source:
        t = sqrt(k) tan(s) makes the density a power of the cosine: P(s) = C cos(s)^(k - 1).
    """
    steps = np.linspace(0, math.pi / 2, 20_001)
    middles = (steps[1:] + steps[:-1]) / 2
    areas = np.concatenate([[0.0], np.cumsum(np.cos(middles) ** (freedom - 1))])
    angle = float(np.interp((share - 0.5) * 2 * areas[-1], areas, steps))
    return math.sqrt(freedom) * math.tan(angle)

"""Laws of loss in two amounts, parameters N and training tokens D, and how to spend a budget of 6 N D."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

FLOPS_PER_PARAMETER_AND_TOKEN = 6
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Law:
    """L(N, D) = E + A / N^alpha + B / D^beta.

    Attributes:
        E: Loss that no size and no amount of data takes away.
        A, alpha: What too few parameters cost.
        B, beta: What too little data costs.
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def loss(self, n_parameters: FloatArray | float, n_tokens: FloatArray | float) -> FloatArray:
        """Predicted loss. Shapes: any two that fit together.

        Example:
            >>> round(float(HOFFMANN.loss(70e9, 1.4e12)), 3)
            1.937
        """
        n, d = np.asarray(n_parameters, dtype=np.float64), np.asarray(n_tokens, dtype=np.float64)
        return self.E + self.A * n**-self.alpha + self.B * d**-self.beta

    def best_split(self, budget: float) -> tuple[float, float]:
        """Parameters and tokens with the least loss for a budget of operations.

        Args:
            budget: Floating-point operations of the whole training, 6 N D.

        Example:
            >>> n, d = HOFFMANN.best_split(5.76e23)
            >>> f"{n:.2e} {d:.2e}", round(6 * n * d / 5.76e23, 12)
            ('3.22e+10 2.98e+12', 1.0)

        Source:
            Hoffmann et al. 2022, equation 4: N = G (C / 6)^(beta / (alpha + beta)),
            G = (alpha A / (beta B))^(1 / (alpha + beta)).
        """
        both = self.alpha + self.beta
        scale = (self.alpha * self.A / (self.beta * self.B)) ** (1 / both)
        n = scale * (budget / FLOPS_PER_PARAMETER_AND_TOKEN) ** (self.beta / both)
        return n, tokens_of(budget, n)


# nats per token of their tokenizer and their text
HOFFMANN = Law(1.69, 406.4, 410.7, 0.34, 0.28)  # Hoffmann et al. 2022, equation 10 (appendix D.3)
BESIROGLU = Law(1.8172, 482.01, 2085.43, 0.3478, 0.3658)  # Besiroglu et al. 2024: their fit anew
LAWS = {"hoffmann": HOFFMANN, "besiroglu": BESIROGLU}


def flops(n_parameters: float, n_tokens: float) -> float:
    """Floating-point operations of a training run, about: 6 N D.

    Two for each parameter and token forward (multiply, add), four backward; attention's own products are
    left out.

    Example:
        >>> f"{flops(175e9, 300e9):.2e}"
        '3.15e+23'

    Source:
        Kaplan et al. 2020, section 2.1.
    """
    return FLOPS_PER_PARAMETER_AND_TOKEN * n_parameters * n_tokens


def tokens_of(budget: float, n_parameters: float) -> float:
    """Training tokens that a budget of operations pays for.

    Example:
        >>> tokens_of(6e6, 1_000)
        1000.0
    """
    return budget / (FLOPS_PER_PARAMETER_AND_TOKEN * n_parameters)


def iso_flop(law: Law, budget: float, n_parameters: FloatArray) -> FloatArray:
    """Predicted loss of each size where all of them cost the same. Shapes [size]."""
    return law.loss(n_parameters, budget / (FLOPS_PER_PARAMETER_AND_TOKEN * n_parameters))


def fit_law(n_parameters: Sequence[float], n_tokens: Sequence[float], loss: Sequence[float]) -> Law:
    """The law of the least relative squares through runs.

    For given exponents the other three numbers are linear, so exponents are searched for, in four grids, each
    around the best of the one before; E, A and B are not negative.

    Args:
        n_parameters, n_tokens, loss: Of each run, loss above 0. Length n, 6 and more.

    Example:
        >>> true = Law(1.0, 20.0, 30.0, 0.4, 0.3)
        >>> n = [1e4, 1e5, 1e6] * 3
        >>> d = [1e4] * 3 + [1e5] * 3 + [1e6] * 3
        >>> law = fit_law(n, d, [float(true.loss(*both)) for both in zip(n, d)])
        >>> round(law.alpha, 2), round(law.beta, 2), round(law.E, 1)
        (0.4, 0.3, 1.0)
    """
    logs = [np.log(np.asarray(one, dtype=np.float64)) for one in (n_parameters, n_tokens)]
    middles = [float(one.mean()) for one in logs]
    near = [one - middle for one, middle in zip(logs, middles, strict=True)]
    losses = np.asarray(loss, dtype=np.float64)
    grids = [np.geomspace(0.02, 2.5, 24)] * 2
    best = (math.inf, 0.0, 0.0, 0.0, 0.0, 0.0)
    for _round in range(6):
        for alpha, beta in product(*grids):
            best = min(best, (*_linear(near, losses, alpha, beta), alpha, beta))
        grids = [_around(value, grid) for value, grid in zip(best[-2:], grids, strict=True)]
    _squares, floor, a, b, alpha, beta = map(float, best)
    return Law(floor, a * math.exp(alpha * middles[0]), b * math.exp(beta * middles[1]), alpha, beta)


def _around(value: float, grid: FloatArray) -> FloatArray:
    step = grid[1] / grid[0]
    return np.geomspace(value / step, value * step, 9)


def _linear(
    logs: Sequence[FloatArray], losses: FloatArray, alpha: float, beta: float
) -> tuple[float, float, float, float]:
    """Sum of squared relative errors, and E, A, B for these exponents; infinite where none are possible."""
    columns = np.stack([np.ones_like(losses), np.exp(-alpha * logs[0]), np.exp(-beta * logs[1])], axis=1)
    weighted = columns / losses[:, None]
    best = (math.inf, 0.0, 0.0, 0.0)
    for kept in ([0, 1, 2], [1, 2], [0, 2], [0, 1]):
        numbers = np.zeros(3)
        numbers[kept] = np.linalg.lstsq(weighted[:, kept], np.ones_like(losses), rcond=None)[0]
        if (numbers >= 0).all():
            squares = float(((weighted @ numbers - 1) ** 2).sum())
            floor, a, b = (float(number) for number in numbers)
            best = min(best, (squares, floor, a, b))
        if len(kept) == 3 and best[0] < math.inf:  # a law without one of its parts fits no better
            break
    return best

"""Weights on a grid of 2^bits values: quantized, and read back.

    code = clip(round(w / scale) + zero, lowest, highest)         what is stored, an integer
    w'   = (code - zero) * scale                                  what the model computes with

One scale (and zero point) serves a whole matrix, one output channel (a row), or a group of weights of a row.

Source:
    Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference", arXiv:1712.05877, section 2.1. Scales and zero points as PyTorch's MinMaxObserver chooses
    them: the range always holds 0, so that 0 stays 0.
    Outliers apart: Dettmers et al. 2023, "SpQR", arXiv:2306.03078, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Granularity = Literal["tensor", "channel", "group"]
GRANULARITIES: tuple[Granularity, ...] = get_args(Granularity)
BITS = (8, 4, 3, 2)
GROUPS = (32, 64, 128)
OUTLIERS = 0.005  # share of the weights that is kept in float where outliers are
EPSILON = float(np.finfo(np.float32).eps)  # smallest scale, as in PyTorch
SCALE_BITS = 32  # a scale is a float32
OUTLIER_BITS = 16 + 32  # a float16, and its place
Weights = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scheme:
    """Rules by which a matrix becomes integers.

    Attributes:
        bits: Bits of a code, 2-8.
        granularity: The weights that share a scale: "tensor", "channel" (an output's row) or "group".
        group: Weights of a group; counts only where the granularity is "group".
        is_symmetric: True: codes around 0, no zero point. False: the grid reaches from the smallest to the
            largest weight.
        outliers: Share of each matrix's weights, the largest by size, that stays in float16.

    Example:
        >>> Scheme(bits=4).n_steps, Scheme(bits=8).n_steps, (Scheme(bits=4).lowest, Scheme(bits=4).highest)
        (15, 255, (-8, 7))
    """

    bits: int = 4
    granularity: Granularity = "group"
    group: int = 64
    is_symmetric: bool = True
    outliers: float = 0.0

    @property
    def n_steps(self) -> int:
        """Steps between the lowest and the highest code."""
        return int(2**self.bits - 1)

    @property
    def lowest(self) -> int:
        """Lowest code."""
        return -(2 ** (self.bits - 1)) if self.is_symmetric else 0

    @property
    def highest(self) -> int:
        """Highest code."""
        return self.lowest + self.n_steps

    def spelled(self) -> Scheme:
        """The same scheme in its one spelling, so that equal ones are equal."""
        group = self.group if self.granularity == "group" else 0
        return replace(self, group=group, is_symmetric=bool(self.is_symmetric), outliers=float(self.outliers))


@dataclass(frozen=True, slots=True, eq=False)
class Quantized:
    """A matrix on its grids.

    Attributes:
        scheme: The rules.
        shape: (d_out, d_in).
        codes: int16. Shape [row, group, member]: [1, 1, d_out * d_in] for a whole tensor, [d_out, 1, d_in] a
            channel, [d_out, n_groups, group] in groups, the last filled up with zeros.
        scales: float32. Shape [row, group, 1].
        zeros: Code of the weight 0, int16. Shape [row, group, 1].
        places: Flat places of the outliers, ascending. Shape [n_outliers].
        kept: Their values, float16. Shape [n_outliers].
    """

    scheme: Scheme
    shape: tuple[int, int]
    codes: NDArray[np.int16]
    scales: Weights
    zeros: NDArray[np.int16]
    places: NDArray[np.int64]
    kept: NDArray[np.float16]

    def weights(self) -> Weights:
        """The weights as the model computes with them. Shape [d_out, d_in]."""
        read = (self.codes - self.zeros).astype(np.float32)
        read *= self.scales
        flat = np.ascontiguousarray(read.reshape(*_rows(self.shape, self.scheme), -1)[..., : self._n_in])
        flat.reshape(-1)[self.places] = self.kept
        return flat.reshape(self.shape)

    @property
    def _n_in(self) -> int:
        return self.shape[0] * self.shape[1] if self.scheme.granularity == "tensor" else self.shape[1]

    @property
    def n_bits(self) -> int:
        """Bits of everything that is stored: codes, scales, zero points, outliers and their places."""
        return stored_bits(self.shape, self.scheme)

    def grid(self, row: int = 0, group: int = 0) -> NDArray[np.float64]:
        """The values that weights of one group can have, ascending. Shape [2^bits]."""
        codes = np.arange(self.scheme.lowest, self.scheme.highest + 1)
        row, group = min(row, len(self.scales) - 1), min(group, self.scales.shape[1] - 1)
        step, zero = float(self.scales[row, group, 0]), int(self.zeros[row, group, 0])
        values: NDArray[np.float64] = (codes - zero).astype(np.float64) * step
        return values


def quantize(weights: Weights, scheme: Scheme) -> Quantized:
    """Put a matrix on its grids.

    Args:
        weights: float32. Shape [d_out, d_in].
        scheme: The rules.

    Example:
        >>> found = quantize(np.array([[-1.0, 0.0, 0.25, 1.5]], np.float32), Scheme(2, "tensor"))
        >>> found.codes.tolist(), found.scales.item(), found.weights().tolist()
        ([[[-1, 0, 0, 1]]], 1.0, [[-1.0, 0.0, 0.0, 1.0]])
    """
    places = outlier_places(weights, scheme.outliers)
    kept = weights.reshape(-1)[places].astype(np.float16)
    if len(places):
        weights = weights.copy()
        weights.reshape(-1)[places] = 0
    grouped = _grouped(weights, scheme)
    scales, zeros = grids(grouped.min(-1, keepdims=True), grouped.max(-1, keepdims=True), scheme)
    codes = grouped * (np.float32(1) / scales)
    np.rint(codes, out=codes)
    codes += zeros
    np.clip(codes, scheme.lowest, scheme.highest, out=codes)
    shape = (weights.shape[0], weights.shape[1])
    return Quantized(scheme, shape, codes.astype(np.int16), scales, zeros, places, kept)


def grids(lows: Weights, highs: Weights, scheme: Scheme) -> tuple[Weights, NDArray[np.int16]]:
    """Scale and zero point of grids that hold these ranges, and 0.

    Args:
        lows, highs: Smallest and largest weight of each. Any shape.
        scheme: The rules.

    Returns:
        Scales float32 and zero points int16, of the same shape.

    Example:
        >>> low, high = np.float32([-0.5]), np.float32([1.0])
        >>> [grids(low, high, Scheme(bits, "tensor"))[0].item() for bits in (8, 4)]  # 2 / 255 and 2 / 15
        [0.007843137718737125, 0.13333334028720856]
        >>> grids(low, high, Scheme(4, "tensor", is_symmetric=False))[1].tolist()  # -0.5 is 5 steps of 0.1
        [5]
    """
    lows, highs = np.minimum(lows, np.float32(0)), np.maximum(highs, np.float32(0))
    if scheme.is_symmetric:
        widths, n_steps = np.maximum(-lows, highs), scheme.n_steps / 2
    else:
        widths, n_steps = highs - lows, float(scheme.n_steps)
    scales: Weights = np.maximum(widths / np.float32(n_steps), np.float32(EPSILON)).astype(np.float32)
    if scheme.is_symmetric:
        return scales, np.zeros(scales.shape, np.int16)
    zeros = scheme.lowest - np.rint(lows / scales)
    return scales, np.clip(zeros, scheme.lowest, scheme.highest).astype(np.int16)


def outlier_places(weights: Weights, share: float) -> NDArray[np.int64]:
    """Flat places of the largest weights by size, ascending.

    Args:
        weights: Any shape.
        share: Their share, 0-1; rounded up to whole weights.

    Example:
        >>> outlier_places(np.array([[0.1, -9.0], [3.0, 0.2]], np.float32), 0.3).tolist()
        [1, 2]
    """
    n = n_outliers(weights.size, share)
    if not n:
        return np.zeros(0, np.int64)
    found: NDArray[np.int64] = np.argpartition(np.abs(weights).reshape(-1), weights.size - n)[-n:]
    return np.sort(found)


def n_outliers(n_weights: int, share: float) -> int:
    """Number of weights that stay in float."""
    return min(n_weights, int(np.ceil(n_weights * share)))


def stored_bits(shape: tuple[int, int], scheme: Scheme) -> int:
    """Bits that a matrix takes by a scheme: codes, scales, zero points, outliers and their places.

    Args:
        shape: (d_out, d_in).
        scheme: The rules.

    Example:
        >>> stored_bits((1, 64), Scheme(4, "group", 64)) / 64  # 4 and a scale of 32 bits for 64 weights
        4.5
        >>> stored_bits((1, 64), Scheme(4, "group", 64, is_symmetric=False)) / 64  # and a zero point of 4
        4.5625
    """
    n_weights = shape[0] * shape[1]
    n_scales = {"tensor": 1, "channel": shape[0], "group": shape[0] * -(-shape[1] // max(1, scheme.group))}
    a_scale = SCALE_BITS + (0 if scheme.is_symmetric else scheme.bits)
    outliers = n_outliers(n_weights, scheme.outliers) * OUTLIER_BITS
    return n_weights * scheme.bits + n_scales[scheme.granularity] * a_scale + outliers


def relative_error(weights: Weights, read: Weights) -> float:
    """Length of the difference over the length of the weights, both of the same shape; 0 of zeros.

    Example:
        >>> relative_error(np.array([3.0, 4.0], np.float32), np.array([3.0, 3.0], np.float32))
        0.2
    """
    size = float(np.linalg.norm(weights))
    return float(np.linalg.norm(read - weights)) / size if size else 0.0


def step_growth(from_bits: int, to_bits: int) -> float:
    """Factor by which the step grows where the same range gets fewer bits.

    Example:
        >>> step_growth(8, 4)  # 255 / 15
        17.0
    """
    return Scheme(from_bits).n_steps / Scheme(to_bits).n_steps


def _rows(shape: tuple[int, int], scheme: Scheme) -> tuple[int, ...]:
    return () if scheme.granularity == "tensor" else (shape[0],)


def _grouped(weights: Weights, scheme: Scheme) -> Weights:
    """The weights that share a grid side by side. Shape [row, group, member]."""
    d_out, d_in = weights.shape
    if scheme.granularity == "tensor":
        return weights.reshape(1, 1, -1)
    if scheme.granularity == "channel":
        return weights.reshape(d_out, 1, d_in)
    n_missing = -d_in % scheme.group
    filled = np.pad(weights, ((0, 0), (0, n_missing))) if n_missing else weights
    return filled.reshape(d_out, -1, scheme.group)


def most_values(weights: Weights, group: int) -> int:
    """Most different values that neighbours of a row hold: 2^bits or fewer where they lie on a grid.

    Args:
        weights: Shape [d_out, d_in].
        group: Number of neighbours; a rest of a row that is shorter does not count.

    Example:
        >>> most_values(np.array([[1.0, 2.0, 2.0, 1.0], [3.0, 3.0, 3.0, 4.0]], np.float32), 2)
        2
    """
    n = weights.shape[1] // group
    if not n or not len(weights):
        return 0
    ordered = np.sort(weights[:, : n * group].reshape(-1, group), axis=1)
    return 1 + int((np.diff(ordered, axis=1) != 0).sum(1).max())

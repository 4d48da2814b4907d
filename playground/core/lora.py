"""LoRA: a change of low rank beside a frozen weight; its norm, spectrum and direction from its two factors.

x --> W [d_out, d_in], frozen -----------------------> + --> W x + lora_alpha / r * B (A x)
  \\-> A [r, d_in] --> B [d_out, r] --> lora_alpha / r --/

Nothing here forms the product B A, except `delta_weight`: r numbers per row are enough.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Matrix = NDArray[np.floating[Any]]
ModuleKey = tuple[int, str]  # layer, module


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """Settings of LoRA, named as in peft.

    Attributes:
        r: Rank: how many directions the change of a matrix may have.
        lora_alpha: Divided by r it scales the change.
        lora_dropout: Share of a layer's inputs that are set to 0 in training.
        target_modules: Names of the linear layers that are changed.
        LIMITS: Name -> the least and the most that a run here may ask for.

    Example:
        >>> LoraConfig(r=8, lora_alpha=16).scaling
        2.0
    """

    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = MappingProxyType(
        {"r": (1, 32), "lora_alpha": (1e-3, 1e3), "lora_dropout": (0.0, 0.9)}
    )

    r: int = 8
    lora_alpha: float = 16.0
    lora_dropout: float = 0.0
    target_modules: tuple[str, ...] = ("q_proj", "v_proj")

    @property
    def scaling(self) -> float:
        """Factor of B A."""
        return self.lora_alpha / self.r


def delta_weight(A: ArrayLike, B: ArrayLike, lora_alpha: float) -> Array:
    """The matrix that an adapter adds to its frozen weight.

    Args:
        A: Factor that projects down to r numbers. Shape [r, d_in].
        B: Factor that projects up again. Shape [d_out, r].
        lora_alpha: Scale of the product, before division by r.

    Returns:
        lora_alpha / r * B A. Shape [d_out, d_in].

    Raises:
        ValueError: `A` and `B` are not two matrices with the same r of at least 1.

    Example:
        >>> delta_weight(A=[[1, 2, 3]], B=[[1], [10]], lora_alpha=2)
        array([[ 2.,  4.,  6.],
               [20., 40., 60.]])

    Source:
        Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", arXiv:2106.09685, section 4.1.
    """
    down, up = np.asarray(A, np.float64), np.asarray(B, np.float64)
    change: Array = lora_alpha / _rank(down, up) * (up @ down)
    return change


@dataclass(frozen=True, slots=True, eq=False)
class LowRank:
    """The change of one linear layer, scaling * B A.

    Attributes:
        layer: Layer, from 0.
        module: Name of the linear layer in it, as in `target_modules`.
        A: Factor that projects down. Shape [r, d_in].
        B: Factor that projects up. Shape [d_out, r].
        scaling: lora_alpha / r.
        weight_norm: Frobenius norm of the frozen W.

    Raises:
        ValueError: `A` and `B` are not two matrices with the same r of at least 1.
    """

    layer: int
    module: str
    A: Matrix
    B: Matrix
    scaling: float
    weight_norm: float

    def __post_init__(self) -> None:
        _rank(self.A, self.B)

    @property
    def norm(self) -> float:
        """Frobenius norm of scaling * B A, out of the two Gram matrices of shape [r, r].

        Example:
            >>> LowRank(0, "q_proj", np.array([[3.0, 0.0]]), np.array([[0.0], [2.0]]), 0.5, 1.0).norm
            3.0
        """
        return math.sqrt(max(_inner(self, self), 0.0))


def relative_norm(change: LowRank) -> float:
    """Norm of the change relative to its frozen weight; nan beside a weight of zeros.

    Returns:
        Frobenius norm of the change / of the weight: 0.01 is one percent.
    """
    return change.norm / change.weight_norm if change.weight_norm else math.nan


def singular_values(change: LowRank) -> Array:
    """Singular values of the change: its stretch along each of its r directions.

    With B = Q R and A^T = P S, the r x r matrix R S^T has the singular values of B A: Q and P only turn.

    Returns:
        Singular values of scaling * B A, the largest first; all nan where a factor is not finite. Shape [r].
    """
    r = len(change.A)
    A, B = np.asarray(change.A, np.float64), np.asarray(change.B, np.float64)
    if not (np.isfinite(A).all() and np.isfinite(B).all()):
        return np.full(r, np.nan)
    _, right_B = np.linalg.qr(B)
    _, right_A = np.linalg.qr(A.T)
    core = right_B @ right_A.T
    values = abs(change.scaling) * np.linalg.svd(core, compute_uv=False)
    return np.pad(values, (0, r - len(values)))  # r above d_in or d_out: the rest is 0


def effective_rank(values: ArrayLike) -> float:
    """Effective number of directions of the change: 1 if one carries all of it, r if all carry the same.

    Args:
        values: Singular values, not negative. Shape [r].

    Returns:
        exp of the entropy (nats) of the values' shares of their sum; 0 for a change of zeros, for which the
        paper defines none; nan where a value is not finite.

    Raises:
        ValueError: A value is negative.

    Example:
        >>> effective_rank([5, 0, 0]), round(effective_rank([2, 2, 2]), 6)
        (1.0, 3.0)

    Source:
        Roy & Vetterli 2007, "The effective rank: a measure of effective dimensionality", EUSIPCO (the
        shares are of the values themselves, not of their squares).
    """
    given = np.asarray(values, np.float64)
    if (given < 0).any():
        raise ValueError(f"singular values are not negative, got {given.min()}")
    largest = given.max(initial=0)
    if not 0 < largest < math.inf:
        return 0.0 if largest == 0 else math.nan
    shares = given / largest / (given / largest).sum()
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def cosine(first: Sequence[LowRank], second: Sequence[LowRank]) -> float:
    """Cosine of the changes of two adapters, all layers read as one long vector.

    Args:
        first, second: All changes of an adapter; a module that one of them lacks counts as unchanged there.

    Returns:
        -1 to 1; nan when an adapter changes nothing, or is not finite.

    Raises:
        ValueError: The same module has another shape.
    """
    norms = math.sqrt(max(_dot(first, first), 0.0)) * math.sqrt(max(_dot(second, second), 0.0))
    if not 0 < norms < math.inf:
        return math.nan
    return min(1.0, max(-1.0, _dot(first, second) / norms))


def n_trainable(shapes: Iterable[tuple[int, int]], r: int) -> int:
    """Number of trained parameters.

    Args:
        shapes: (d_out, d_in) of each target layer.
        r: Rank.

    Raises:
        ValueError: `r` is below 1.

    Example:
        >>> n_trainable([(576, 576), (192, 576)], r=8)  # 8 * (576 + 576) + 8 * (192 + 576)
        15360

    Source:
        Hu et al. 2021, arXiv:2106.09685, section 5.1.
    """
    if r < 1:
        raise ValueError(f"r must be at least 1, got {r}")
    return sum(r * (d_out + d_in) for d_out, d_in in shapes)


def smoothed(losses: Sequence[float], weight: float = 0.8) -> Array:
    """The curve without its jitter: an exponential moving average that does not start at 0.

    Args:
        losses: One per step, nats.
        weight: Weight of the earlier losses, 0 (no smoothing) to below 1.

    Returns:
        Shape [step]; a loss that is not finite stays as it is and leaves the others alone.

    Raises:
        ValueError: `weight` is not in [0, 1).

    Example:
        >>> [round(value, 6) for value in smoothed([4.0, 1.0], weight=0.5).tolist()]  # (4 / 4 + 1 / 2) / .75
        [4.0, 2.0]

    Source:
        TensorBoard's scalar charts. Kingma & Ba 2015, "Adam", arXiv:1412.6980, section 3 (bias correction).
    """
    if not 0 <= weight < 1:
        raise ValueError(f"weight must be at least 0 and below 1, got {weight}")
    curve = np.array(losses, np.float64)
    mean, n = 0.0, 0
    for step, loss in enumerate(curve.tolist()):
        if math.isfinite(loss):
            mean, n = weight * mean + (1 - weight) * loss, n + 1
            curve[step] = mean / (1 - weight**n)
    return curve


def _rank(A: Matrix, B: Matrix) -> int:
    """The r of both factors."""
    if A.ndim != 2 or B.ndim != 2 or A.shape[0] != B.shape[1] or not len(A):
        raise ValueError(f"A [r, d_in] and B [d_out, r] do not fit: {A.shape} and {B.shape}")
    return len(A)


def _check_same_shape(first: LowRank, second: LowRank) -> None:
    if (len(first.B), first.A.shape[1]) != (len(second.B), second.A.shape[1]):
        raise ValueError(
            f"layer {first.layer}, {first.module}: the adapters are of models of different shapes"
        )


def _inner(first: LowRank, second: LowRank) -> float:
    """Sum of the products of the entries of both changes: tr(A1^T B1^T B2 A2) = sum of B1^T B2 * A1 A2^T."""
    _check_same_shape(first, second)
    A1, B1, A2, B2 = (np.asarray(factor, np.float64) for factor in (first.A, first.B, second.A, second.B))
    with np.errstate(over="ignore", invalid="ignore"):  # a run that diverged
        return first.scaling * second.scaling * float(((B1.T @ B2) * (A1 @ A2.T)).sum())


def _dot(first: Sequence[LowRank], second: Sequence[LowRank]) -> float:
    """Inner product of two whole changes."""
    groups: dict[ModuleKey, list[LowRank]] = {}
    for change in second:
        groups.setdefault((change.layer, change.module), []).append(change)
    return sum(
        _inner(change, other) for change in first for other in groups.get((change.layer, change.module), ())
    )

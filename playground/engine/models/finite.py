"""Detects NaN and infinity: an adapter of large values, or a small number format, can bring them about."""

from __future__ import annotations

import math

import torch

from playground.engine.models.loaded import LoadedModel
from playground.errors import NotFinite


def check_finite(loaded: LoadedModel, *computed: torch.Tensor) -> None:
    """Refuse what a model has computed where it is not made of numbers.

    One NaN or infinity in the residual stream makes all of its later states at that position NaN, so the last
    states stand for everything before them.

    Args:
        loaded: The model that computed them.
        computed: Tensors of any shape.

    Raises:
        NotFinite: NaN or an infinity is among them.
    """
    for tensor in computed:
        if not is_finite(tensor):
            raise NotFinite(model_id=loaded.info.name)


def is_finite(numbers: torch.Tensor) -> bool:
    """True if neither NaN nor an infinity is among the numbers, of any shape: their largest size tells.

    Example:
        >>> is_finite(torch.tensor([1.0, -3e38])), is_finite(torch.tensor([1.0, torch.nan]))
        (True, False)
    """
    return not numbers.numel() or math.isfinite(torch.linalg.vector_norm(numbers, math.inf).item())

"""What is refused before it is queued."""

from __future__ import annotations

import math

from playground.engine.base import GenerateRequest
from playground.errors import BadValue
from playground.settings import Settings


def check_settings(request: GenerateRequest, settings: Settings) -> None:
    """Refuse a generation whose settings cannot be.

    Raises:
        BadValue: Also for NaN.
    """
    limits = {
        "temperature": (request.temperature, 0.0, 100.0),
        "top_k": (request.top_k, 0, math.inf),
        "top_p": (request.top_p, 1e-6, 1.0),
        "min_p": (request.min_p, 0.0, 1.0),
        "seed": (request.seed, 0, 2**64 - 1),
        "max_new_tokens": (request.max_new_tokens, 1, settings.max_new_tokens),
        "n_top": (request.n_top, 1, 1_000),
    }
    for name, (value, low, high) in limits.items():
        if not low <= value <= high:  # also false for NaN
            raise BadValue(name=name, value=value, allowed=f"{low}-{high}")

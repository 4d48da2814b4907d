"""The engine computes all numbers: torch, transformers, tokenizers. Knows neither Streamlit nor a chart."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.engine.contract.engine import Engine
    from playground.settings import Settings

__all__ = ["create_engine"]

# Read by OpenMP when torch is first imported. Its threads otherwise spin while they wait, and on a laptop
# whose browser needs a core a forward of 90 ms takes 490; passively waiting it takes 145, idle still 90.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def create_engine(settings: Settings | None = None) -> Engine:
    """Start an engine: one thread that owns the model, caches, a scheduler; or replicas of that, on Ray.

    Args:
        settings: Limits and places; read from the environment when None.

    Example:
        >>> engine = create_engine()                                            # doctest: +SKIP
        >>> cut = engine.tokenizers.tokenize(                                   # doctest: +SKIP
        ...     settings.default_model, "The capital", add_special_tokens=True
        ... )
        >>> cut.tokens                                                          # doctest: +SKIP
        ('The', ' capital')
    """
    from playground.settings import Settings

    settings = settings or Settings()
    if settings.engine == "ray":
        from playground.engine.remote.engine import RayEngine

        return RayEngine(settings)
    from playground.engine.local.engine import LocalEngine

    return LocalEngine(settings)

"""How numbers are obtained: torch, transformers, tokenizers. Knows neither Streamlit nor a chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.engine.base import Engine
    from playground.settings import Settings

__all__ = ["create_engine"]


def create_engine(settings: Settings | None = None) -> Engine:
    """Start an engine: one thread that owns the model, caches, a scheduler.

    Args:
        settings: Limits and places; read from the environment when None.

    Example:
        >>> engine = create_engine()                                            # doctest: +SKIP
        >>> engine.tokenize(settings.default_model, "The capital").tokens        # doctest: +SKIP
        ('The', ' capital')
    """
    from playground.engine.local import LocalEngine
    from playground.settings import Settings

    return LocalEngine(settings or Settings())

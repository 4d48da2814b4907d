"""Models that scripts of this project trained: small, in `assets/trained/`, and read where they lie.

Set-up does nothing for them. `playground.json` beside the weights is their seal and says what made them.
"""

from __future__ import annotations

from pathlib import Path

from playground.errors import Message, ModelDamaged
from playground.paths import site_root
from playground.settings import DATES_MODEL

SHIPPED = (DATES_MODEL,)


def trained_assets() -> Path:
    """The folder of everything that scripts of `playground.trained` made."""
    return site_root() / "assets" / "trained"


def shipped_folder(model_id: str) -> Path:
    """The folder of a shipped model.

    Example:
        >>> shipped_folder("playground/dates-t5").relative_to(site_root()).as_posix()
        'assets/trained/dates-t5'
    """
    return trained_assets() / model_id.split("/")[1]


def damaged(model_id: str) -> ModelDamaged:
    """The error of a shipped model whose files are missing or changed: no download brings them."""
    return ModelDamaged(model_id=model_id, cure=Message("Install the playground again."))

"""Models, and heads of models, that scripts of this project trained: small, in `assets/trained/`, read there.

Set-up does nothing for them. `playground.json` beside the weights is their seal and says what made them.
"""

from __future__ import annotations

from pathlib import Path

from playground.engine.models.whole_folder import damage
from playground.errors import Message, ModelDamaged
from playground.paths import site_root
from playground.settings import DATES_MODEL, MULTILINGUAL_ENCODER

SHIPPED = (DATES_MODEL,)
MASKED_HEADS = {MULTILINGUAL_ENCODER: "e5-masked-head"}  # model without a masked-LM head -> folder of one


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


def shipped_head(model_id: str) -> Path | None:
    """Weights of the masked-LM head that is shipped for a model of the catalogue, None where there is none.

    Raises:
        ModelDamaged: They are not there, or not as they were written.
    """
    if model_id not in MASKED_HEADS:
        return None
    weights = trained_assets() / MASKED_HEADS[model_id] / "model.safetensors"
    if not weights.is_file() or damage(weights.parent):
        raise damaged(model_id)
    return weights


def damaged(model_id: str) -> ModelDamaged:
    """The error of a shipped model whose files are missing or changed: no download brings them."""
    return ModelDamaged(model_id=model_id, cure=Message("Install the playground again."))

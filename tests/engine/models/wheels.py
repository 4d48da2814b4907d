"""A wheel with a tiny model in it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from playground.engine.contract.models import CatalogueEntry
from playground.engine.models.catalogue import catalogue
from playground.errors import Message
from playground.settings import DEFAULT_DECODER, Settings


def silent(message: Message, fraction: float) -> None: ...


def entry(settings: Settings, model_id: str = DEFAULT_DECODER) -> CatalogueEntry:
    return catalogue(settings)[model_id]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def below(settings: Settings) -> set[str]:
    """Names of what lies in the cache folder, without the locks."""
    return {path.name for path in settings.cache_dir.glob("*/*") if path.suffix != ".lock"}

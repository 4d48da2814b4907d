"""The note of provenance of a model that a script of this project trained."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from playground.engine.models.whole_folder import METADATA, seal, sha256_of, write_json

_LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "numpy")


def seal_with_note(
    folder: Path, *, script: str, seed: int, figures: Mapping[str, float], file: str = "model.safetensors"
) -> None:
    """Write `playground.json`: origin, seed, versions and figures, then size and SHA-256 of every file.

    Args:
        folder: The model's folder, with all its other files.
        script: Name of the module that trained it.
        seed: The seed it was trained with.
        figures: Name -> number measured on held-out data.
        file: The file that says which revision this is.
    """
    versions = {name: version(name) for name in _LIBRARIES}
    note = {
        "revision": sha256_of(folder / file),
        "source": f"python -m {script.rpartition('.')[0]} {folder.name}",
        "script": script,
        "seed": seed,
        "figures": dict(figures),
        "versions": {"python": platform.python_version(), **versions},
    }
    write_json(folder / METADATA, note)
    seal(folder)

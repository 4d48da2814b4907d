"""Vectors of texts that are known: computed before in this process, or shipped with the playground."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from playground.core.byte_cache import ByteCache
from playground.engine.models.shipped import trained_assets

FOLDER = "document-vectors"  # below assets/trained/
WEIGHTS = "model.safetensors"
_KEY_BYTES = 16


@dataclass(frozen=True, slots=True, eq=False)
class TextVector:
    """A text's vector.

    Attributes:
        vector: Of length 1. Shape [d_vector].
        n_tokens: Tokens that were read, with prefix and frame.
        is_cut: True if the text has more tokens than were read.
    """

    vector: NDArray[np.float32]
    n_tokens: int
    is_cut: bool

    @property
    def size_bytes(self) -> int:
        """Memory of the vector, and of the key that names it."""
        return self.vector.nbytes + 200


class KnownVectors:
    """Vectors by (model, text with its prefix). Safe to share between threads.

    Args:
        limit_bytes: Most memory of those that were computed.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._computed: ByteCache[TextVector] = ByteCache(limit_bytes)

    def get(self, model: str, text: str) -> TextVector | None:
        """The vector of a text, None if it is not known."""
        key = _key(text)
        return self._computed.get((model, key)) or _shipped(trained_assets() / FOLDER).get((model, key))

    def put(self, model: str, text: str, found: TextVector) -> None:
        """Keep a vector."""
        self._computed.put((model, _key(text)), found)


def write_shipped(folder: Path, model: str, revision: str, found: Mapping[str, TextVector]) -> None:
    """Write a folder of vectors that are shipped, in half precision.

    Args:
        folder: The folder.
        model, revision: The model that made them.
        found: Text with its prefix -> its vector.
    """
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, NDArray[Any]] = {
        "keys": np.stack([np.frombuffer(_key(text), np.uint8) for text in found]),
        "vectors": np.stack([one.vector for one in found.values()]).astype(np.float16),
        "n_tokens": np.array([one.n_tokens for one in found.values()], np.int16),
        "is_cut": np.array([one.is_cut for one in found.values()], np.bool_),
    }
    save_file(arrays, folder / WEIGHTS, {"model": model, "revision": revision})
    (folder / WEIGHTS).chmod(0o644)


@cache
def _shipped(folder: Path) -> dict[tuple[str, bytes], TextVector]:
    """The vectors of a folder by model and key; none where it is missing."""
    if not (folder / WEIGHTS).is_file():
        return {}
    with safe_open(folder / WEIGHTS, "np") as file:
        model = file.metadata()["model"]
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (a file, no dict)
    vectors = arrays["vectors"].astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)  # half precision has moved it by 1e-4
    return {
        (model, key.tobytes()): TextVector(vector, int(n_tokens), bool(is_cut))
        for key, vector, n_tokens, is_cut in zip(
            arrays["keys"], vectors, arrays["n_tokens"], arrays["is_cut"], strict=True
        )
    }


def _key(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:_KEY_BYTES]

"""The history of a run from zero as one file: losses, what was written, a head and the bytes at milestones."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = tuple[tuple[int, float], ...]
_HEAD = "head"


@dataclass(frozen=True, eq=False)
class RunHistory:
    """A run that has ended.

    Attributes:
        settings: Its settings by name.
        text, other: Ids of the text it read, and of the one measured beside, "" for none.
        prompts: Beginnings that were continued.
        tokens: Tokens of the sentence whose attention was told.
        mapped: Bytes whose embeddings were told.
        train, held_out, general: (step, loss), nats per byte that counts.
        samples: (step, number of the prompt, text).
        steps: Steps of the observations.
        attention: Weights of every head at each of them. Shape [step, layer, head, query, key].
        embedding: Rows of the embedding. Shape [step, byte, d_model].
        n_parameters: Trained numbers.
        transfer: `job body` -> number of labels, mean accuracy, held-out texts.
    """

    settings: Mapping[str, Any]
    text: str
    other: str
    prompts: tuple[str, ...]
    tokens: tuple[str, ...]
    mapped: tuple[int, ...]
    train: Points
    held_out: Points
    general: Points
    samples: tuple[tuple[int, int, str], ...]
    steps: tuple[int, ...]
    attention: NDArray[np.float16]
    embedding: NDArray[np.float16]
    n_parameters: int
    transfer: Mapping[str, tuple[tuple[int, float, int], ...]]

    def file(self) -> bytes:
        """The history as the bytes of a .npz file, the same each time."""
        arrays = {"attention", "embedding"}
        head = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in arrays}
        written = io.BytesIO()
        data = np.frombuffer(json.dumps(head, ensure_ascii=False, default=dict).encode(), np.uint8)
        np.savez_compressed(written, **{_HEAD: data}, attention=self.attention, embedding=self.embedding)
        return written.getvalue()


def of_file(data: bytes) -> RunHistory:
    """The history that a file holds.

    Args:
        data: From `RunHistory.file`.

    Raises:
        ValueError, KeyError: It is no such file.
    """
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        head = json.loads(file[_HEAD].tobytes().decode())
        attention, embedding = file["attention"], file["embedding"]
    transfer = {name: _rows(rows) for name, rows in head.pop("transfer").items()}
    lists = ("train", "held_out", "general", "samples")
    rows = {name: _rows(head.pop(name)) for name in lists}
    flat = {name: tuple(head.pop(name)) for name in ("prompts", "tokens", "mapped", "steps")}
    return RunHistory(**head, **rows, **flat, attention=attention, embedding=embedding, transfer=transfer)


def _rows(rows: Any) -> Any:  # noqa: ANN401
    return tuple(tuple(row) for row in rows)

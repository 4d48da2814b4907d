"""Runs from zero that the page compares: objectives, halves of a text, and what heads on their bodies do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from playground.paths import site_root

Points = tuple[tuple[int, float], ...]
NAME = "pretraining-compared"  # folder of `assets/trained/`
KINDS = ("next", "masked", "span", "half")


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run that has ended.

    Attributes:
        settings: Its settings by name, as in `PretrainingSettings`.
        train, held_out, general: (step, loss), nats per token that counts.
        n_parameters: Trained numbers.
        transfer: `job body` -> number of labels, mean accuracy, held-out texts; {} where nobody asked.
    """

    settings: dict[str, Any]
    train: Points
    held_out: Points
    general: Points
    n_parameters: int
    transfer: Mapping[str, tuple[tuple[int, float, int], ...]]

    def file(self) -> str:
        """The run as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"


def of_file(text: str) -> ComparedRun:
    """The run that a file holds."""
    said: dict[str, Any] = json.loads(text)
    curves = {name: _rows(said.pop(name)) for name in ("train", "held_out", "general")}
    transfer = {name: _rows(rows) for name, rows in said.pop("transfer").items()}
    return ComparedRun(**said, **curves, transfer=transfer)


@lru_cache
def compared_run(language: str, kind: str) -> ComparedRun:
    """A run that comes with the playground.

    Args:
        language: Of its text.
        kind: One of `KINDS`: its objective, or the next byte on the first half of the text.
    """
    file = site_root() / "assets" / "trained" / NAME / f"{language}-{kind}.json"
    return of_file(file.read_text("utf-8"))


def _rows(rows: Any) -> Any:  # noqa: ANN401
    return tuple(tuple(row) for row in rows)

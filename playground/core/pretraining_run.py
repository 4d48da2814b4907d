"""The text and the run from zero that come with the playground, in two languages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.paths import site_root

LANGUAGES = ("en", "ko")
NAME = "pretraining"  # folder of `assets/trained/`


@dataclass(frozen=True, slots=True)
class ShippedSample:
    """A prompt continued at a milestone.

    Attributes:
        step: After how many steps.
        prompt: The prompt.
        text: Its continuation.
    """

    step: int
    prompt: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class ShippedRun:
    """One run as it went.

    Attributes:
        settings: Settings by name, as in `PretrainingSettings`.
        fixed: The sentence whose attention was told.
        tokens: Its tokens, as they are shown.
        mapped: Bytes whose embeddings were told.
        train, held_out: (step, loss), nats a byte.
        count_bits: Order of a count model -> bits per byte of the held-out part.
        samples: Prompts continued.
        steps: Steps of the milestones.
        attention: Weights of every head. Shape [milestone, layer, head, query, key].
        embedding: Rows of the embedding. Shape [milestone, byte, d_model].
        cpu_s: Processor time of the training with all that was measured on the way, on one thread.
    """

    settings: dict[str, Any]
    fixed: str
    tokens: tuple[str, ...]
    mapped: tuple[int, ...]
    train: tuple[tuple[int, float], ...]
    held_out: tuple[tuple[int, float], ...]
    count_bits: dict[int, float]
    samples: tuple[ShippedSample, ...]
    steps: tuple[int, ...]
    attention: NDArray[np.float16]
    embedding: NDArray[np.float16]
    cpu_s: float


def folder() -> Path:
    """The folder of the texts and runs."""
    return site_root() / "assets" / "trained" / NAME


def shipped_text(language: str) -> str:
    """The text in a language: this project's own lessons, plans and documents, Apache-2.0, at most 200 kB."""
    return (folder() / f"text-{language}.txt").read_text("utf-8")


@lru_cache(maxsize=4)
def shipped_run(language: str) -> ShippedRun:
    """The run on the shipped text of a language."""
    return read(folder(), language)


def read(place: Path, language: str) -> ShippedRun:
    """A run from a folder that `playground.trained.pretraining` wrote."""
    said: dict[str, Any] = json.loads((place / f"{language}.json").read_text("utf-8"))
    with np.load(place / f"{language}.npz") as arrays:
        attention, embedding = arrays["attention"], arrays["embedding"]
    return ShippedRun(
        said["settings"], said["fixed"], tuple(said["tokens"]), tuple(said["mapped"]),
        tuple((step, loss) for step, loss in said["train"]),
        tuple((step, loss) for step, loss in said["held_out"]),
        {int(order): bits for order, bits in said["count_bits"].items()},
        tuple(ShippedSample(**one) for one in said["samples"]), tuple(said["steps"]), attention, embedding,
        said["cpu_s"],
    )  # fmt: skip

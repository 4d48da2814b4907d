"""Drift between two models: what each writes to the same prompts, and the bits per byte of it under both.

bits per byte = -log2 p(text | prompt) / UTF-8 bytes of the text, which two tokenizers have in common
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import NamedTuple

from playground.paths import site_root

FOLDER, FILE = "drift", "rows.json"
PROMPTS = (
    "The capital of England is", "Once upon a time there was", "The best advice I ever got was",
    "To make a cup of tea, first", "My friend asked me how I was, and I said", "The weather today is",
)  # fmt: skip


class Shift(NamedTuple):
    """A text of one model, scored by two.

    Attributes:
        prompt, written_by, text: The prompt, who wrote on ("a" or "b"), and the text.
        bits_a, bits_b: Bits per UTF-8 byte of the text under each model.
        n_bytes: Length of the text.
    """

    prompt: str
    written_by: str
    text: str
    bits_a: float
    bits_b: float
    n_bytes: int


@dataclass(frozen=True, slots=True)
class DriftRecord:
    """A comparison that a script took down.

    Attributes:
        model_id, revision: The base.
        method, n_steps: What was trained beside it, and for how long.
        texts: "a" (the base) and "b" -> what it wrote to each prompt.
        rows: The texts under both.
    """

    model_id: str
    revision: str
    method: str
    n_steps: int
    texts: Mapping[str, Sequence[str]]
    rows: tuple[Shift, ...]


def shifts(
    prompts: Sequence[str],
    texts: Mapping[str, Sequence[str]],
    by_a: Mapping[tuple[int, str], float],
    by_b: Mapping[tuple[int, str], float],
) -> list[Shift]:
    """Each text under both models.

    Args:
        prompts: The prompts.
        texts: "a" and "b" -> what it wrote to each prompt.
        by_a, by_b: (Number of a prompt, who wrote) -> log-probability of the text in nats, for each model.
    """
    rows = []
    for (at, who), logprob in by_a.items():
        text = texts[who][at]
        n_bytes = len(text.encode())
        bits = [abs(one) / math.log(2) / n_bytes for one in (logprob, by_b[at, who])]
        rows.append(Shift(prompts[at], who, text, bits[0], bits[1], n_bytes))
    return rows


def mean_shifts(rows: Sequence[Shift]) -> dict[str, float]:
    """Bits per byte that the other model needs more, over all bytes together, by who wrote: a, b.

    Example:
        >>> mean_shifts([Shift("", "a", "x", 1.0, 3.0, 1), Shift("", "a", "yyy", 1.0, 1.0, 3)])
        {'a': 0.5}
    """
    found = {}
    for who, sign in (("a", 1), ("b", -1)):
        own = [row for row in rows if row.written_by == who]
        if own:
            total = sum(sign * (row.bits_b - row.bits_a) * row.n_bytes for row in own)
            found[who] = total / sum(row.n_bytes for row in own)
    return found


def written(record: DriftRecord) -> str:
    """A record as the text of a JSON file."""
    return json.dumps(asdict(record) | {"rows": [list(row) for row in record.rows]}, indent=1) + "\n"


def read(text: str) -> DriftRecord:
    """The record of such a text.

    Example:
        >>> row = Shift("p", "a", "x", 1.0, 2.0, 1)
        >>> one = DriftRecord("m", "r", "lora", 2, {"a": ["x"], "b": ["y"]}, (row,))
        >>> read(written(one)).rows == one.rows
        True
    """
    told = json.loads(text)
    return DriftRecord(**told | {"rows": tuple(Shift(*row) for row in told["rows"])})


@lru_cache
def shipped() -> DriftRecord:
    """The record that our own script took down (`playground.trained.drift`)."""
    return read((site_root() / "assets" / "trained" / FOLDER / FILE).read_text("utf-8"))

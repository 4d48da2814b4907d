"""One example for a model that turns a sequence into another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """A text for a model to read, and the one it should write.

    Attributes:
        source: The text that is read.
        target: The text that is written.
    """

    source: str
    target: str

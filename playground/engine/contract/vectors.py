"""The part of the engine contract that gives vectors: of tokens from the table, and of many texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from playground.core.embeddings import EmbeddingTable
from playground.core.trace import Trace
from playground.engine.contract.asked import Asked
from playground.engine.contract.waiting import OnWait
from playground.errors import InputError


@dataclass(frozen=True, slots=True)
class TracesRequest(Asked):
    """Read many texts with one model.

    Attributes:
        model: Catalogue id.
        texts: The texts to read.
        hidden_states: "all", or the layers wanted (0 = embedding).
        max_tokens: Most tokens of a text that are read, its frame ([CLS] ... [SEP]) included; 0: all of them.
    """

    texts: tuple[str, ...]
    hidden_states: Literal["all"] | tuple[int, ...]
    max_tokens: int = 0
    topic: str = field(default="texts", kw_only=True)


TextRead = tuple[int, Trace | InputError]


class Vectors(Protocol):
    """The part of an engine that gives vectors."""

    def embedding_table(self, model: str, on_wait: OnWait | None = None) -> EmbeddingTable:
        """The input embedding matrix of a model; nobody may write to it."""
        ...

    def untrained_vectors(self, n_vectors: int, d_model: int, seed: int) -> NDArray[np.float32]:
        """The weights a new embedding layer starts with. Shape [n_vectors, d_model]."""
        ...

    def traces(self, request: TracesRequest, on_wait: OnWait | None = None) -> Iterator[TextRead]:
        """(place in `texts`, its trace or why it cannot be read), in the order they are ready."""
        ...

"""The part of the engine contract about adapters: what they are, and a session's own, in plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from playground.core.lora import LoraConfig, LowRank

# Numbers that are trained: two factors beside weights, weights themselves, a bottleneck behind a layer,
# embeddings before the text, keys and values before it in every layer.
Method = Literal["lora", "last_block", "bottleneck", "prompt", "prefix"]
METHODS: tuple[Method, ...] = ("lora", "last_block", "bottleneck", "prompt", "prefix")
PRODUCTS: tuple[Method, ...] = ("lora", "last_block")  # those that change weights, by a matrix beside each
VIRTUAL: tuple[Method, ...] = ("prompt", "prefix")  # those with positions before the text that nobody wrote
# Files of ours beside peft's in a zip: what the run was asked, and a script that trains it again.
CARD, SCRIPT = "run_card.json", "reproduce.py"


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear layer that an adapter may change.

    Attributes:
        layer: Number of its block.
        module: Name within the block, as in peft's `target_modules`.
        d_out, d_in: Shape of its weights.
    """

    layer: int
    module: str
    d_out: int
    d_in: int


@dataclass(frozen=True, slots=True)
class AdapterInfo:
    """An adapter of a session.

    Attributes:
        model_id: Id by which the engine uses it: the base's id and its own.
        base_id: Model that it changes.
        name: Name that the reader gave it.
        run: Number of its training run in the session, 0 when it came another way.
        learning_rate: Learning rate of its run, None when it came another way.
        step: Steps it was trained, 0 when that is not known.
        lora, method: Settings it was trained with.
        num_virtual_tokens: Positions that it puts before every text; 0 for other methods.
        n_parameters: Trained numbers.
        size_bytes: Memory it takes.
    """

    model_id: str
    base_id: str
    name: str
    run: int
    learning_rate: float | None
    step: int
    lora: LoraConfig
    method: Method
    n_parameters: int
    size_bytes: int
    num_virtual_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Imported:
    """An adapter that came as a file.

    Attributes:
        model_id: Id by which the engine uses it.
        ignored: Names of the files beside it that were not read, as a sentence may name them.
    """

    model_id: str
    ignored: tuple[str, ...]


class AdapterStore(Protocol):
    """The adapters of all sessions; each belongs to the session that made it."""

    def of(self, owner: str) -> list[AdapterInfo]:
        """The adapters of a session, oldest first."""
        ...

    def info(self, model_id: str) -> AdapterInfo:
        """Facts about an adapter that readers see.

        Raises:
            AdapterGone: The adapter is no longer here, or never was.
        """
        ...

    def belongs(self, model_id: str, owner: str) -> bool:
        """True if a session may use the adapter; it may from now on where all others have left."""
        ...

    def remove(self, model_id: str, owner: str) -> None:
        """Delete an adapter of this session."""
        ...

    def changes(self, model_id: str) -> tuple[LowRank, ...]:
        """The low-rank change of each layer, in order, at the strength of the id.

        Raises:
            AdapterGone.
            Unsupported: It changes no weight by a product of two factors.
        """
        ...

    def exported(self, model_id: str, more: Mapping[str, str]) -> bytes:
        """An adapter as a zip that stock peft loads, with further text files; peft knows no bottleneck.

        Raises:
            AdapterGone.
        """
        ...

    def imported(
        self, model_id: str, name: str, data: bytes, owner: str, *, any_base: bool = False
    ) -> Imported:
        """Take in a zip as peft writes it.

        Args:
            model_id: The base it is for, with or without an adapter.
            name: Name of the file.
            data: The file.
            owner: The session that it will belong to.
            any_base: True takes it also where the file names another base, or none, and all shapes fit.

        Raises:
            OtherBase: The file names another base, but all shapes fit.
            BadFile: The file is not an adapter for this model.
            TooManyAdapters, NoRoom: There is no room.
        """
        ...

    def added(self, first: str, second: str, owner: str) -> str:
        """A new adapter that changes what both change, by the sum; gives its model id.

        Raises:
            BadValue: They are not of the same base, or change no weights.
            TooManyAdapters, NoRoom: There is no room.
        """
        ...

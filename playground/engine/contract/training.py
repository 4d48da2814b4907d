"""The part of the engine contract that trains adapters and lends them out: in plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol
from uuid import uuid4

from playground.core.lora import LowRank
from playground.errors import Message

if TYPE_CHECKING:
    from playground.core.files.training_rows import TrainingRow
    from playground.engine.adapters.store import Adapters
    from playground.engine.training.runs import Trainings

Method = Literal["lora", "last_block"]
SampleStatus = Literal["open", "whole", "cut"]
TrainingStatus = Literal["waiting", "running", "paused", "done", "cancelled", "failed"]
ENDED: tuple[TrainingStatus, ...] = ("done", "cancelled", "failed")


@dataclass(frozen=True, slots=True)
class TrainingText:
    """One text as the model reads it while it is trained.

    Attributes:
        input_ids: Its tokens.
        is_trained: Of each token whether it counts in the loss. The first one never does: nothing is
            before it.
        n_cut: Tokens that were beyond the limit and left out.
    """

    input_ids: tuple[int, ...]
    is_trained: tuple[bool, ...]
    n_cut: int = 0

    @property
    def n_trained(self) -> int:
        """Tokens that count in the loss."""
        return sum(self.is_trained)


@dataclass(frozen=True, slots=True)
class FinetuneRequest:
    """One training run.

    Attributes:
        model: Catalogue id of a decoder.
        name: What the reader calls it; only shown.
        train, held_out, general: Texts to learn from, of the same kind but never learned from, and of any
            other kind: the loss on those shows what is forgotten.
        prompts: Token ids of prompts that are continued at milestones.
        n_steps: Optimizer steps.
        learning_rate: Of AdamW (no weight decay); the same in every step.
        r, lora_alpha, lora_dropout, target_modules: As in peft.
        method: LoRA, or the linear layers of the last block trained in full (its `r` counts for nothing).
        batch_size: Texts a step.
        seed: Of the adapter's first values, of the order of the texts and of dropout.
        keep_best: Whether the adapter is that of the least held-out loss, else that of the last step.
    """

    model: str
    name: str
    train: tuple[TrainingText, ...]
    held_out: tuple[TrainingText, ...]
    general: tuple[TrainingText, ...] = ()
    prompts: tuple[tuple[int, ...], ...] = ()
    n_steps: int = 40
    learning_rate: float = 2e-3
    r: int = 8
    lora_alpha: float = 16.0
    lora_dropout: float = 0.0
    target_modules: tuple[str, ...] = ("q_proj", "v_proj")
    method: Method = "lora"
    batch_size: int = 4
    seed: int = 0
    keep_best: bool = True
    owner: str = ""
    request_id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the model wrote after a prompt at a milestone.

    Attributes:
        step: After how many steps.
        prompt: Place of the prompt in the request.
        text: So far.
        status: open (it goes on), whole, or cut: something stopped it, and nothing more comes.
    """

    step: int
    prompt: int
    text: str
    status: SampleStatus


@dataclass(frozen=True, slots=True)
class TrainingState:
    """How far a run is: a snapshot.

    Attributes:
        request: What was asked.
        number: Of the run in its session, from 1 on; kept when earlier ones are forgotten.
        status: waiting (in the queue), running, paused, done, cancelled, failed.
        position: Place in the queue, 1 = next; 0 when it is not waiting.
        step: Steps done.
        train: (step, loss of its batch before the step), nats a token.
        held_out, general: (steps done, loss on all of those texts), from step 0 on.
        samples: What the prompts gave at milestones.
        step_s: Seconds of the last step while the engine worked on it, 0 before the first.
        n_together: How many runs shared the last step.
        n_tokens: Tokens read in training so far.
        elapsed_s: Seconds between its first step and now, or its end.
        best_step: Step with the least held-out loss, None while there is none.
        is_settled: Whether it holds no slot: what it learned is lent by then, if it has ended.
        adapter: Model id under which what it learned can be used, "" before.
        adapter_step: Of how many steps that adapter is.
        error: Why it failed, or what of it could not be done; else None.
    """

    request: FinetuneRequest
    status: TrainingStatus
    number: int = 0
    position: int = 0
    step: int = 0
    train: tuple[tuple[int, float], ...] = ()
    held_out: tuple[tuple[int, float], ...] = ()
    general: tuple[tuple[int, float], ...] = ()
    samples: tuple[Sample, ...] = ()
    step_s: float = 0.0
    n_together: int = 0
    n_tokens: int = 0
    elapsed_s: float = 0.0
    best_step: int | None = None
    is_settled: bool = True
    adapter: str = ""
    adapter_step: int = 0
    error: Message | None = None


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
        model_id: What to ask the engine for to use it: the base's id and its own.
        base_id: Model that it changes.
        name: What the reader called it.
        run: Number of its training run in the session, 0 when it came another way.
        learning_rate: Of that run, None when it came another way.
        step: Steps it was trained, 0 when that is not known.
        r, lora_alpha, target_modules, method: As trained.
        n_parameters: Trained numbers.
        size_bytes: Memory it takes.
    """

    model_id: str
    base_id: str
    name: str
    run: int
    learning_rate: float | None
    step: int
    r: int
    lora_alpha: float
    target_modules: tuple[str, ...]
    method: Method
    n_parameters: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Imported:
    """An adapter that came as a file.

    Attributes:
        model_id: What to ask the engine for to use it.
        ignored: Names of the files beside it that were not read, as a sentence may name them.
    """

    model_id: str
    ignored: tuple[str, ...]


class FinetuneEngine(Protocol):
    """The part of the engine that trains.

    Attributes:
        trainings: Start, look at, pause, take up and cancel runs; they go on while nobody looks.
        lent: The adapters there are.
    """

    trainings: Trainings
    lent: Adapters

    def finetune(self, request: FinetuneRequest) -> Iterator[TrainingState]:
        """Train, giving every new state until the run has ended; closing the iterator cancels it.

        Raises:
            InputError, ModelError, BusyError.
        """
        ...

    def start(self, request: FinetuneRequest) -> None:
        """Queue a run, which goes on while nobody looks; `trainings` tells how far it is.

        Raises:
            InputError, ModelError, BusyError.
        """
        ...

    def adapters(self, owner: str) -> list[AdapterInfo]:
        """The adapters of a session, oldest first."""
        ...

    def linears(self, model: str) -> tuple[Linear, ...]:
        """The linear layers of a decoder's blocks, in order."""
        ...

    def training_texts(self, model: str, rows: Sequence[TrainingRow]) -> tuple[TrainingText, ...]:
        """Each row as the model reads it while it is trained."""
        ...

    def changes(self, model: str) -> tuple[LowRank, ...]:
        """What an adapter adds to each layer, in order; `model` is its id."""
        ...

    def exported(self, model: str, more: Mapping[str, str]) -> bytes:
        """An adapter as a zip that stock peft loads, with further text files."""
        ...

    def imported(self, model: str, name: str, data: bytes, owner: str, *, any_base: bool = False) -> Imported:
        """Take in a zip as peft writes it.

        Args:
            model: The base it is for.
            name: Of the file.
            data: The file.
            owner: Whose it will be.
            any_base: Whether to take it also where the file names another base, or none, and all shapes fit.

        Raises:
            OtherBase: It names another base, but all shapes fit.
            BadFile: It is no adapter for this model.
            TooManyAdapters: There is no room.
        """
        ...

    def added(self, first: str, second: str, owner: str) -> str:
        """A new adapter that changes what both change, by the sum; gives its model id.

        Raises:
            BadValue: They are not of the same base.
            TooManyAdapters: There is no room.
        """
        ...

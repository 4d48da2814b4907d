"""The part of the engine contract about training: what a run is asked, how far it is, in plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Literal, Protocol
from uuid import uuid4

from playground.core.files.training_rows import TrainingRow
from playground.core.lora import LoraConfig
from playground.engine.contract.adapters import Linear, Method
from playground.engine.contract.remedies import Remedy
from playground.errors import Message

SampleStatus = Literal["open", "whole", "cut"]
TrainingStatus = Literal["waiting", "running", "paused", "done", "cancelled", "failed"]
ENDED: tuple[TrainingStatus, ...] = ("done", "cancelled", "failed")


class Example(Protocol):
    """One thing that a model learns from, or is measured on."""

    @property
    def n_tokens(self) -> int:
        """Tokens that are read."""
        ...

    @property
    def n_trained(self) -> int:
        """Tokens that count in the loss."""
        ...


@dataclass(frozen=True, slots=True)
class TrainingText:
    """One text as the model reads it while it is trained.

    Attributes:
        input_ids: Token ids of the text.
        is_trained: True for each token that counts in the loss. The first one never does: nothing is
            before it.
        n_cut: Tokens that were beyond the limit and left out.
    """

    input_ids: tuple[int, ...]
    is_trained: tuple[bool, ...]
    n_cut: int = 0

    @property
    def n_tokens(self) -> int:
        """Tokens that are read."""
        return len(self.input_ids)

    @property
    def n_trained(self) -> int:
        """Tokens that count in the loss."""
        return sum(self.is_trained[1:])


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Settings of a training run of any kind, without its data.

    Attributes:
        model: Catalogue id of the model it starts from; "" for a network that starts from nothing.
        name: Name that the reader gave it; only shown.
        n_steps: Optimizer steps.
        learning_rate: Learning rate of AdamW (no weight decay); the same in every step.
        batch_size: Examples per step.
        seed: Seed of the first values, of the order of the examples and of dropout.
        keep_best: True keeps the state of the least held-out loss, False that of the last step.
        objective: Name of the kind of training.
        OBSERVED_EVERY: Steps between two observations beside the milestones; 0 for a few in all.
    """

    OBSERVED_EVERY: ClassVar[int] = 0

    model: str
    name: str
    n_steps: int = 40
    learning_rate: float = 2e-3
    batch_size: int = 4
    seed: int = 0
    keep_best: bool = True
    objective: str = "sft"


@dataclass(frozen=True, slots=True)
class FinetuneSettings(RunSettings):
    """Settings of a run that trains an adapter by supervised fine-tuning.

    Attributes:
        lora: LoRA settings as in peft.
        method: The numbers that are trained; `lora` counts for LoRA alone.
        num_virtual_tokens: Positions before the text, of a soft prompt or a prefix.
        bottleneck: Width of a bottleneck: numbers between its two projections.
        remedy: What the run does against forgetting; of LoRA alone.
        LIMITS: Name -> the least and the most that a run here may ask for.
    """

    LIMITS: ClassVar[Mapping[str, tuple[int, int]]] = MappingProxyType(
        {"num_virtual_tokens": (1, 64), "bottleneck": (1, 256)}
    )

    lora: LoraConfig = field(default_factory=LoraConfig)
    method: Method = "lora"
    num_virtual_tokens: int = 16
    bottleneck: int = 16
    remedy: Remedy = field(default_factory=Remedy)


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """One training run of any kind.

    Attributes:
        settings: Settings of the run.
        train, held_out, general: Examples to learn from, of the same kind but never learned from, and of any
            other kind: the loss on those shows what is forgotten.
        prompts: Token ids of prompts that are continued at milestones.
    """

    settings: RunSettings
    train: tuple[Example, ...]
    held_out: tuple[Example, ...]
    general: tuple[Example, ...] = ()
    prompts: tuple[tuple[int, ...], ...] = ()
    owner: str = ""
    request_id: str = field(default_factory=lambda: uuid4().hex)

    @property
    def most_tokens(self) -> int:
        """As many as a step can read, if no text begins like another."""
        return self.settings.batch_size * max(one.n_tokens for one in self.train)


@dataclass(frozen=True, slots=True)
class AdapterRequest(TrainingRequest):
    """A run that trains an adapter of a decoder.

    Attributes:
        old: Texts of what the model could do before, which a remedy reads; none is among `general` or
            `held_out`, or nothing would be measured.
    """

    settings: FinetuneSettings
    old: tuple[TrainingText, ...] = ()


@dataclass(frozen=True, slots=True)
class FinetuneRequest(AdapterRequest):
    """A run that trains an adapter of a decoder on texts."""

    train: tuple[TrainingText, ...]
    held_out: tuple[TrainingText, ...]
    general: tuple[TrainingText, ...] = ()

    @property
    def most_tokens(self) -> int:
        """As many as a step can read, if no text begins like another."""
        size = self.settings.batch_size
        longest = max((one.n_tokens for one in self.old), default=0)
        new = size * max(one.n_tokens for one in self.train)
        return new + self.settings.remedy.n_old(size) * longest


@dataclass(frozen=True, slots=True)
class Sample:
    """Continuation of a prompt at a milestone.

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
class Observation:
    """A kind of training's own measurement of a run at a milestone.

    Attributes:
        step: After how many steps.
    """

    step: int


@dataclass(frozen=True, slots=True)
class RemedyObservation(Observation):
    """Distance of a run with a remedy to its start.

    Attributes:
        distance: Frobenius norm of the change of all weights together.
        penalty: What the remedy adds to the loss, nats; 0 for rehearsal, which changes the rows instead.
    """

    distance: float
    penalty: float


@dataclass(frozen=True, slots=True)
class TrainingState:
    """Progress of a run, without its data: as large for a thousand texts as for ten.

    Attributes:
        run_id: Id of its request.
        settings: Settings of the run.
        status: waiting (in the queue), running, paused, done, cancelled, failed.
        number: Number of the run in its session, from 1 on; kept when earlier ones are forgotten.
        n_train, n_held_out: Examples it learns from, and is tested on.
        position: Place in the queue, 1 = next; 0 when it is not waiting.
        begins_in_s: About how many seconds until it begins, at the pace of those that train; None when it is
            not waiting, or that is not known.
        step: Steps done.
        train: (step, loss of its batch before the step), nats a token.
        held_out, general: (steps done, loss on all of those texts), from step 0 on.
        samples: Continuations of the prompts at milestones.
        observed: Further measurements of its kind of training at milestones.
        step_s: Seconds of the last step while the engine worked on it, 0 before the first.
        n_together: Number of runs that shared the last step.
        n_sharing: Other sessions whose equal requests the same computation answers, and that go along.
        is_known: True if an equal request had been trained before: nothing is computed for this one.
        n_tokens: Tokens read in training so far.
        elapsed_s: Seconds between its first step and now, or its end.
        best_step: Step with the least held-out loss, None while there is none.
        is_settled: True if it holds no slot: its adapter can be used by then, if it has ended.
        adapter: Id under which what it learned can be used, "" before.
        adapter_step: Number of steps that the adapter was trained.
        error: Why it failed, or what of it could not be done; else None.
        is_frozen: True if it rests because training rests for all, and goes on by itself after that.
    """

    run_id: str
    settings: RunSettings
    status: TrainingStatus
    number: int = 0
    n_train: int = 0
    n_held_out: int = 0
    position: int = 0
    begins_in_s: float | None = None
    step: int = 0
    train: tuple[tuple[int, float], ...] = ()
    held_out: tuple[tuple[int, float], ...] = ()
    general: tuple[tuple[int, float], ...] = ()
    samples: tuple[Sample, ...] = ()
    observed: tuple[Observation, ...] = ()
    step_s: float = 0.0
    n_together: int = 0
    n_sharing: int = 0
    is_known: bool = False
    n_tokens: int = 0
    elapsed_s: float = 0.0
    best_step: int | None = None
    is_settled: bool = True
    adapter: str = ""
    adapter_step: int = 0
    error: Message | None = None
    is_frozen: bool = False


class Runs(Protocol):
    """All training runs; they go on while nobody looks. A run is known by its request's id.

    Requests that differ in session, id and name alone are equal: they are computed once. Each session has the
    run under its own id, and pauses or stops its part of it alone.
    """

    def start(self, request: TrainingRequest) -> None:
        """Queue a run, or take part in an equal one that trains, waits, rests, or has been done.

        Raises:
            InputError: A setting or text that cannot be, the id of another run, no room for an adapter.
            ModelError: The model cannot be loaded, or cannot be trained.
            BusyError: The session has as many runs as it may, the queue is full, there is no room for what
                will be learned, or training rests for all.
        """
        ...

    def state(self, request_id: str, owner: str) -> TrainingState | None:
        """Progress of a run of this session; None when there is none."""
        ...

    def of(self, owner: str) -> list[TrainingState]:
        """The runs of a session, oldest first."""
        ...

    def pause(self, request_id: str) -> None:
        """Leave the slot within one step and keep everything; `resume` takes the run up.

        What others share goes on without this session, and has its end for it too.
        """
        ...

    def resume(self, request_id: str) -> None:
        """Take a paused run up again, at the end of the line; a shared one where it is by now.

        While training rests for all, after that.
        """
        ...

    def cancel(self, request_id: str) -> None:
        """End a run within one step; what it has learned stays usable."""
        ...

    def freeze(self, seconds: float) -> None:
        """Let every run rest after the step it is in, and refuse new ones, until `release` or for so long.

        A freeze that is on begins anew with this time.
        """
        ...

    def release(self) -> None:
        """Let the runs that a freeze stopped go on, in the order of the line they stood in."""
        ...

    @property
    def is_frozen(self) -> bool:
        """True while runs rest because of `freeze`."""
        ...


class Training(Protocol):
    """The part of the engine that trains."""

    @property
    def runs(self) -> Runs:
        """All runs."""
        ...

    def linears(self, model: str) -> tuple[Linear, ...]:
        """The linear layers of a decoder's blocks, in order."""
        ...

    def texts(self, model: str, rows: Sequence[TrainingRow]) -> tuple[TrainingText, ...]:
        """Each row as the model reads it while it is trained."""
        ...

"""Protocols that a kind of training satisfies; runs, queue, evaluation and ends are the same for all kinds.

Objective   checks a request, makes the slot of its run, keeps what was learned
Slot        the numbers that one run trains
Learner     the slots of several runs, trained side by side step by step
Snapshot    a copy of what a run has learned
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

from playground.engine.contract.training import Observation, SampleStatus, TrainingRequest

GiveWay = Callable[[], None]
Sampled = Callable[[int, str, SampleStatus], None]
S = TypeVar("S", bound="Slot")
K_contra = TypeVar("K_contra", bound="Snapshot", contravariant=True)


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Most that runs of one kind may ask for.

    Attributes:
        n_steps, batch_size: Optimizer steps, and examples per step.
        n_examples: Examples to learn from, and as many held-out ones.
        tokens: Tokens of one example.
        batch_tokens: Tokens of one step, if no example begins like another.
        fused_tokens: Tokens of one step of all runs that share a learner.
    """

    n_steps: int
    batch_size: int
    n_examples: int
    tokens: int
    batch_tokens: int
    fused_tokens: int


class Snapshot(Protocol):
    """A copy of what a run has learned."""

    @property
    def step(self) -> int:
        """Steps it was trained."""

    def is_finite(self) -> bool:
        """True if all its numbers are numbers."""

    def named(self, settings: Any, number: int) -> Self:  # noqa: ANN401  (each kind has its own settings)
        """The same, as learned by an equal run; it shares the memory.

        Args:
            settings: Settings of that run, with its name.
            number: Number of that run in its session.
        """


class Slot(Protocol):
    """The numbers that one run trains, and whatever its optimizer and its random streams remember."""

    @property
    def group(self) -> Hashable:
        """Runs of one objective and one group can share a learner."""

    @property
    def start(self) -> Hashable:
        """Equal for slots of one objective that are the same model before their first step."""

    @property
    def guess_loss(self) -> float:
        """Loss of guessing among all outcomes alike, nats; twice as much ends a run, infinity none."""

    def snapshot(self, step: int, number: int) -> Snapshot:
        """A copy of what it has learned.

        Args:
            step: Steps it was trained.
            number: Number of its run in the session.
        """

    def forget(self) -> None:
        """Release its memory; the run has ended. What it has learned is gone."""


class Learner(Protocol):
    """Slots that are trained together. Only the engine's thread calls it."""

    @property
    def slots(self) -> Sequence[Slot]:
        """The slots, in the order of the batches."""

    def step(self, batches: Sequence[Sequence[Any]]) -> list[float]:
        """One optimizer step of every slot.

        Args:
            batches: The examples of each slot.

        Returns:
            The loss of each slot's batch before the step, nats per trained token; not finite where the slot
            has broken down.

        Raises:
            Exception: Whatever went wrong; then no slot has changed.
        """

    def measure(self, index: int, examples: Sequence[Any]) -> list[float]:
        """The loss of each example under one slot, summed over what counts in it, as it is without training.

        Args:
            index: Place of the slot.
            examples: At least one.
        """

    def observe(self, index: int, request: TrainingRequest, step: int) -> Observation | None:
        """This kind's own measurement of a slot, of a bounded size; None if it has none.

        Args:
            index: Place of the slot.
            request: Its run.
            step: Steps it was trained.
        """

    def unpack(self, index: int) -> None:
        """Write what one slot has learned back into it, so that it is whole without the learner."""


@dataclass(frozen=True)
class NewSlot(Generic[S]):
    """A slot that can be made.

    Attributes:
        size_bytes: Memory of what it will have learned.
        make: Makes it, once its run has a place in the queue.
    """

    size_bytes: int
    make: Callable[[], S]


class Objective(Protocol[S, K_contra]):
    """One kind of training: S is its slot, K_contra its snapshot."""

    @property
    def limits(self) -> RunLimits:
        """The most that a run may ask for."""

    def prepare(self, request: TrainingRequest) -> NewSlot[S]:
        """Check a request; called by the session's thread.

        Raises:
            InputError: A setting or text that cannot be.
            ModelError: The model cannot be loaded, or cannot be trained.
        """

    def check_room(self, owner: str, size_bytes: int, n_coming: int) -> None:
        """Refuse a run where there is no room for what it will have learned.

        Args:
            owner: The session that it would belong to.
            size_bytes: Memory it takes.
            n_coming: Number of adapters that this session's runs will still bring.

        Raises:
            InputError, BusyError.
        """

    def learner(self, slots: Sequence[S], give_way: GiveWay) -> Learner:
        """Train slots of one group together.

        Args:
            slots: At least one.
            give_way: To be called a few times in every step: others may use the engine there.
        """

    def sample(self, request: TrainingRequest, slot: S, step: int, sampled: Sampled) -> None:
        """Begin to continue the request's prompts with what the slot has learned.

        Args:
            request: The run.
            slot: The slot with its state so far.
            step: Steps it was trained.
            sampled: Is given (place of the prompt, more text, whether more comes), from any thread, also
                later; of a prompt that has ended nothing counts any more.
        """

    def keep(self, snapshot: K_contra, owner: str) -> str:
        """Keep what was learned; gives the id under which it can be used.

        Raises:
            TooManyAdapters, NoRoom: There is no room for it.
        """


AnyObjective = Objective[Any, Any]

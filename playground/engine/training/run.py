"""One training run: its settings checked, its order of texts, what is known of it."""

from __future__ import annotations

import logging
import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from playground.engine.contract.limits import check_limits
from playground.engine.contract.training import (
    ENDED,
    Example,
    RunSettings,
    Sample,
    SampleStatus,
    TrainingRequest,
    TrainingState,
)
from playground.engine.memory import is_out_of_memory
from playground.engine.training.learner import AnyObjective, RunLimits, Slot, Snapshot
from playground.errors import (
    BadValue,
    EmptyText,
    Message,
    OutOfMemory,
    PlaygroundError,
    QueueFull,
    TooManyRuns,
    TooManyTokens,
)
from playground.settings import Settings

log = logging.getLogger(__name__)
FAILED = Message("The training failed on the server; its log says why. What you trained before is untouched.")
MILESTONES = (0, 10, 25, 50, 100)
N_EVALS = 8  # how often a run is tested on held-out and general texts, beside step 0
MIN_BETWEEN = 3  # steps; a test reads more than a step does
MAX_PROMPTS = 3


@dataclass(eq=False)
class TrainingRun:
    """One run, from the queue to its end; written by `RunTable` only.

    Attributes:
        request: The request.
        state: State that anybody may see; replaced, never changed.
        objective: Objective of the training.
        slot: The slot that it trains.
        number: Place in the line of all runs.
        order: Places of the training texts, in the order they are read.
        worked_s: Seconds the engine worked on it.
        began, ended: Begin of its first step, and its end, seconds of the monotonic clock.
        best: The least held-out loss and what it had learned then.
        evaluated_steps: Steps at which it has been tested.
        has_slot: True if it has a place in a learner.
    """

    request: TrainingRequest
    state: TrainingState
    objective: AnyObjective
    slot: Slot
    number: int
    order: NDArray[np.int64]
    worked_s: float = 0.0
    began: float | None = None
    ended: float | None = None
    best: tuple[float, Snapshot] | None = None
    evaluated_steps: set[int] = field(default_factory=set)
    has_slot: bool = False
    alone: bool = False
    is_frozen: bool = False

    @property
    def settings(self) -> RunSettings:
        """Settings of the request."""
        return self.request.settings

    @property
    def group(self) -> Hashable:
        """Runs of one group can share a step."""
        return self.settings.objective, self.slot.group, id(self) if self.alone else None

    @property
    def is_over(self) -> bool:
        """True once all steps are done."""
        return self.state.step >= self.settings.n_steps

    @property
    def is_eval_due(self) -> bool:
        """True if it is to be evaluated before the next step."""
        step, every = self.state.step, max(MIN_BETWEEN, self.settings.n_steps // N_EVALS)
        due = step % every == 0 or step in MILESTONES or self.is_over
        return due and step not in self.evaluated_steps

    @property
    def is_sampling_due(self) -> bool:
        """True if its prompts are to be continued before the next step."""
        return bool(self.request.prompts) and (self.state.step in MILESTONES or self.is_over)

    @property
    def eval_set(self) -> tuple[object, ...]:
        """All that an evaluation before the first step depends on."""
        request = self.request
        start = self.settings.objective, self.slot.start
        return start, request.held_out, request.general, request.prompts

    @property
    def first_losses(self) -> dict[str, float]:
        """Loss on the held-out and on the general texts before the first step; there may be none."""
        held = {"held_out": self.state.held_out, "general": self.state.general}
        return {name: losses[0][1] for name, losses in held.items() if losses}

    @property
    def first_samples(self) -> tuple[Sample, ...]:
        """Samples before the first step; none until all of them are whole."""
        found = tuple(one for one in self.state.samples if one.step == 0 and one.status == "whole")
        return found if len(found) == len(self.request.prompts) else ()

    @cached_property
    def most_tokens(self) -> int:
        """As many as a step of it can read."""
        return most_tokens(self.request)

    def improves_with(self, held_out: float) -> bool:
        """True if its held-out loss was never that low; at step 0 nothing has been learned."""
        return self.state.step > 0 and (self.best is None or held_out < self.best[0])

    def batch(self) -> list[Example]:
        """The examples of the next step."""
        first = self.state.step * self.settings.batch_size
        return [self.request.train[i] for i in self.order[first : first + self.settings.batch_size]]

    def snapshot(self) -> Snapshot:
        """A copy of what its slot has learned so far."""
        return self.slot.snapshot(self.state.step, self.state.number)

    def result(self) -> Snapshot | None:
        """Snapshot that is kept at its end: of the best step where asked for, and after a failure."""
        if self.state.status == "failed":
            if self.best is None or not self.best[0] < self.state.held_out[0][1]:
                return None  # nothing good came of it
            snapshot = self.best[1]
        else:
            snapshot = self.best[1] if self.best and self.settings.keep_best else self.snapshot()
        return snapshot if snapshot.step and snapshot.is_finite() else None


def new_run(
    request: TrainingRequest, objective: AnyObjective, slot: Slot, number: int, of_session: int
) -> TrainingRun:
    """A run that waits.

    Args:
        request: The request.
        objective: Objective of the training.
        slot: The slot that it trains.
        number: Place in the line of all runs.
        of_session: Number among its session's runs.
    """
    asked, n_train, n_held_out = request.settings, len(request.train), len(request.held_out)
    state = TrainingState(request.request_id, asked, "waiting", of_session, n_train, n_held_out)
    order = text_order(n_train, asked.n_steps * asked.batch_size, asked.seed)
    return TrainingRun(request, state, objective, slot, number, order)


def line_of(runs: Iterable[TrainingRun]) -> list[TrainingRun]:
    """Runs that wait, in the order they will train: first whose session trains nothing, then by arrival."""
    each = list(runs)
    busy = {run.request.owner for run in each if run.has_slot} - {""}
    waiting = [run for run in each if run.state.status == "waiting" and not run.has_slot]
    return sorted(waiting, key=lambda run: (run.request.owner in busy, run.number))


def continued(
    samples: tuple[Sample, ...], step: int, prompt: int, text: str, status: SampleStatus
) -> tuple[Sample, ...]:
    """The samples with more text in an open one; one that has ended stays as it is."""
    return tuple(
        replace(one, text=one.text + text, status=status)
        if (one.step, one.prompt, one.status) == (step, prompt, "open")
        else one
        for one in samples
    )


def text_order(n_texts: int, n_read: int, seed: int) -> NDArray[np.int64]:
    """Places of the texts in the order they are read: every text once, newly mixed, before any comes again.

    Args:
        n_texts: Number of texts.
        n_read: Number of texts read in all.
        seed: Seed of the order.

    Returns:
        At least `n_read` places, whole rounds. Shape [place].

    Example:
        >>> sorted(text_order(3, 6, seed=0)[:3].tolist())
        [0, 1, 2]
    """
    random = np.random.default_rng(seed)
    return np.concatenate([random.permutation(n_texts) for _ in range(-(-n_read // n_texts))])


def most_tokens(request: TrainingRequest) -> int:
    """As many as a step can read, if no text begins like another."""
    return request.settings.batch_size * max(one.n_tokens for one in request.train)


def check_run(request: TrainingRequest, limits: RunLimits) -> None:
    """Refuse a run of any kind whose settings or data cannot be.

    Raises:
        BadValue: A setting is out of range, or NaN.
        EmptyText: Nothing to learn from, or a text without a token to learn.
        TooManyTokens: A text or a batch is too long.
    """
    asked = request.settings
    check_limits(
        {
            "n_steps": (asked.n_steps, 1, limits.n_steps),
            "learning_rate": (asked.learning_rate, 1e-7, 100.0),
            "batch_size": (asked.batch_size, 1, limits.batch_size),
            "seed": (asked.seed, 0, 2**32 - 1),
            "train": (len(request.train), 1, limits.n_examples),
            "held_out": (len(request.held_out), 0, limits.n_examples),
            "general": (len(request.general), 0, limits.n_examples),
            "prompts": (len(request.prompts), 0, MAX_PROMPTS),
        }
    )
    examples = (*request.train, *request.held_out, *request.general)
    if not all(one.n_trained for one in examples) or not all(request.prompts):
        raise EmptyText
    longest = max(one.n_tokens for one in examples)
    if longest > limits.tokens:
        raise TooManyTokens(limit=limits.tokens, got=longest)
    if most_tokens(request) > limits.batch_tokens:
        most = limits.batch_tokens // max(one.n_tokens for one in request.train)
        raise BadValue(name="batch_size", value=asked.batch_size, allowed=f"1-{max(1, most)}")


def check_place(
    request: TrainingRequest, runs: Sequence[TrainingRun], settings: Settings
) -> list[TrainingRun]:
    """Refuse a run that has no place in the line; the runs of its session, oldest first.

    Args:
        request: The request of the new run.
        runs: All runs there are.
        settings: The limits.

    Raises:
        BadValue: Its id is another run's.
        QueueFull: Too many wait.
        TooManyRuns: Its session has as many as it may.
    """
    mine = [run for run in runs if run.request.owner == request.owner]
    n_alive = sum(run.state.status not in ENDED for run in mine)
    n_waiting = sum(run.state.status == "waiting" for run in runs)
    if any(run.request.request_id == request.request_id for run in runs):
        own = Message("an id of its own")
        raise BadValue(name="request_id", value=request.request_id, allowed=own)
    if n_waiting >= settings.max_inbox:
        raise QueueFull(position=n_waiting + 1)
    if request.owner and n_alive >= settings.max_trainings_per_session:
        raise TooManyRuns(limit=settings.max_trainings_per_session)
    return mine


def has_diverged(loss: float, guess_loss: float) -> bool:
    """True if a loss is not a number, or more than twice that of guessing among all outcomes."""
    return not math.isfinite(loss) or loss > 2 * guess_loss


def message_of(error: Exception) -> Message:
    """Message of an error for the owner of a run."""
    if is_out_of_memory(error):
        error = OutOfMemory()
    if isinstance(error, PlaygroundError):
        return error.message
    log.error("training failed", exc_info=error)
    return FAILED

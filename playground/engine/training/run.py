"""One training run: its settings checked, its order of texts, what is known of it."""

from __future__ import annotations

import logging
import math
import time
import weakref
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from playground.engine.contract.limits import check_limits
from playground.engine.contract.training import (
    Example,
    RunSettings,
    Sample,
    SampleStatus,
    TrainingRequest,
    TrainingState,
)
from playground.engine.memory import is_out_of_memory
from playground.engine.training.held import Held, Question
from playground.engine.training.learner import AnyObjective, RunLimits, Slot, Snapshot
from playground.errors import BadValue, EmptyText, Message, OutOfMemory, PlaygroundError, TooManyTokens

log = logging.getLogger(__name__)
FAILED = Message("The training failed on the server; its log says why. What you trained before is untouched.")
MILESTONES = (0, 10, 25, 50, 100)
N_EVALS = 8  # how often a run is tested on held-out and general texts, beside step 0
MIN_BETWEEN = 3  # steps; a test reads more than a step does
MAX_PROMPTS = 3


@dataclass(eq=False)
class TrainingRun:
    """One run as it is computed, from the queue to its end, for all whose requests are equal; written by
    `RunTable` only.

    Attributes:
        request: What is computed: the request of who asked first, of no session, under the first id.
        question: All that the result depends on; equal questions are one run.
        state: State of the computation; replaced, never changed.
        objective: Objective of the training.
        slot: The slot that it trains.
        number: Place in the line of all runs.
        order: Places of the training texts, in the order they are read.
        worked_s: Seconds the engine worked on it.
        began, ended: Begin of its first step, and its end, seconds of the monotonic clock.
        best: The least held-out loss and what it had learned then.
        evaluated_steps: Steps at which it has been tested.
        has_slot: True if it has a place in a learner.
        alone: True if it shares its learner with nobody: a step or a learner of several, with it, has failed.
        held: Parts of the sessions that asked for it, in the order they came.
        kept: What was handed out at its end; it lives as long as a session has it.
        is_frozen: True if it rests because training rests for all.
    """

    request: TrainingRequest
    question: Question
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
    held: list[Held] = field(default_factory=list)
    kept: list[weakref.ref[Snapshot]] = field(default_factory=list)
    is_frozen: bool = False

    @property
    def going(self) -> list[Held]:
        """Parts of those who want it to go on, or have its end."""
        return [one for one in self.held if one.wish == "on"]

    @property
    def leaving(self) -> list[Held]:
        """Parts of those who have stopped it for themselves and wait for what it had learned by then."""
        return [one for one in self.held if one.wish == "cancelled" and not one.is_served]

    def known(self) -> Snapshot | None:
        """Result of an equal request, once it has been done and while anybody has it."""
        if self.state.status != "done" or self.state.error is not None:
            return None
        return next((found for one in self.kept if (found := one()) is not None), None)

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
    def elapsed_s(self) -> float:
        """Seconds between the begin of its first step and now, or its end; 0 before."""
        return 0.0 if self.began is None else (self.ended or time.monotonic()) - self.began

    @property
    def left_s(self) -> float | None:
        """About how many seconds it still takes at the pace so far, None before its first step."""
        step = self.state.step
        return self.elapsed_s / step * (self.settings.n_steps - step) if step else None

    @property
    def is_eval_due(self) -> bool:
        """True if it is to be evaluated before the next step."""
        step = self.state.step
        every = self.settings.OBSERVED_EVERY or max(MIN_BETWEEN, self.settings.n_steps // N_EVALS)
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
        return self.request.most_tokens

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
    request: TrainingRequest, question: Question, objective: AnyObjective, slot: Slot, number: int
) -> TrainingRun:
    """A run that waits, of nobody yet.

    Args:
        request: The request.
        question: All that its result depends on.
        objective: Objective of the training.
        slot: The slot that it trains.
        number: Place in the line of all runs.
    """
    asked, n_train, n_held_out = request.settings, len(request.train), len(request.held_out)
    state = TrainingState(request.request_id, asked, "waiting", 0, n_train, n_held_out)
    order = text_order(n_train, asked.n_steps * asked.batch_size, asked.seed)
    own = replace(request, owner=f"run {request.request_id}")
    return TrainingRun(own, question, state, objective, slot, number, order)


def line_of(runs: Iterable[TrainingRun]) -> list[TrainingRun]:
    """Runs that wait, in the order they will train: first whose sessions train nothing, then by arrival."""
    each = list(runs)
    busy = {one.owner for run in each if run.has_slot for one in run.going} - {""}
    waiting = [run for run in each if run.state.status == "waiting" and not run.has_slot]
    return sorted(waiting, key=lambda run: (all(one.owner in busy for one in run.going), run.number))


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
    if request.most_tokens > limits.batch_tokens:
        most = asked.batch_size * limits.batch_tokens // request.most_tokens
        raise BadValue(name="batch_size", value=asked.batch_size, allowed=f"1-{max(1, most)}")


def has_diverged(loss: float, guess_loss: float) -> bool:
    """True if a loss is not a number, or more than twice that of guessing among all outcomes."""
    return not math.isfinite(loss) or loss > 2 * guess_loss


def message_of(error: BaseException) -> Message:
    """Message of an error for the owner of a run."""
    if is_out_of_memory(error):
        error = OutOfMemory()
    if isinstance(error, PlaygroundError):
        return error.message
    log.error("training failed", exc_info=error)
    return FAILED

"""Notes of the engine's thread on runs: steps, evaluations, samples, ends."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from playground.engine.contract.training import ENDED, Observation, Sample, SampleStatus
from playground.engine.training.held import Held
from playground.engine.training.learner import Sampled, Snapshot
from playground.engine.training.run import TrainingRun, continued, message_of
from playground.errors import BusyError, InputError, Message


class RunNotes:
    """Writes down what becomes of a run; called by the engine's thread.

    Attributes:
        lock: Held while anything of a run is changed, or read together.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()

    def stepped(self, run: TrainingRun, loss: float, step_s: float, n_together: int) -> None:
        """A step is done.

        Args:
            run: The run.
            loss: Loss of its batch before the step, nats per token.
            step_s: Seconds the engine worked on it, for all that shared it.
            n_together: Number of runs that shared the step.
        """
        n_read = sum(one.n_tokens for one in run.batch())
        with self.lock:
            run.worked_s += step_s / n_together
            step = run.state.step + 1
            self.note(
                run,
                train=(*run.state.train, (step, loss)),
                n_tokens=run.state.n_tokens + n_read,
                step=step,
                step_s=step_s,
                n_together=n_together,
            )

    def evaluated(
        self, run: TrainingRun, losses: Mapping[str, float], observation: Observation | None, worked_s: float
    ) -> None:
        """A run has been tested.

        Args:
            run: The run.
            losses: "held_out" and "general" -> nats per token, where there are such texts.
            observation: Its kind's own measurement, if it has one.
            worked_s: Seconds the engine worked on it.
        """
        with self.lock:
            step = run.state.step
            run.evaluated_steps.add(step)
            run.worked_s += worked_s
            added = {name: (*getattr(run.state, name), (step, loss)) for name, loss in losses.items()}
            self.note(run, **added)
            if observation is not None:
                self.note(run, observed=(*run.state.observed, observation))
            if "held_out" in losses and losses["held_out"] <= min(loss for _step, loss in run.state.held_out):
                self.note(run, best_step=step)

    def improved(self, run: TrainingRun, loss: float, snapshot: Snapshot) -> None:
        """A run has learned more than ever before: its held-out loss, and what it has learned."""
        with self.lock:
            run.best = (loss, snapshot)

    def open_samples(self, run: TrainingRun) -> Sampled:
        """The run's prompts are going to be continued; gives what is to be told of them, from any thread."""
        step = run.state.step
        empty = [Sample(step, prompt, "", "open") for prompt in range(len(run.request.prompts))]
        self.add_samples(run, empty)
        return partial(self._sampled, run, step)

    def add_samples(self, run: TrainingRun, samples: Sequence[Sample]) -> None:
        """Add the samples of one milestone."""
        with self.lock:
            self.note(run, samples=(*run.state.samples, *samples))

    def _sampled(self, run: TrainingRun, step: int, prompt: int, text: str, status: SampleStatus) -> None:
        with self.lock:
            self.note(run, samples=continued(run.state.samples, step, prompt, text, status))

    def leave(self, run: TrainingRun) -> None:
        """A run's slot is free again, and holds all that it has learned."""
        with self.lock:
            run.has_slot = False
            if run.state.status == "cancelled":
                self.publish(run)
            else:
                self.serve(run)

    def serve_leaving(self, run: TrainingRun) -> None:
        """Give those who have stopped their part what the slot holds; it goes on for the others."""
        with self.lock:
            self.serve(run)

    def part(self, run: TrainingRun) -> None:
        """A run shares its learner with nobody from now on."""
        with self.lock:
            run.alone = True

    def note(self, run: TrainingRun, **changes: object) -> None:
        """Change what may be seen of a run, with the lock held."""
        run.state = replace(run.state, **changes)  # type: ignore[arg-type]

    # ---- called by the engine's thread: ends

    def ended(self, run: TrainingRun, why: Message | None = None) -> None:
        """A run is over, and its slot holds all that it has learned.

        Args:
            run: The run.
            why: Why it is over before its last step.
        """
        with self.lock:
            if why is not None:
                self.note(run, error=why)
            if run.state.status not in ENDED:  # also one that was to rest after this very step
                self.note(run, status="done")
            self.publish(run)

    def fail(self, run: TrainingRun, error: BaseException) -> None:
        """End a run by an error; what was known of it before stays."""
        with self.lock:
            run.has_slot = False
            if run.state.status not in ENDED:
                self.note(run, status="failed", error=message_of(error))
            self.publish(run)

    # ---- ends, with the lock held

    def publish(self, run: TrainingRun) -> None:
        """Hand out what was learned, once: of the best step where that is wanted, and after a failure.

        Who had let it rest has its end too. Then nothing of the run keeps weights alive: neither its own nor
        its base's.
        """
        if run.ended is not None:
            return
        run.ended = time.monotonic()
        self._hand_out(run, [one for one in run.held if not one.is_served])
        for held in run.held:
            if held.wish == "paused":
                held.wish, held.apart = "on", None
        run.best = None
        run.slot.forget()

    def serve(self, run: TrainingRun) -> None:
        """Hand out what was learned so far to those who have stopped their part of a run that goes on."""
        if run.ended is None and run.leaving:
            self._hand_out(run, run.leaving)

    def _hand_out(self, run: TrainingRun, each: Sequence[Held]) -> None:
        """Give these parts what has been learned."""
        try:
            snapshot = run.result() if each else None
        except BaseException as error:  # noqa: BLE001  (no room for a copy: they end without an adapter)
            for held in each:
                held.error = message_of(error)
            snapshot = None
            if run.ended is not None:
                self.note(run, status="failed", error=message_of(error))
        for held in each:
            held.is_served = True
            if snapshot is not None:
                self.give(held, run, snapshot)

    def give(self, held: Held, run: TrainingRun, snapshot: Snapshot) -> None:
        """Keep what was learned for one session, under the name it gave; all share the memory."""
        own = snapshot.named(held.request.settings, held.number)
        try:
            held.adapter = run.objective.keep(own, held.owner)
        except (InputError, BusyError) as error:  # no room for it
            held.error = error.message
            return
        except Exception as error:  # noqa: BLE001  (the others have theirs)
            held.error = message_of(error)
            held.part(run.state, "failed")
            return
        held.adapter_step, held.is_served = own.step, True
        if held.wish != "cancelled":
            run.kept = [one for one in run.kept if one() is not None] + [weakref.ref(own)]

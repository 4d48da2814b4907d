"""Records of training runs: the engine's thread writes down what it measures, and how they end."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from playground.engine.contract.training import ENDED, Observation, Sample, SampleStatus
from playground.engine.training.learner import Sampled, Snapshot
from playground.engine.training.run import TrainingRun, continued, message_of
from playground.errors import BusyError, InputError, Message


class RunRecords:
    """All runs, with what is known of each; only the engine's thread calls it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._runs: dict[str, TrainingRun] = {}

    # ---- what has been measured

    def stepped(self, run: TrainingRun, loss: float, step_s: float, n_together: int) -> None:
        """A step is done.

        Args:
            run: The run.
            loss: Loss of its batch before the step, nats per token.
            step_s: Seconds the engine worked on it, for all that shared it.
            n_together: Number of runs that shared the step.
        """
        n_read = sum(one.n_tokens for one in run.batch())
        with self._lock:
            run.worked_s += step_s / n_together
            step = run.state.step + 1
            self._note(
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
        with self._lock:
            step = run.state.step
            run.evaluated_steps.add(step)
            run.worked_s += worked_s
            added = {name: (*getattr(run.state, name), (step, loss)) for name, loss in losses.items()}
            self._note(run, **added)
            if observation is not None:
                self._note(run, observed=(*run.state.observed, observation))
            if "held_out" in losses and losses["held_out"] <= min(loss for _step, loss in run.state.held_out):
                self._note(run, best_step=step)

    def improved(self, run: TrainingRun, loss: float, snapshot: Snapshot) -> None:
        """A run has learned more than ever before: its held-out loss, and what it has learned."""
        with self._lock:
            run.best = (loss, snapshot)

    def runs_with_same_eval_set(self, run: TrainingRun) -> list[TrainingRun]:
        """Other runs that have been tested before their first step on the same texts and prompts."""
        with self._lock:
            others = [one for one in self._runs.values() if one is not run and 0 in one.evaluated_steps]
        return [one for one in others if one.eval_set == run.eval_set]

    def open_samples(self, run: TrainingRun) -> Sampled:
        """The run's prompts are going to be continued; gives what is to be told of them, from any thread."""
        step = run.state.step
        empty = [Sample(step, prompt, "", "open") for prompt in range(len(run.request.prompts))]
        self.add_samples(run, empty)
        return partial(self._sampled, run, step)

    def add_samples(self, run: TrainingRun, samples: Sequence[Sample]) -> None:
        """Add the samples of one milestone."""
        with self._lock:
            self._note(run, samples=(*run.state.samples, *samples))

    def _sampled(self, run: TrainingRun, step: int, prompt: int, text: str, status: SampleStatus) -> None:
        with self._lock:
            self._note(run, samples=continued(run.state.samples, step, prompt, text, status))

    # ---- ends

    def ended(self, run: TrainingRun, why: Message | None = None) -> None:
        """A run is over, and its slot holds all that it has learned.

        Args:
            run: The run.
            why: Why it is over before its last step.
        """
        with self._lock:
            if why is not None:
                self._note(run, error=why)
            if run.state.status not in ENDED:  # also one that was to rest after this very step
                self._note(run, status="done")
            self._publish(run)

    def fail(self, run: TrainingRun, error: Exception) -> None:
        """End a run by an error; what was known of it before stays."""
        with self._lock:
            run.has_slot = False
            if run.state.status not in ENDED:
                self._note(run, status="failed", error=message_of(error))
            self._publish(run)

    def _publish(self, run: TrainingRun) -> None:
        """Keep what was learned, once: of the best step where that is wanted, and after a failure.

        Then nothing of the run keeps weights alive: neither its own nor its base's.
        """
        if run.ended is not None:
            return
        run.ended = time.monotonic()
        try:
            self._keep(run)
        except Exception as error:  # noqa: BLE001  (no room for a copy: it ends without an adapter)
            self._note(run, status="failed", error=message_of(error))
        run.best = None
        run.slot.forget()

    def _keep(self, run: TrainingRun) -> None:
        snapshot = run.result() if run.request.request_id in self._runs else None
        if snapshot is None:
            return
        try:
            model_id = run.objective.keep(snapshot, run.request.owner)
        except (InputError, BusyError) as error:  # no room for it
            self._note(run, error=message_of(error))
            return
        self._note(run, adapter=model_id, adapter_step=snapshot.step)

    def _note(self, run: TrainingRun, **changes: object) -> None:
        """Change what may be seen of a run, with the lock held."""
        run.state = replace(run.state, **changes)  # type: ignore[arg-type]

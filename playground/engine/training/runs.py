"""Training runs: their queue, their slots, what has been measured. They go on while nobody looks.

session threads --start, pause, resume, cancel, state--> RunTable <--claim, stepped, ended-- Trainer
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from playground.engine.contract.training import (
    ENDED,
    Observation,
    Sample,
    SampleStatus,
    TrainingRequest,
    TrainingState,
    TrainingStatus,
)
from playground.engine.training.learner import AnyObjective, Sampled, Snapshot
from playground.engine.training.run import TrainingRun, check_run, continued, line_of, message_of, new_run
from playground.errors import (
    BadValue,
    BusyError,
    Cancelled,
    InputError,
    Message,
    QueueFull,
    TooManyRuns,
)
from playground.settings import Settings

_KEPT_RUNS = 6  # ended ones of one session


class RunTable:
    """All runs, and the only one who writes them. The `Runs` of this process.

    Its lock is never held while the scheduler is told or asked anything: that asks here with its own held.

    Args:
        settings: The limits.
        objectives: The kinds of training, by name.
        has_left: Returns True if a session has left.
        wake: Tells the engine's thread that there is work.
    """

    def __init__(
        self,
        settings: Settings,
        objectives: Mapping[str, AnyObjective],
        has_left: Callable[[str], bool],
        wake: Callable[[], None],
    ) -> None:
        self._settings, self._objectives = settings, objectives
        self._has_left, self._wake = has_left, wake
        self._lock = threading.RLock()
        self._runs: dict[str, TrainingRun] = {}
        self._n_started = 0

    # ---- called by session threads

    def start(self, request: TrainingRequest) -> None:
        """Queue a run."""
        asked = request.settings
        objective = self._objectives.get(asked.objective)
        if objective is None:
            allowed = ", ".join(self._objectives)
            raise BadValue(name="objective", value=repr(asked.objective), allowed=allowed)
        check_run(request, objective.limits)
        new_slot = objective.prepare(request)
        with self._lock:
            mine = [run for run in self._runs.values() if run.request.owner == request.owner]
            alive = [run for run in mine if run.state.status not in ENDED]
            waiting = sum(run.state.status == "waiting" for run in self._runs.values())
            if self._has_left(request.owner):
                raise Cancelled
            if request.request_id in self._runs:
                own = Message("an id of its own")
                raise BadValue(name="request_id", value=request.request_id, allowed=own)
            if waiting >= self._settings.max_inbox:
                raise QueueFull(position=waiting + 1)
            if request.owner and len(alive) >= self._settings.max_trainings_per_session:
                raise TooManyRuns(limit=self._settings.max_trainings_per_session)
            n_coming = sum(run.objective is objective for run in alive)
            objective.check_room(request.owner, new_slot.size_bytes, n_coming)
            ended = [run for run in mine if run.state.status in ENDED]
            for old in ended[: max(0, len(ended) - _KEPT_RUNS + 1)]:
                del self._runs[old.request.request_id]
            self._n_started += 1
            number = 1 + max((run.state.number for run in mine), default=0)
            run = new_run(request, objective, new_slot.make(), self._n_started, number)
            self._runs[request.request_id] = run
        self._wake()

    def state(self, request_id: str, owner: str) -> TrainingState | None:
        """Progress of a run of this session; None when there is none."""
        with self._lock:
            run = self._runs.get(request_id)
            if run is None or run.request.owner != owner:
                return None
            line = line_of(self._runs.values())
            elapsed_s = (run.ended or time.monotonic()) - run.began if run.began is not None else 0.0
            position = line.index(run) + 1 if run in line else 0
            return replace(run.state, position=position, elapsed_s=elapsed_s, is_settled=not run.has_slot)

    def of(self, owner: str) -> list[TrainingState]:
        """The runs of a session, oldest first."""
        return [state for one in self._ids(owner) if (state := self.state(one, owner)) is not None]

    def best(self, request_id: str) -> Snapshot | None:
        """Snapshot of a run that has not ended: of the step with the least held-out loss so far, if any."""
        with self._lock:
            run = self._runs.get(request_id)
            return None if run is None or run.best is None else run.best[1]

    def pause(self, request_id: str) -> None:
        """Leave the slot within one step and keep everything; `resume` takes the run up."""
        self._turn(request_id, ("waiting", "running"), "paused")

    def resume(self, request_id: str) -> None:
        """Take a paused run up again, at the end of the line."""
        with self._lock:
            self._n_started += 1
            if request_id in self._runs:
                self._runs[request_id].number = self._n_started
        self._turn(request_id, ("paused",), "waiting")

    def cancel(self, request_id: str) -> None:
        """End a run within one step; what it has learned stays usable."""
        self._turn(request_id, ("waiting", "running", "paused"), "cancelled")

    def pause_owner(self, owner: str) -> None:
        """The session has left: its runs give their slots back and wait for its return."""
        for request_id in self._ids(owner):
            self._turn(request_id, ("waiting", "running"), "paused")

    def forget_owner(self, owner: str) -> None:
        """End and forget all runs of a session."""
        with self._lock:
            for request_id in self._ids(owner):
                self._note(self._runs.pop(request_id), status="cancelled")
        self._wake()

    def _ids(self, owner: str) -> list[str]:
        with self._lock:
            return [one for one, run in self._runs.items() if run.request.owner == owner]

    def _turn(self, request_id: str, old: Sequence[TrainingStatus], new: TrainingStatus) -> None:
        with self._lock:
            run = self._runs.get(request_id)
            if run is None or run.state.status not in old:
                return
            self._note(run, status=new)
            if new == "cancelled" and not run.has_slot:
                self._publish(run)
        self._wake()

    @property
    def has_orphans(self) -> bool:
        """True if there is a run whose session has left."""
        with self._lock:
            return any(self._has_left(run.request.owner) for run in self._runs.values())

    @property
    def n_running(self) -> int:
        """Slots that are taken."""
        with self._lock:
            return sum(run.has_slot for run in self._runs.values())

    # ---- called by the engine's thread: who trains

    @property
    def is_waiting(self) -> bool:
        """True if a run waits."""
        with self._lock:
            return any(run.state.status == "waiting" for run in self._runs.values())

    def claim(self, groups: Mapping[Hashable, Sequence[TrainingRun]]) -> dict[Hashable, list[TrainingRun]]:
        """Give the slots that are free to those who wait.

        Args:
            groups: The runs that share a learner, by group.

        Returns:
            Those of each group that changes: without runs that have ended or rest, with those that come.
        """
        with self._lock:
            staying = {
                key: [run for run in runs if run.state.status == "running"] for key, runs in groups.items()
            }
            too_long: set[Hashable] = set()  # groups whose next in line must wait: nobody overtakes it
            for run in line_of(self._runs.values()):
                room = self._settings.max_training_slots - sum(map(len, staying.values()))
                beside = staying.get(run.group, [])
                n_tokens = max(one.most_tokens for one in (run, *beside)) * (len(beside) + 1)
                if beside and n_tokens > run.objective.limits.fused_tokens:
                    too_long.add(run.group)
                if room > 0 and run.group not in too_long:
                    staying.setdefault(run.group, []).append(run)
                    run.has_slot = True
                    run.began = run.began or time.monotonic()
                    self._note(run, status="running")
            return {key: runs for key, runs in staying.items() if runs != groups.get(key)}

    def leave(self, run: TrainingRun) -> None:
        """A run's slot is free again, and holds all that it has learned."""
        with self._lock:
            run.has_slot = False
            if run.state.status == "cancelled":
                self._publish(run)

    def part(self, run: TrainingRun) -> None:
        """A run shares its learner with nobody from now on."""
        with self._lock:
            run.alone = True

    # ---- called by the engine's thread: what has been measured

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

    # ---- called by the engine's thread: ends

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

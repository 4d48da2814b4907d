"""Training runs: their queue, their slots, what has been measured. They go on while nobody looks.

session threads --start, pause, resume, cancel, state--> RunTable <--claim, stepped, ended-- Trainer
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace

from playground.engine.contract.training import (
    ENDED,
    TrainingRequest,
    TrainingState,
    TrainingStatus,
)
from playground.engine.training.learner import AnyObjective
from playground.engine.training.records import RunRecords
from playground.engine.training.run import (
    TrainingRun,
    check_place,
    check_run,
    line_of,
    new_run,
)
from playground.errors import (
    BadValue,
    Cancelled,
    TrainingFrozen,
)
from playground.settings import Settings

_KEPT_RUNS = 6  # ended ones of one session


class RunTable(RunRecords):
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
        super().__init__()
        self._settings, self._objectives = settings, objectives
        self._has_left, self._wake = has_left, wake
        self._n_started = 0
        self._frozen_until = 0.0  # seconds of the monotonic clock

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
        self._end_old_freeze()
        with self._lock:
            if self._has_left(request.owner):
                raise Cancelled
            if self.is_frozen:
                raise TrainingFrozen
            mine = check_place(request, list(self._runs.values()), self._settings)
            n_coming = sum(run.objective is objective for run in mine if run.state.status not in ENDED)
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
        self._end_old_freeze()
        with self._lock:
            run = self._runs.get(request_id)
            if run is None or run.request.owner != owner:
                return None
            line = line_of(self._runs.values())
            elapsed_s = (run.ended or time.monotonic()) - run.began if run.began is not None else 0.0
            position = line.index(run) + 1 if run in line else 0
            return replace(
                run.state, position=position, elapsed_s=elapsed_s, is_settled=not run.has_slot,
                is_frozen=run.is_frozen and run.state.status == "paused",
            )  # fmt: skip

    def of(self, owner: str) -> list[TrainingState]:
        """The runs of a session, oldest first."""
        return [state for one in self._ids(owner) if (state := self.state(one, owner)) is not None]

    def pause(self, request_id: str) -> None:
        """Leave the slot within one step and keep everything; `resume` takes the run up."""
        self._turn(request_id, ("waiting", "running"), "paused")

    def resume(self, request_id: str) -> None:
        """Take a paused run up again, at the end of the line."""
        with self._lock:
            self._n_started += 1
            if (run := self._runs.get(request_id)) is not None:
                run.number, run.is_frozen = self._n_started, self.is_frozen
            if self.is_frozen:
                return
        self._turn(request_id, ("paused",), "waiting")

    def cancel(self, request_id: str) -> None:
        """End a run within one step; what it has learned stays usable."""
        self._turn(request_id, ("waiting", "running", "paused"), "cancelled")

    def pause_owner(self, owner: str) -> None:
        """The session has left: its runs give their slots back and wait for its return."""
        for request_id in self._ids(owner):
            self._turn(request_id, ("waiting", "running"), "paused")
            with self._lock:
                if (run := self._runs.get(request_id)) is not None:
                    run.is_frozen = False

    def freeze(self, seconds: float) -> None:
        """Let every run rest after the step it is in, and refuse new ones, until `release` or for so long."""
        with self._lock:
            self._frozen_until = time.monotonic() + seconds
            for run in self._runs.values():
                if run.state.status in ("waiting", "running"):
                    run.is_frozen = True
                    self._note(run, status="paused")
        self._wake()

    def release(self) -> None:
        """Let the runs that a freeze stopped go on, in the order of the line they stood in."""
        with self._lock:
            self._frozen_until = 0.0
            for run in self._runs.values():
                if run.is_frozen and run.state.status == "paused":
                    self._note(run, status="waiting")
                run.is_frozen = False
        self._wake()

    @property
    def is_frozen(self) -> bool:
        """True while runs rest because of `freeze`."""
        return time.monotonic() < self._frozen_until

    def _end_old_freeze(self) -> None:
        if self._frozen_until and not self.is_frozen:
            self.release()

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

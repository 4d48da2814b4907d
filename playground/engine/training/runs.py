"""Training runs: their queue, their slots, what has been measured. They go on while nobody looks.

session threads --start, pause, resume, cancel, state--> RunTable <--claim, stepped, ended-- Trainer

Equal requests are one run: it is computed once, and each session holds a part of it (`held.py`), which it
pauses and stops without the others. A run rests when nobody wants it to go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from playground.engine.contract.training import ENDED, TrainingRequest, TrainingState
from playground.engine.training.held import Held, Question
from playground.engine.training.learner import AnyObjective, NewSlot, Snapshot
from playground.engine.training.notes import RunNotes
from playground.engine.training.run import TrainingRun, check_run, line_of, new_run
from playground.errors import BadValue, Cancelled, Message, QueueFull, TooManyRuns, TrainingFrozen
from playground.settings import Settings

_KEPT_RUNS = 6  # ended ones of one session


class RunTable(RunNotes):
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
        self._parts: dict[str, tuple[Held, TrainingRun]] = {}  # by the id of the session's request
        self._n_started = 0
        self._frozen_until = 0.0  # seconds of the monotonic clock

    # ---- called by session threads

    def start(self, request: TrainingRequest) -> None:
        """Queue a run, or take part in an equal one that is known, trains, waits or rests."""
        asked = request.settings
        objective = self._objectives.get(asked.objective)
        if objective is None:
            allowed = ", ".join(self._objectives)
            raise BadValue(name="objective", value=repr(asked.objective), allowed=allowed)
        check_run(request, objective.limits)
        new_slot, question = objective.prepare(request), Question(request)
        self._end_old_freeze()
        with self.lock:
            self._check_may_start(request, objective, new_slot.size_bytes)
            self._forget_old(request.owner)
            mine = [held.number for held, _run in self._of(request.owner)]
            held = Held(request, 1 + max(mine, default=0))
            run = self._equal(question)
            if run is None:
                run = self._new(request, question, objective, new_slot)
            elif (known := run.known()) is not None:
                held.is_known = True
                self.give(held, run, known)
            elif run.state.status == "paused":
                self._go_on(run)
            run.held.append(held)
            self._parts[request.request_id] = held, run
        self._wake()

    def _check_may_start(self, request: TrainingRequest, objective: AnyObjective, size_bytes: int) -> None:
        alive = [run for held, run in self._of(request.owner) if self._seen(held, run).status not in ENDED]
        waiting = sum(run.state.status == "waiting" for run in self._runs)
        if self._has_left(request.owner):
            raise Cancelled
        if self.is_frozen:
            raise TrainingFrozen
        if request.request_id in self._parts:
            own = Message("an id of its own")
            raise BadValue(name="request_id", value=request.request_id, allowed=own)
        if waiting >= self._settings.max_inbox:
            raise QueueFull(position=waiting + 1)
        if request.owner and len(alive) >= self._settings.max_trainings_per_session:
            raise TooManyRuns(limit=self._settings.max_trainings_per_session)
        n_coming = sum(run.objective is objective for run in alive)
        objective.check_room(request.owner, size_bytes, n_coming)

    def _forget_old(self, owner: str) -> None:
        ended = [
            held.request.request_id
            for held, run in self._of(owner)
            if self._seen(held, run).status in ENDED and (held.is_served or run.ended is not None)
        ]
        for run_id in ended[: max(0, len(ended) - _KEPT_RUNS + 1)]:
            held, run = self._parts.pop(run_id)
            run.held.remove(held)

    def _equal(self, question: Question) -> TrainingRun | None:
        """The run of an equal question: not one that was stopped, has failed, or whose result nobody has."""
        same = [run for run in self._runs if run.question == question]
        return next((run for run in same if run.state.status not in ENDED or run.known() is not None), None)

    def _new(
        self, request: TrainingRequest, question: Question, objective: AnyObjective, new_slot: NewSlot[Any]
    ) -> TrainingRun:
        self._n_started += 1
        return new_run(request, question, objective, new_slot.make(), self._n_started)

    def state(self, request_id: str, owner: str) -> TrainingState | None:
        """Progress of a run of this session; None when there is none."""
        self._end_old_freeze()
        with self.lock:
            held, run = self._parts.get(request_id, (None, None))
            if held is None or run is None or held.owner != owner:
                return None
            seen = self._seen(held, run)
            line = line_of(self._runs)
            position = line.index(run) + 1 if seen.status == "waiting" and run in line else 0
            is_settled = not run.has_slot if held.apart is None else held not in run.leaving
            is_frozen = run.is_frozen and held.wish == "on"
            return replace(
                seen, position=position, elapsed_s=run.elapsed_s, is_settled=is_settled,
                begins_in_s=self._begins_in_s(position), is_frozen=is_frozen,
            )  # fmt: skip

    def _begins_in_s(self, position: int) -> float | None:
        """Seconds until so many slots will have come free, if all that train have done a step."""
        left = [run.left_s for run in self._runs if run.has_slot]
        known = sorted(one for one in left if one is not None)
        return known[position - 1] if 0 < position <= len(known) == len(left) else None

    def of(self, owner: str) -> list[TrainingState]:
        """The runs of a session, oldest first."""
        return [state for one in self._ids(owner) if (state := self.state(one, owner)) is not None]

    def best(self, request_id: str) -> Snapshot | None:
        """Snapshot of a run that has not ended: of the step with the least held-out loss so far, if any."""
        with self.lock:
            _held, run = self._parts.get(request_id, (None, None))
            return None if run is None or run.best is None else run.best[1]

    def pause(self, request_id: str) -> None:
        """Leave the slot within one step and keep everything; `resume` takes the run up."""
        with self.lock:
            held, run = self._part_in(request_id, ("waiting", "running", "paused"))
            if held is not None and run is not None and held.wish == "on":  # also one that a freeze lets rest
                held.wish = "paused"
                self._left(held, run)
        self._wake()

    def resume(self, request_id: str) -> None:
        """Take a paused run up again, at the end of the line, or where others have brought it meanwhile."""
        with self.lock:
            held, run = self._part_in(request_id, ("paused",))
            if held is not None and run is not None:
                if run.state.status == "paused":
                    run.is_frozen = self.is_frozen
                    if not run.is_frozen:
                        self._go_on(run)
                held.wish, held.apart = "on", None
        self._wake()

    def cancel(self, request_id: str) -> None:
        """End a run within one step; what it has learned stays usable."""
        with self.lock:
            held, run = self._part_in(request_id, ("waiting", "running", "paused"))
            if held is not None and run is not None:
                held.wish = "cancelled"
                self._left(held, run)
        self._wake()

    def pause_owner(self, owner: str) -> list[str]:
        """The session has left: its runs give their slots back and wait for its return.

        Returns:
            Names under which runs that now rest have their prompts continued.
        """
        for request_id in self._ids(owner):
            self.pause(request_id)
        with self.lock:
            return [run.request.owner for _held, run in self._of(owner) if not run.going]

    def freeze(self, seconds: float) -> None:
        """Let every run rest after the step it is in, and refuse new ones, until `release` or for so long."""
        with self.lock:
            self._frozen_until = time.monotonic() + seconds
            for run in self._runs:
                if run.state.status in ("waiting", "running"):
                    run.is_frozen = True
                    self.note(run, status="paused")
        self._wake()

    def release(self) -> None:
        """Let the runs that a freeze stopped go on, in the order of the line they stood in."""
        with self.lock:
            self._frozen_until = 0.0
            for run in sorted(self._runs, key=lambda run: run.number):
                if run.is_frozen and run.going and run.state.status == "paused":
                    self._go_on(run)
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
        """End and forget all runs of a session; those that others share go on for them."""
        with self.lock:
            for request_id in self._ids(owner):
                held, run = self._parts.pop(request_id)
                held.wish, held.is_served = "cancelled", True
                self._left(held, run)
                run.held.remove(held)
        self._wake()

    def _ids(self, owner: str) -> list[str]:
        with self.lock:
            return [held.request.request_id for held, _run in self._of(owner)]

    @property
    def has_orphans(self) -> bool:
        """True if there is a run whose session has left."""
        with self.lock:
            return any(self._has_left(held.owner) for held, _run in self._parts.values())

    @property
    def n_running(self) -> int:
        """Slots that are taken."""
        with self.lock:
            return sum(run.has_slot for run in self._runs)

    # ---- parts of a run, with the lock held

    @property
    def _runs(self) -> list[TrainingRun]:
        """All that are computed, each once, in the order they came."""
        return list(dict.fromkeys(run for _held, run in self._parts.values()))

    def _of(self, owner: str) -> list[tuple[Held, TrainingRun]]:
        return [part for part in self._parts.values() if part[0].owner == owner]

    def _seen(self, held: Held, run: TrainingRun) -> TrainingState:
        return held.seen(run.state, [one for one in run.going if one is not held])

    def _part_in(
        self, request_id: str, status: Sequence[str]
    ) -> tuple[Held, TrainingRun] | tuple[None, None]:
        part = self._parts.get(request_id)
        return part if part is not None and self._seen(*part).status in status else (None, None)

    def _go_on(self, run: TrainingRun) -> None:
        """A run that rests waits again, for somebody else than those who let it rest."""
        for one in run.held:
            if one.wish == "paused" and one.apart is None:
                one.part(run.state, "paused")
        self._n_started += 1
        run.number = self._n_started
        self.note(run, status="waiting")

    def _left(self, held: Held, run: TrainingRun) -> None:
        """A session has let its part rest, or stopped it: the run goes on, rests or ends with it."""
        if run.state.status in ENDED:
            return
        others = [one for one in run.held if one is not held and one.wish != "cancelled"]
        if held.wish == "cancelled" and not others:
            held.apart = None  # the end of the run is its own
            self.note(run, status="cancelled")
            if not run.has_slot:
                self.publish(run)
            return
        if held.wish == "cancelled" or run.going:
            held.part(held.apart or run.state, "cancelled" if held.wish == "cancelled" else "paused")
        if not run.going:
            self.note(run, status="paused")
        if not run.has_slot:
            self.serve(run)

    # ---- called by the engine's thread: who trains

    @property
    def is_waiting(self) -> bool:
        """True if a run waits."""
        with self.lock:
            return any(run.state.status == "waiting" for run in self._runs)

    def claim(self, groups: Mapping[Hashable, Sequence[TrainingRun]]) -> dict[Hashable, list[TrainingRun]]:
        """Give the slots that are free to those who wait.

        Args:
            groups: The runs that share a learner, by group.

        Returns:
            Those of each group that changes: without runs that have ended or rest, with those that come.
        """
        with self.lock:
            staying = {
                key: [run for run in runs if run.state.status == "running"] for key, runs in groups.items()
            }
            too_long: set[Hashable] = set()  # groups whose next in line must wait: nobody overtakes it
            for run in line_of(self._runs):
                room = self._settings.max_training_slots - sum(map(len, staying.values()))
                beside = staying.get(run.group, [])
                n_tokens = max(one.most_tokens for one in (run, *beside)) * (len(beside) + 1)
                if beside and n_tokens > run.objective.limits.fused_tokens:
                    too_long.add(run.group)
                if room > 0 and run.group not in too_long:
                    staying.setdefault(run.group, []).append(run)
                    run.has_slot = True
                    run.began = run.began or time.monotonic()
                    self.note(run, status="running")
            return {key: runs for key, runs in staying.items() if runs != groups.get(key)}

    def fail_all(self, error: BaseException) -> None:
        """End every run that trains or waits."""
        with self.lock:
            for run in self._runs:
                if run.has_slot or run.state.status == "waiting":
                    self.fail(run, error)

    def runs_with_same_eval_set(self, run: TrainingRun) -> list[TrainingRun]:
        """Other runs that have been tested before their first step on the same texts and prompts."""
        with self.lock:
            others = [one for one in self._runs if one is not run and 0 in one.evaluated_steps]
        return [one for one in others if one.eval_set == run.eval_set]

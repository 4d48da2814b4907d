"""Training runs: who waits, who trains, what has been measured. They go on while nobody looks.

session threads --start, pause, resume, cancel, state--> RunTable <--line, note, publish-- Trainer
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from playground.engine.adapters.layers import targets
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.training import ENDED, FinetuneRequest, TrainingState, TrainingStatus
from playground.engine.memory import is_out_of_memory
from playground.engine.training.bank import n_parameters
from playground.engine.training.run import TrainingRun, check, new_run
from playground.errors import (
    BadValue,
    Cancelled,
    Message,
    NoRoom,
    OutOfMemory,
    PlaygroundError,
    QueueFull,
    TooManyAdapters,
    TooManyRuns,
)
from playground.settings import Settings

log = logging.getLogger(__name__)
FAILED = Message("The training failed on the server; its log says why. Your other adapters are untouched.")
_KEPT_RUNS = 6  # ended ones of one session


class RunTable:
    """All runs. Sessions start and look at them, the `Trainer` takes them from here.

    Attributes:
        lock: Held by whoever changes a run; never while the scheduler is told or asked anything, which holds
            its own lock while it asks and tells here.

    Args:
        settings: The limits.
        adapters: Where the bases come from, and what was learned goes.
        wake: Tells the engine's thread that there is work.
    """

    def __init__(self, settings: Settings, adapters: AdapterTable, wake: Callable[[], None]) -> None:
        self._settings, self._adapters, self._wake = settings, adapters, wake
        self.lock = threading.RLock()
        self._runs: dict[str, TrainingRun] = {}
        self._n_started = 0

    # ---- called by session threads

    def start(self, request: FinetuneRequest) -> None:
        """Queue a run.

        Raises:
            InputError: A setting or text that cannot be, the id of another run, no room for an adapter.
            TooManyRuns: The session has as many as it may.
            BusyError: No place in the queue, or no room for what will be learned.
        """
        loaded = self._adapters.decoder(request.model)
        check(request, self._settings, loaded.info)
        layers = targets(loaded.template, request.target_modules, request.method)
        with self.lock:
            mine = [run for run in self._runs.values() if run.request.owner == request.owner]
            alive = [run for run in mine if run.state.status not in ENDED]
            waiting = sum(run.state.status == "waiting" for run in self._runs.values())
            if self._adapters.has_left(request.owner):
                raise Cancelled
            if request.request_id in self._runs:
                raise BadValue(
                    name="request_id", value=request.request_id, allowed=Message("an id of its own")
                )
            if waiting >= self._settings.max_inbox:
                raise QueueFull(position=waiting + 1)
            if request.owner and len(alive) >= self._settings.max_trainings_per_session:
                raise TooManyRuns(limit=self._settings.max_trainings_per_session)
            self._adapters.check_room(request.owner, 4 * n_parameters(layers, request), n_coming=len(alive))
            ended = [run for run in mine if run.state.status in ENDED]
            for old in ended[: max(0, len(ended) - _KEPT_RUNS + 1)]:
                del self._runs[old.request.request_id]
            self._n_started += 1
            of_session = 1 + max((run.state.number for run in mine), default=0)
            self._runs[request.request_id] = new_run(request, loaded, layers, self._n_started, of_session)
        self._wake()

    def state(self, request_id: str, owner: str) -> TrainingState | None:
        """How far a run of this session is; None when there is none."""
        with self.lock:
            run = self._runs.get(request_id)
            if run is None or run.request.owner != owner:
                return None
            line = self.line()
            elapsed_s = (run.ended or time.monotonic()) - run.began if run.began is not None else 0.0
            place = line.index(run) + 1 if run in line else 0
            return replace(run.state, position=place, elapsed_s=elapsed_s, is_settled=not run.has_slot)

    def of(self, owner: str) -> list[TrainingState]:
        """The runs of a session, oldest first."""
        return [state for one in self._ids(owner) if (state := self.state(one, owner)) is not None]

    def pause(self, request_id: str) -> None:
        """Leave the slot within one step and keep everything; `resume` takes the run up."""
        self._turn(request_id, ("waiting", "running"), "paused")

    def resume(self, request_id: str) -> None:
        """Take a paused run up again, at the end of the line."""
        with self.lock:
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
        with self.lock:
            for request_id in self._ids(owner):
                run = self._runs.pop(request_id)
                run.state = replace(run.state, status="cancelled")
        self._wake()

    def _ids(self, owner: str) -> list[str]:
        with self.lock:
            return [one for one, run in self._runs.items() if run.request.owner == owner]

    def _turn(self, request_id: str, old: Sequence[TrainingStatus], new: TrainingStatus) -> None:
        with self.lock:
            run = self._runs.get(request_id)
            if run is None or run.state.status not in old:
                return
            run.state = replace(run.state, status=new)
            if new == "cancelled" and not run.has_slot:
                self.publish(run)
        self._wake()

    # ---- called by the engine's thread

    @property
    def is_waiting(self) -> bool:
        """Whether a run waits."""
        with self.lock:
            return any(run.state.status == "waiting" for run in self._runs.values())

    @property
    def has_orphans(self) -> bool:
        """Whether there is a run whose session has left."""
        with self.lock:
            return any(self._adapters.has_left(run.request.owner) for run in self._runs.values())

    @property
    def n_running(self) -> int:
        """Slots that are taken."""
        with self.lock:
            return sum(run.has_slot for run in self._runs.values())

    def line(self) -> list[TrainingRun]:
        """Who waits, in the order they come to train: first whose session trains nothing, then by arrival."""
        runs = self._runs.values()
        busy = {run.request.owner for run in runs if run.has_slot} - {""}
        waiting = [run for run in runs if run.state.status == "waiting" and not run.has_slot]
        return sorted(waiting, key=lambda run: (run.request.owner in busy, run.number))

    def runs_with_same_eval_set(self, run: TrainingRun) -> list[TrainingRun]:
        """Other runs that have been tested before their first step on the same texts and prompts."""
        with self.lock:
            others = [one for one in self._runs.values() if one is not run and 0 in one.evaluated_steps]
        return [one for one in others if one.eval_set == run.eval_set]

    def fail(self, run: TrainingRun, error: Exception) -> None:
        """End a run by an error; what was known of it before stays."""
        with self.lock:
            run.has_slot = False
            if run.state.status not in ENDED:
                self.note(run, status="failed", error=_message_of(error))
            self.publish(run)

    def publish(self, run: TrainingRun) -> None:
        """Lend what was learned, once: of the best step where that is wanted, and after a failure.

        Then nothing of the run keeps weights alive: neither its own nor its base's.
        """
        if run.ended is not None:
            return
        run.ended = time.monotonic()
        try:
            self._lend(run)
        except Exception as error:  # noqa: BLE001  (no room for a copy: it ends without an adapter)
            self.note(run, status="failed", error=_message_of(error))
        run.best = run.base = None
        run.slot.forget()

    def _lend(self, run: TrainingRun) -> None:
        if run.request.request_id not in self._runs:
            return
        if run.state.status == "failed":
            if run.best is None or not run.best[0] < run.state.held_out[0][1]:
                return  # nothing good came of it
            adapter = run.best[1]
        else:
            adapter = run.best[1] if run.best and run.request.keep_best else run.adapter()
        if not adapter.step or not all(change.is_finite() for change in adapter.changes.values()):
            return
        try:
            model_id = self._adapters.add(adapter, run.request.owner)
        except (TooManyAdapters, NoRoom) as error:
            self.note(run, error=_message_of(error))
            return
        self.note(run, adapter=model_id, adapter_step=adapter.step)

    def note(self, run: TrainingRun, **changes: object) -> None:
        """Change what may be seen of a run."""
        with self.lock:
            run.state = replace(run.state, **changes)  # type: ignore[arg-type]


def _message_of(error: Exception) -> Message:
    """What the owner of a run reads of an error."""
    if is_out_of_memory(error):
        error = OutOfMemory()
    if isinstance(error, PlaygroundError):
        return error.message
    log.error("training failed", exc_info=error)
    return FAILED

"""Training on the replicas: a run is on that of its session, and what is known of it outlives that."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from playground.core.files.training_rows import TrainingRow
from playground.engine.contract.adapters import Linear
from playground.engine.contract.training import ENDED, TrainingRequest, TrainingState, TrainingText
from playground.engine.remote.adapters import RemoteAdapters
from playground.engine.remote.calls import POLL_S, Calls
from playground.engine.remote.messages import News, Published
from playground.engine.remote.routes import Routes
from playground.engine.remote.seats import Seat, Seats
from playground.errors import Message, TrainingFrozen

_KEPT_RUNS = 1_000
LOST = Message("The machine that trained it has stopped, and what it had learned is lost: start it again.")
LOST_BUT = Message(
    "The machine that trained it has stopped after step {step}. What it had learned by step {kept} is kept."
)


@dataclass(eq=False)
class _Run:
    """A run as it was last heard of.

    Attributes:
        owner: Its session.
        seat, life: The replica that trains it.
        state: The last state that came.
        learned: What it had learned when its held-out loss was least so far.
    """

    owner: str
    seat: Seat
    life: str
    state: TrainingState | None = None
    learned: Published | None = None

    @property
    def is_lost(self) -> bool:
        """True if its replica has died."""
        return not self.seat.is_here or self.seat.life != self.life


class RemoteRuns:
    """The `Runs` of the replicas. See `contract.training.Runs` for the contract."""

    def __init__(self, routes: Routes, calls: Calls, seats: Seats, adapters: RemoteAdapters) -> None:
        self._routes, self._calls, self._seats, self._adapters = routes, calls, seats, adapters
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}
        self._frozen_until = 0.0  # seconds of the monotonic clock

    def hear(self, seat: Seat, news: News) -> None:
        """A replica tells how far a run is."""
        if news.state is not None:
            self._note(news.owner, seat, news.state, news.adapter)

    def _note(self, owner: str, seat: Seat, state: TrainingState, learned: Published | None = None) -> None:
        with self._lock:
            run = self._runs.setdefault(state.run_id, _Run(owner, seat, seat.life))
            if run.life == seat.life:
                run.state, run.learned = state, learned or run.learned
            while len(self._runs) > _KEPT_RUNS:
                del self._runs[next(iter(self._runs))]

    # ---- the contract

    def start(self, request: TrainingRequest) -> None:
        """Queue a run."""
        if self.is_frozen:  # a replica that came since knows nothing of it
            raise TrainingFrozen
        seat = self._routes.owner(request.owner)(POLL_S)
        run = _Run(request.owner, seat, seat.life)
        self._calls.value(lambda _timeout_s: seat, "training.runs.start", request, owner=request.owner)
        with self._lock:
            self._runs[request.request_id] = run

    def state(self, request_id: str, owner: str) -> TrainingState | None:
        """Progress of a run of this session; None when there is none."""
        run = self._runs.get(request_id)
        if run is not None and run.owner != owner:
            return None
        if run is not None and run.is_lost:
            return self._ended(run)
        seats = [run.seat] if run is not None else self._seats.here(POLL_S)
        found = self._calls.of_all(seats, "training.runs.state", request_id, owner)
        state = next((one for one in found if one is not None), None)
        if run is not None and state is not None:
            self._note(owner, run.seat, state)
        if state is None and run is not None and run.is_lost:
            return self._ended(run)
        return state

    def of(self, owner: str) -> list[TrainingState]:
        """The runs of a session, oldest first."""
        with self._lock:
            lost = [run for run in self._runs.values() if run.owner == owner and run.is_lost]
        ended = [state for run in lost if (state := self._ended(run)) is not None]
        lists = self._calls.of_all(self._seats.here(POLL_S), "training.runs.of", owner)
        n_lost = max((state.number for state in ended), default=0)
        return ended + [replace(state, number=state.number + n_lost) for states in lists for state in states]

    def pause(self, request_id: str) -> None:
        """Leave the slot within one step and keep everything."""
        self._turn("pause", request_id)

    def resume(self, request_id: str) -> None:
        """Take a paused run up again, at the end of the line."""
        self._turn("resume", request_id)

    def cancel(self, request_id: str) -> None:
        """End a run within one step; what it has learned stays usable."""
        self._turn("cancel", request_id)

    def freeze(self, seconds: float) -> None:
        """Let every run of every replica rest, and refuse new ones, until `release` or for so long."""
        self._frozen_until = time.monotonic() + seconds
        self._calls.of_all(self._seats.here(POLL_S), "training.runs.freeze", seconds)

    def release(self) -> None:
        """Let the runs that a freeze stopped go on."""
        self._frozen_until = 0.0
        self._calls.of_all(self._seats.here(POLL_S), "training.runs.release")

    @property
    def is_frozen(self) -> bool:
        """True while runs rest because of `freeze`."""
        return time.monotonic() < self._frozen_until

    def _turn(self, method: str, request_id: str) -> None:
        run = self._runs.get(request_id)
        seats = [run.seat] if run is not None else self._seats.here(POLL_S)
        self._calls.of_all(seats, f"training.runs.{method}", request_id)

    # ---- runs whose replica has died

    def _ended(self, run: _Run) -> TrainingState | None:
        """The last that was known of a run, which has ended: with what it had learned, where that is here."""
        state = run.state
        if state is None or state.status in ENDED:
            return state
        learned = run.learned
        if learned is None:
            return replace(state, status="failed", position=0, is_settled=True, error=LOST)
        why = replace(LOST_BUT, params=(("step", state.step), ("kept", learned.step)))
        adapter = self._adapters.keep(learned, None)
        run.state = replace(
            state, status="failed", position=0, is_settled=True, error=why, adapter=adapter,
            adapter_step=learned.step,
        )  # fmt: skip
        return run.state


class RemoteTraining:
    """The `Training` of the replicas.

    Attributes:
        runs: All runs.
    """

    def __init__(self, routes: Routes, calls: Calls, seats: Seats, adapters: RemoteAdapters) -> None:
        self._routes, self._calls = routes, calls
        self.runs = RemoteRuns(routes, calls, seats, adapters)

    def linears(self, model: str) -> tuple[Linear, ...]:
        """The linear layers of a decoder's blocks, in order."""
        found: tuple[Linear, ...] = self._calls.value(self._routes.model(model), "training.linears", model)
        return found

    def texts(self, model: str, rows: Sequence[TrainingRow]) -> tuple[TrainingText, ...]:
        """Each row as the model reads it while it is trained."""
        route = self._routes.model(model)
        found: tuple[TrainingText, ...] = self._calls.value(route, "training.texts", model, tuple(rows))
        return found

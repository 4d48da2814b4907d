"""Task heads trained on the replicas: each is on that of the session that trained it, and ends with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from playground.engine.contract.task_heads import (
    HeadExample,
    HeadSettings,
    LabelledText,
    Prediction,
    PredictRequest,
    TaskHeadInfo,
)
from playground.engine.contract.waiting import OnWait
from playground.engine.remote.calls import POLL_S, Calls
from playground.engine.remote.homes import Homes
from playground.engine.remote.routes import Routes
from playground.engine.remote.seats import Seats
from playground.errors import InputError


class RemoteTaskHeads:
    """The `TaskHeads` of the replicas. See `contract.task_heads.TaskHeads` for the contract."""

    def __init__(self, routes: Routes, calls: Calls, seats: Seats) -> None:
        self._routes, self._calls, self._seats = routes, calls, seats
        self._homes = Homes(routes, calls, seats, "task_heads.info")

    def shipped(self) -> tuple[TaskHeadInfo, ...]:
        """The heads that come with the playground."""
        route = self._routes.question("task heads")
        found: tuple[TaskHeadInfo, ...] = self._calls.value(route, "task_heads.shipped")
        return found

    def of(self, owner: str) -> list[TaskHeadInfo]:
        """The heads of a session, oldest first."""
        lists = self._calls.of_all(self._seats.here(POLL_S), "task_heads.of", owner)
        return [info for infos in lists for info in infos]

    def info(self, head_id: str) -> TaskHeadInfo:
        """Facts about a head."""
        found: TaskHeadInfo = self._calls.value(self._homes.route(head_id), "task_heads.info", head_id)
        return found

    def belongs(self, head_id: str, owner: str) -> bool:
        """True if a session may use the head; it may from now on where all others have left."""
        route = self._homes.route(head_id)
        found: bool = self._calls.value(route, "task_heads.belongs", head_id, owner)
        return found

    def remove(self, head_id: str, owner: str) -> None:
        """Delete a head of this session."""
        self._calls.of_all(self._seats.here(POLL_S), "task_heads.remove", head_id, owner)

    def examples(self, settings: HeadSettings, texts: Sequence[LabelledText]) -> tuple[HeadExample, ...]:
        """Each text as the encoder of a run reads it."""
        route = self._routes.model(settings.model)
        found: tuple[HeadExample, ...] = self._calls.value(
            route, "task_heads.examples", settings, tuple(texts)
        )
        return found

    def predict(
        self, request: PredictRequest, on_wait: OnWait | None = None
    ) -> Iterator[tuple[int, Prediction | InputError]]:
        """(place in `texts`, the answer or why that text cannot be read), as they are ready."""
        route = self._homes.route(request.model)
        return self._calls.items(route, "task_heads.predict", request, on_wait, by_place=True)

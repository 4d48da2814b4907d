"""Adapters of all replicas: each as bytes in Ray's object store, so that any replica can serve it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.core.lora import LowRank
from playground.engine.contract.adapters import AdapterInfo, Imported
from playground.engine.contract.models import AdapterName
from playground.engine.remote.calls import POLL_S, Calls
from playground.engine.remote.messages import News, Published
from playground.engine.remote.routes import Routes
from playground.engine.remote.seats import Seat, Seats
from playground.errors import AdapterGone, ReplicaLost
from playground.settings import Settings


@dataclass(eq=False)
class _Kept:
    """An adapter in the object store.

    Attributes:
        model_id: Its id.
        stored: What stands for its bytes.
        owners: The sessions it belongs to.
        home: The replica that says whose it is: seat and life.
    """

    model_id: str
    stored: object
    owners: set[str] = field(default_factory=set)
    home: tuple[Seat, str] | None = None

    @property
    def seat(self) -> Seat | None:
        """The seat of its home, None where that replica has died."""
        if self.home is None or not self.home[0].is_here or self.home[0].life != self.home[1]:
            return None
        return self.home[0]


class RemoteAdapters:
    """The `AdapterStore` of the replicas. See `contract.adapters.AdapterStore` for the contract.

    Args:
        settings: How long an adapter outlives its session.
        routes, calls, seats: The replicas.
        put: Puts a value into the object store.
    """

    def __init__(
        self, settings: Settings, routes: Routes, calls: Calls, seats: Seats, put: Callable[[object], object]
    ) -> None:
        self._settings, self._routes, self._calls = settings, routes, calls
        self._seats, self._put = seats, put
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._left: dict[str, float] = {}

    # ---- what outlives a replica

    def hear(self, seat: Seat, news: News) -> None:
        """A replica tells of an adapter that it has made."""
        if news.adapter is not None and news.state is None:
            self.keep(news.adapter, seat)

    def keep(self, adapter: Published, seat: Seat | None) -> str:
        """Keep an adapter in the object store; gives its model id."""
        home = None if seat is None else (seat, seat.life)
        kept = _Kept(adapter.model_id, self._put(adapter), set(adapter.owners), home)
        with self._lock:
            return self._kept.setdefault(adapter.adapter_id, kept).model_id

    def bring(self, model_id: str, seat: Seat) -> bool:
        """Bring an adapter onto a seat; False if nobody has it."""
        kept = self._found(model_id)
        if kept is None:
            return False
        seat.asked("adopt", kept.stored)
        return True

    def _found(self, model_id: str) -> _Kept | None:
        adapter_id = AdapterName.of(model_id).adapter_id
        kept = self._kept.get(adapter_id)
        if kept is not None or not adapter_id:
            return kept
        for seat in self._seats.here(POLL_S):
            try:
                adapter = seat.asked("published", model_id)
            except ReplicaLost:
                continue
            if adapter is not None:
                self.keep(adapter, seat)
                return self._kept.get(adapter_id)
        return None

    def _home(self, model_id: str, owner: str) -> Seat | None:
        """The seat that says whose an adapter is; where its replica has died, that of this session."""
        kept = self._found(model_id)
        if kept is None:
            return None
        seat = kept.seat
        if seat is None:
            seat = self._routes.owner(owner)(self._settings.request_timeout_s)
            seat.asked("adopt", kept.stored)
            kept.home = seat, seat.life
        return seat

    def owner_left(self, owner: str) -> None:
        """A session has left; what is nobody's any more goes after a while."""
        now = time.monotonic()
        with self._lock:
            self._left[owner] = now
            gone = {one for one, at in self._left.items() if now - at > self._settings.adapter_grace_s}
            self._kept = {one: kept for one, kept in self._kept.items() if not kept.owners <= gone}
            self._left = {one: at for one, at in self._left.items() if one not in gone}

    def owner_back(self, owner: str) -> None:
        """A session is back."""
        with self._lock:
            self._left.pop(owner, None)

    # ---- the contract

    def of(self, owner: str) -> list[AdapterInfo]:
        """The adapters of a session, oldest first."""
        found = self._of(owner)
        missing = [
            kept.model_id
            for kept in list(self._kept.values())
            if owner in kept.owners and kept.model_id not in found
        ]
        for model_id in missing:  # their replica has died
            self._home(model_id, owner)
        return list((self._of(owner) if missing else found).values())

    def _of(self, owner: str) -> dict[str, AdapterInfo]:
        lists = self._calls.of_all(self._seats.here(self._settings.request_timeout_s), "adapters.of", owner)
        return {info.model_id: info for infos in lists for info in infos}

    def info(self, model_id: str) -> AdapterInfo:
        """Facts about an adapter that readers see."""
        found: AdapterInfo = self._asked("info", model_id)
        return found

    def belongs(self, model_id: str, owner: str) -> bool:
        """True if a session may use the adapter; it may from now on where all others have left."""
        seat = self._home(model_id, owner)
        if seat is None:
            return False
        found: bool = self._calls.value(lambda _timeout_s: seat, "adapters.belongs", model_id, owner)
        kept = self._kept.get(AdapterName.of(model_id).adapter_id)
        if found and kept is not None:
            kept.owners.add(owner)
        return found

    def remove(self, model_id: str, owner: str) -> None:
        """Delete an adapter of this session, everywhere."""
        if not self.belongs(model_id, owner):
            return
        with self._lock:
            self._kept.pop(AdapterName.of(model_id).adapter_id, None)
        seats = self._seats.here(self._settings.request_timeout_s)
        self._calls.of_all(seats, "adapters.remove", model_id, owner)

    def changes(self, model_id: str) -> tuple[LowRank, ...]:
        """The low-rank change of each layer, in order, at the strength of the id."""
        found: tuple[LowRank, ...] = self._asked("changes", model_id)
        return found

    def exported(self, model_id: str, more: Mapping[str, str]) -> bytes:
        """An adapter as a zip that stock peft loads, with further text files."""
        found: bytes = self._asked("exported", model_id, dict(more))
        return found

    def imported(
        self, model_id: str, name: str, data: bytes, owner: str, *, any_base: bool = False
    ) -> Imported:
        """Take in a zip as peft writes it."""
        found: Imported = self._calls.value(
            self._routes.owner(owner), "adapters.imported", model_id, name, data, owner, owner=owner,
            any_base=any_base,
        )  # fmt: skip
        return found

    def added(self, first: str, second: str, owner: str) -> str:
        """A new adapter that changes what both change, by the sum; gives its model id."""
        seat = self._routes.owner(owner)(self._settings.request_timeout_s)
        for model_id in (first, second):
            if not self.bring(model_id, seat):
                raise AdapterGone(model_id=model_id)
        found: str = self._calls.value(
            lambda _timeout_s: seat, "adapters.added", first, second, owner, owner=owner
        )
        return found

    def _asked(self, method: str, model_id: str, *args: Any) -> Any:  # noqa: ANN401
        route = self._routes.model(model_id)
        return self._calls.value(route, f"adapters.{method}", model_id, *args, model=model_id)

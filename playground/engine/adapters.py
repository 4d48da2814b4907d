"""The adapters of all sessions: who owns which, for how long, and the models they make of their base."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING
from uuid import uuid4

from playground.core.lora import LowRank
from playground.engine.adapter import Adapter, adapted_model, low_rank
from playground.engine.finetuning import AdapterInfo
from playground.engine.model_info import AdapterName, State
from playground.errors import AdapterGone, TooManyAdapters
from playground.settings import Settings

if TYPE_CHECKING:
    from playground.engine.loading import LoadedModel
    from playground.engine.table import ModelTable
    from playground.engine.tokenizing import TextTokenizer

_KEPT_MODELS = 16


class Adapters:
    """Which adapters there are. Safe to share between threads.

    An adapter's id cannot be guessed. It belongs to one session; after that has ended, whoever knows the id
    may take it over for a while (a reload is a new session), then its memory is released.
    """

    def __init__(self, settings: Settings, table: ModelTable) -> None:
        self._settings = settings
        self._table = table
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Adapter] = OrderedDict()
        self._owners: dict[str, str] = {}
        self._left: dict[str, float] = {}  # when its session ended
        self._models: OrderedDict[str, Future[LoadedModel]] = OrderedDict()

    # ---- who has what

    def add(self, adapter: Adapter, owner: str) -> str:
        """Keep an adapter; gives the model id to use it under.

        Raises:
            TooManyAdapters: The session has as many as it may, or the server is full.
        """
        self.check_room(owner, adapter.size_bytes)
        adapter_id = uuid4().hex[:16]
        with self._lock:
            self._held[adapter_id] = adapter
            self._owners[adapter_id] = owner
        return f"{adapter.base_id}+{adapter_id}"

    def check_room(self, owner: str, size_bytes: int, n_coming: int = 0) -> None:
        """Refuse one more adapter where there is no room for it.

        Args:
            owner: Whose it would be.
            size_bytes: Memory it takes.
            n_coming: How many this session's runs will still bring.

        Raises:
            TooManyAdapters: The session has as many as it may, or the server is full.
        """
        self.forget_left()
        with self._lock:
            mine = sum(held == owner for held in self._owners.values()) + n_coming
            total = size_bytes + sum(adapter.size_bytes for adapter in self._held.values())
            if total > self._settings.max_adapter_bytes and self._left:
                for adapter_id in sorted(self._left, key=self._left.__getitem__):
                    total -= self._held[adapter_id].size_bytes
                    self._forget(adapter_id)
                    if total <= self._settings.max_adapter_bytes:
                        break
        if mine >= self._settings.max_adapters_per_session or total > self._settings.max_adapter_bytes:
            raise TooManyAdapters(limit=self._settings.max_adapters_per_session)

    def get(self, model_id: str) -> Adapter:
        """The adapter of a model id.

        Raises:
            AdapterGone: It is no longer here, or never was.
        """
        adapter_id = AdapterName.of(model_id).adapter_id
        adapter = self._held.get(adapter_id)
        if adapter is None:
            raise AdapterGone(model_id=model_id)
        return adapter

    def belongs(self, model_id: str, owner: str) -> bool:
        """Whether the adapter is this session's; one whose session has ended becomes its."""
        adapter_id = AdapterName.of(model_id).adapter_id
        with self._lock:
            if adapter_id in self._left and adapter_id in self._held:
                del self._left[adapter_id]
                self._owners[adapter_id] = owner
            return bool(owner) and self._owners.get(adapter_id) == owner

    def of(self, owner: str) -> list[AdapterInfo]:
        """The adapters of a session, oldest first."""
        with self._lock:
            return [
                adapter.info(one) for one, adapter in self._held.items() if self._owners.get(one) == owner
            ]

    def remove(self, model_id: str, owner: str) -> None:
        """Throw an adapter of this session away."""
        adapter_id = AdapterName.of(model_id).adapter_id
        with self._lock:
            if self._owners.get(adapter_id) == owner:
                self._forget(adapter_id)

    def release(self, owner: str) -> None:
        """The session has ended: what it had waits for a while."""
        with self._lock:
            mine = [one for one, held in self._owners.items() if held == owner]
            self._left.update(dict.fromkeys(mine, time.monotonic()))
        if mine:
            timer = threading.Timer(self._settings.adapter_grace_s + 0.1, self.forget_left)
            timer.daemon = True
            timer.start()

    def forget_left(self) -> None:
        """Release the memory of adapters whose session ended long enough ago."""
        too_old = time.monotonic() - self._settings.adapter_grace_s
        with self._lock:
            for adapter_id in [one for one, left in self._left.items() if left <= too_old]:
                self._forget(adapter_id)

    @property
    def size_bytes(self) -> int:
        """Memory of all adapters."""
        with self._lock:
            return sum(adapter.size_bytes for adapter in self._held.values())

    def changes(self, model_id: str) -> tuple[LowRank, ...]:
        """What the adapter adds to each layer, in order, at the strength of the id.

        Raises:
            AdapterGone.
        """
        adapter = self.get(model_id)
        base = self._table.load(adapter.base_id).result()
        return low_rank(base, adapter, AdapterName.of(model_id).strength)

    # ---- what a model table does

    def load(self, model_id: str) -> Future[LoadedModel]:
        """As `ModelTable.load`, also for a model with an adapter.

        Raises:
            AdapterGone: It is no longer here.
        """
        name = AdapterName.of(model_id)
        if not name.adapter_id:
            return self._table.load(model_id)
        adapter = self.get(model_id)
        base = self._table.load(name.base_id)
        with self._lock:
            made = self._models.get(model_id)
            if made is not None and not (made.done() and made.exception()):
                self._models.move_to_end(model_id)
                return made
            made = self._models[model_id] = Future()
            while len(self._models) > _KEPT_MODELS:
                self._models.popitem(last=False)
        base.add_done_callback(lambda done: _fill(made, done, adapter, name))
        return made

    def tokenizer(self, model_id: str) -> TextTokenizer:
        """The base's."""
        return self._table.tokenizer(AdapterName.of(model_id).base_id)

    def state(self, model_id: str) -> tuple[State, str]:
        """The base's."""
        return self._table.state(AdapterName.of(model_id).base_id)

    # ---- with the lock held

    def _forget(self, adapter_id: str) -> None:
        self._held.pop(adapter_id, None)
        self._owners.pop(adapter_id, None)
        self._left.pop(adapter_id, None)
        for model_id in [one for one in self._models if AdapterName.of(one).adapter_id == adapter_id]:
            del self._models[model_id]


def _fill(made: Future[LoadedModel], base: Future[LoadedModel], adapter: Adapter, name: AdapterName) -> None:
    try:
        made.set_result(adapted_model(base.result(), adapter, name))
    except BaseException as error:  # noqa: BLE001  (whoever waits for the model gets it)
        made.set_exception(error)

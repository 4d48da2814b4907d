"""Adapters of a replica as bytes: told to the web processes of their sessions, taken in from others."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from playground.engine.adapters import peft_files
from playground.engine.adapters.adapter import Adapter
from playground.engine.contract.models import AdapterName
from playground.engine.contract.training import TrainingState
from playground.engine.local.engine import LocalEngine
from playground.engine.remote.messages import News, Published
from playground.errors import AdapterGone

_KEPT_OWNERS = 1_000


class Publisher:
    """Adapters and runs of a replica's sessions, as news and bytes. Safe to share between threads."""

    def __init__(self, engine: LocalEngine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._webs: OrderedDict[str, str] = OrderedDict()  # of each session
        self._told: dict[str, set[object]] = {}  # to each web process

    def serves(self, owner: str, web: str) -> None:
        """A session asks through this web process."""
        with self._lock:
            self._webs[owner] = web
            self._webs.move_to_end(owner)
            while len(self._webs) > _KEPT_OWNERS:
                self._webs.popitem(last=False)

    def news(self, web: str) -> list[News]:
        """Adapters that sessions of a web process have made, and how far their runs are: each told once."""
        found = dict(self._found(web))
        with self._lock:
            told = self._told.get(web, set())
            self._told[web] = set(found)  # what is gone is forgotten
        return [make() for key, make in found.items() if key not in told]

    def _found(self, web: str) -> Iterator[tuple[object, Callable[[], News]]]:
        """(what identifies it, the news)."""
        with self._lock:
            owners = [owner for owner, own in self._webs.items() if own == web]
        for owner in owners:
            for adapter_id, adapter in self._engine.adapters.all_of(owner):
                yield ("made", adapter_id), partial(_news, owner, None, adapter, adapter_id)
            for state in self._engine.training.runs.of(owner):
                best = self._engine.training.runs.best(state.run_id)
                learned = best if isinstance(best, Adapter) else None
                key = ("run", state.run_id, state.status, state.best_step)
                yield key, partial(_news, owner, state, learned, state.run_id)

    def published(self, model_id: str) -> Published | None:
        """An adapter of this replica, None if there is none of this id."""
        try:
            adapter = self._engine.adapters.get(model_id)
        except AdapterGone:
            return None
        adapter_id = AdapterName.of(model_id).adapter_id
        return _published(adapter, adapter_id, self._engine.adapters.owners(model_id))

    def adopt(self, one: Published) -> None:
        """Take in an adapter that was made elsewhere, under its own id."""
        base = self._engine.adapters.decoder(one.base_id)
        read, _ignored = peft_files.read(one.peft, one.name, base, self._engine.settings, any_base=True)
        adapter = replace(
            read, name=one.name, step=one.step, run=one.run, lora=one.lora, method=one.method,
            settings=one.settings,
        )  # fmt: skip
        self._engine.adapters.adopt(adapter, one.adapter_id, one.owners)


def _news(owner: str, state: TrainingState | None, adapter: Adapter | None, adapter_id: str) -> News:
    return News(owner, state, None if adapter is None else _published(adapter, adapter_id, (owner,)))


def _published(adapter: Adapter, adapter_id: str, owners: tuple[str, ...]) -> Published:
    return Published(
        adapter_id, adapter.base_id, adapter.name, adapter.step, adapter.run, adapter.lora, adapter.method,
        adapter.settings, peft_files.written(adapter, {}), owners,
    )  # fmt: skip

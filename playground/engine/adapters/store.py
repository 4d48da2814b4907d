"""The adapters of all sessions: their owners, how long they are kept, the models they make of their base."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from playground.core.lora import LowRank
from playground.engine.adapters import peft_files
from playground.engine.adapters.adapter import Adapter, adapted_model, low_rank, sum_of
from playground.engine.contract.adapters import AdapterInfo, Imported
from playground.engine.contract.models import AdapterName, State
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.owned import Departures, Owned
from playground.engine.models.table import ModelTable
from playground.engine.models.tokenizing import TextTokenizer
from playground.errors import AdapterGone, Message, TooManyAdapters, Unsupported
from playground.settings import Settings

_KEPT_MODELS = 16


class AdapterTable:
    """The `AdapterStore` of this process. Safe to share between threads.

    Attributes:
        departures: The sessions that have left.

    Args:
        settings: The limits.
        table: The bases.
        on_orphan: Called when an adapter comes whose session has left meanwhile.
    """

    def __init__(self, settings: Settings, table: ModelTable, on_orphan: Callable[[], None]) -> None:
        self._settings = settings
        self._table = table
        self.departures = Departures(settings.adapter_grace_s)
        self._owned = Owned[Adapter](
            self.departures,
            lambda adapter: adapter.size_bytes,
            most=settings.max_adapters_per_session,
            most_bytes=settings.max_adapter_bytes,
            too_many=lambda: TooManyAdapters(limit=settings.max_adapters_per_session),
            on_orphan=on_orphan,
            on_forget=self._forget_models,
            memory_of=lambda adapter: id(adapter.changes),
        )
        self._lock = threading.Lock()
        self._models: OrderedDict[str, _Made] = OrderedDict()

    # ---- who has what

    def add(self, adapter: Adapter, owner: str) -> str:
        """Keep an adapter; gives the model id to use it under.

        Raises:
            TooManyAdapters: The session has as many as it may have.
            NoRoom: The server is full.
        """
        return f"{adapter.base_id}+{self._owned.add(adapter, owner)}"

    def check_room(self, owner: str, size_bytes: int, n_coming: int = 0) -> None:
        """Refuse one more adapter where there is no room for it; see `Owned.check_room`.

        Raises:
            TooManyAdapters, NoRoom.
        """
        self._owned.check_room(owner, size_bytes, n_coming)

    def get(self, model_id: str) -> Adapter:
        """The adapter of a model id.

        Raises:
            AdapterGone: The adapter is no longer here, or never was.
        """
        adapter = self._owned.get(AdapterName.of(model_id).adapter_id)
        if adapter is None:
            raise AdapterGone(model_id=model_id)
        return adapter

    def info(self, model_id: str) -> AdapterInfo:
        """Facts about an adapter.

        Raises:
            AdapterGone: The adapter is no longer here, or never was.
        """
        return self.get(model_id).info(AdapterName.of(model_id).adapter_id)

    def belongs(self, model_id: str, owner: str) -> bool:
        """True if a session may use the adapter; it may from now on where all others have left."""
        return self._owned.belongs(AdapterName.of(model_id).adapter_id, owner)

    def of(self, owner: str) -> list[AdapterInfo]:
        """The adapters of a session, oldest first."""
        return [adapter.info(one) for one, adapter in self._owned.of(owner)]

    def all_of(self, owner: str) -> list[tuple[str, Adapter]]:
        """Ids (without that of the base) and adapters of a session, oldest first."""
        return self._owned.of(owner)

    def owners(self, model_id: str) -> tuple[str, ...]:
        """The sessions that an adapter belongs to."""
        return self._owned.owners(AdapterName.of(model_id).adapter_id)

    def adopt(self, adapter: Adapter, adapter_id: str, owners: Sequence[str]) -> None:
        """Keep an adapter that was made in another process, under its id there.

        Raises:
            NoRoom: The server is full.
        """
        self._owned.adopt(adapter_id, adapter, owners)

    def remove(self, model_id: str, owner: str) -> None:
        """Delete an adapter of this session."""
        self._owned.remove(AdapterName.of(model_id).adapter_id, owner)

    def forget_left(self) -> None:
        """Release the memory of adapters whose sessions left long enough ago."""
        self._owned.forget_left()

    @property
    def has_orphans(self) -> bool:
        """True if there is an adapter whose sessions have left."""
        return self._owned.has_orphans

    @property
    def size_bytes(self) -> int:
        """Memory of all adapters."""
        return self._owned.size_bytes

    def changes(self, model_id: str) -> tuple[LowRank, ...]:
        """The change that the adapter makes to each layer, in order, at the strength of the id.

        Raises:
            AdapterGone.
        """
        adapter = self.get(model_id)
        base = self._table.load(adapter.base_id).result()
        return low_rank(base, adapter, AdapterName.of(model_id).strength)

    # ---- files and sums

    def exported(self, model_id: str, more: Mapping[str, str]) -> bytes:
        """An adapter as a zip that stock peft loads, with further text files."""
        return peft_files.written(self.get(model_id), more)

    def imported(
        self, model_id: str, name: str, data: bytes, owner: str, *, any_base: bool = False
    ) -> Imported:
        """Take in a zip as peft writes it."""
        base = self.decoder(AdapterName.of(model_id).base_id)
        adapter, ignored = peft_files.read(data, name, base, self._settings, any_base=any_base)
        return Imported(self.add(adapter, owner), ignored)

    def added(self, first: str, second: str, owner: str) -> str:
        """A new adapter that changes what both change, by the sum; gives its model id."""
        return self.add(sum_of(self.get(first), self.get(second)), owner)

    # ---- what a model table does

    def decoder(self, model_id: str) -> LoadedModel:
        """A decoder that can be trained, once it is in memory.

        Raises:
            Unsupported: The model is not a decoder, or has an adapter already.
            ModelError: The model cannot be loaded.
        """
        loaded = self.load(model_id).result()
        if loaded.info.kind != "decoder" or loaded.info.adapter:
            raise Unsupported(model_id=loaded.info.name, capability=Message("fine-tuning"))
        return loaded

    def load(self, model_id: str) -> Future[LoadedModel]:
        """As `ModelTable.load`, also for a model with an adapter.

        Raises:
            AdapterGone: The adapter is no longer here.
        """
        name = AdapterName.of(model_id)
        if not name.adapter_id:
            return self._table.load(model_id)
        adapter = self.get(model_id)
        base = self._table.load(name.base_id)
        with self._lock:
            known = self._models.pop(model_id, None)
            if (
                known is not None
                and known.base() is base
                and not (known.model.done() and known.model.exception())
            ):
                self._models[model_id] = known
                return known.model
            made: Future[LoadedModel] = Future()
            gone = partial(_drop, self._models, model_id)
            self._models[model_id] = _Made(weakref.ref(base, gone), made)
            while len(self._models) > _KEPT_MODELS:
                self._models.popitem(last=False)
        base.add_done_callback(lambda done: _fill(made, done, adapter, name))
        return made

    def tokenizer(self, model_id: str) -> TextTokenizer:
        """The base's."""
        return self._table.tokenizer(AdapterName.of(model_id).base_id)

    def state(self, model_id: str) -> tuple[State, Message | None]:
        """The base's."""
        return self._table.state(AdapterName.of(model_id).base_id)

    def _forget_models(self, adapter_id: str) -> None:
        with self._lock:
            for model_id in [one for one in self._models if AdapterName.of(one).adapter_id == adapter_id]:
                del self._models[model_id]


@dataclass(frozen=True, slots=True)
class _Made:
    """A model with an adapter, kept only as long as the table of models keeps its base."""

    base: weakref.ref[Future[LoadedModel]]
    model: Future[LoadedModel]


def _drop(models: dict[str, _Made], model_id: str, base: weakref.ref[Future[LoadedModel]]) -> None:
    """Called when the table has dropped a base, in whatever thread: takes no lock."""
    known = models.get(model_id)
    if known is not None and known.base is base:
        models.pop(model_id, None)


def _fill(made: Future[LoadedModel], base: Future[LoadedModel], adapter: Adapter, name: AdapterName) -> None:
    try:
        made.set_result(adapted_model(base.result(), adapter, name))
    except BaseException as error:  # noqa: BLE001  (whoever waits for the model gets it)
        made.set_exception(error)

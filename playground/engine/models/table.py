"""The models in memory: loaded once, in a thread of their own, least recently used out first."""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from playground.engine.contract.models import CatalogueEntry, Download, ModelInfo, State
from playground.engine.contract.pretraining import MODEL_PREFIX
from playground.engine.memory import freeze_heap
from playground.engine.models import loading
from playground.engine.models.catalogue import catalogue
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.tokenizing import TextTokenizer
from playground.engine.models.whole_folder import Progress
from playground.errors import Cancelled, Message, ModelNotFound, PlaygroundError
from playground.settings import Settings


class OwnModels(Protocol):
    """Models that sessions made, of no catalogue: here as long as their sessions want them."""

    def load(self, model_id: str) -> Future[LoadedModel]:
        """The model, at once.

        Raises:
            ModelGone: It is no longer here, or never was.
        """
        ...


class ModelTable:
    """The models that are here, being loaded or loaded. Safe to share between threads.

    The default model stays; others leave, least recently used first, when the table grows over
    `settings.model_bytes`. Whoever still computes with a model that left keeps it alive until done.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._entries = catalogue(settings)
        self._own: OwnModels | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._futures: OrderedDict[str, Future[LoadedModel]] = OrderedDict()
        self._leaving: list[tuple[weakref.ref[object], int]] = []  # a tensor and the bytes it stands for
        self._messages: dict[str, Message] = {}
        self._downloads: dict[Future[LoadedModel], Download] = {}
        self._infos: dict[str, ModelInfo] = {}
        self._tokenizers: dict[str, TextTokenizer] = {}
        self._reading = threading.Lock()
        self._loaders = ThreadPoolExecutor(max_workers=2, thread_name_prefix="model-loader")

    def take_in(self, own: OwnModels) -> None:
        """Serve also the models that sessions made: those whose ids begin with `MODEL_PREFIX`."""
        self._own = own

    def _made(self, model_id: str) -> Future[LoadedModel] | None:
        if self._own is None or not model_id.startswith(MODEL_PREFIX):
            return None
        return self._own.load(model_id)

    def entry(self, model_id: str) -> CatalogueEntry:
        """The catalogue entry.

        Raises:
            ModelNotFound: The model is not on the allow-list.
        """
        if model_id not in self._entries:
            raise ModelNotFound(model_id=repr(model_id), cure=Message("Pick one from the list."))
        return self._entries[model_id]

    def infos(self) -> list[ModelInfo]:
        """Every model of the catalogue with its state."""
        loaded = self._loaded()
        return [self._info(entry, loaded) for entry in self._entries.values()]

    def tokenizer(self, model_id: str) -> TextTokenizer:
        """The tokenizer alone; needs the model's files, not its weights in memory.

        Raises:
            ModelNotFound: The model is not on this machine.
            ModelGone: It was a session's, and is no longer here.
        """
        if (made := self._made(model_id)) is not None:
            return made.result().tokenizer
        if model_id not in self._tokenizers:
            with self._reading:  # one at a time: one of 250,000 pieces takes 300 MB and a second
                if model_id not in self._tokenizers:
                    read = loading.load_tokenizer(self.entry(model_id), self._settings)
                    self._tokenizers[model_id] = read
        return self._tokenizers[model_id]

    def load(self, model_id: str) -> Future[LoadedModel]:
        """Start to load, or download and load, unless that is done or under way.

        Raises:
            Cancelled: The engine is closed.
            ModelGone: It was a session's, and is no longer here.
        """
        if (made := self._made(model_id)) is not None:
            return made
        entry = self.entry(model_id)
        with self._lock:
            if self._closed:
                raise Cancelled
            future = self._futures.get(model_id)
            if future is None or (future.done() and future.exception() is not None):
                future = self._futures[model_id] = Future()
                if entry.source == "hub" and loading.locate(entry, self._settings) is None:
                    self._downloads[future] = Download()
                    self._messages.pop(model_id, None)
                self._loaders.submit(self._fill, future, entry)
            self._futures.move_to_end(model_id)
            return future

    def stop_download(self, model_id: str) -> None:
        """Stop a download; whoever waits for the model gets `Cancelled` here and now.

        What has come is used by the next attempt. Nothing happens where none is under way.
        """
        with self._lock:
            future = self._futures.get(model_id)
            if future is None or future not in self._downloads:
                return
            del self._futures[model_id]
        with suppress(InvalidStateError):  # its last byte came meanwhile
            future.set_exception(Cancelled())

    def state(self, model_id: str) -> tuple[State, Message | None]:
        """(state, what is happening or went wrong)."""
        if self._made(model_id) is not None:
            return "ready", None
        future = self._futures.get(model_id)
        if future is None:
            return self._on_disk(self.entry(model_id)).state, None
        if not future.done():
            return "loading", self._messages.get(model_id)
        error = future.exception()
        return ("ready", None) if error is None else ("failed", _message_of(error))

    @property
    def size_bytes(self) -> int:
        """Bytes of all models in memory, those included that left and are still in use, and of tokenizers."""
        loaded = self._loaded()
        held = sum(_size_bytes(future.result()) for future in loaded.values())
        alone = (one for model_id, one in list(self._tokenizers.items()) if model_id not in loaded)
        held += sum(one.size_bytes for one in alone)
        return held + sum(size_bytes for tensor, size_bytes in list(self._leaving) if tensor() is not None)

    def close(self) -> None:
        """Load nothing more; whoever waits for a model gets `Cancelled` here and now."""
        with self._lock:
            self._closed = True
            futures = list(self._futures.values())
        self._loaders.shutdown(wait=False, cancel_futures=True)
        for future in futures:
            with suppress(InvalidStateError):  # it is there already
                future.set_exception(Cancelled())

    def _loaded(self) -> dict[str, Future[LoadedModel]]:
        return {
            model_id: future
            for model_id, future in list(self._futures.items())
            if future.done() and future.exception() is None
        }

    def _info(self, entry: CatalogueEntry, loaded: Mapping[str, Future[LoadedModel]]) -> ModelInfo:
        if entry.model_id in loaded:
            return loaded[entry.model_id].result().info
        future = self._futures.get(entry.model_id)
        if future is None:
            return self._on_disk(entry)
        state, message = self.state(entry.model_id)
        download = self._downloads.get(future) if state == "loading" else None
        return replace(self._on_disk(entry), state=state, message=message, download=download)

    def _on_disk(self, entry: CatalogueEntry) -> ModelInfo:
        """Facts from the model's files; read once, because pages ask at every rerun."""
        known = self._infos.get(entry.model_id)
        if known is None:
            known = self._infos[entry.model_id] = loading.model_info(entry, self._settings)
        return known

    def _fill(self, future: Future[LoadedModel], entry: CatalogueEntry) -> None:
        with suppress(InvalidStateError):  # closed meanwhile
            try:
                future.set_result(self._load(future, entry))
            except BaseException as error:  # noqa: BLE001  (whoever waits for the model gets it)
                future.set_exception(error)

    def _load(self, future: Future[LoadedModel], entry: CatalogueEntry) -> LoadedModel:
        def progress(message: Message, fraction: float) -> None:
            if future.done():  # stopped
                raise Cancelled
            if fraction:
                how_far = (("doing", message), ("percent", 100 * fraction))
                message = Message("{doing} ({percent:.0f} %)", how_far)
            self._messages[entry.model_id] = message

        self._bring(future, entry, progress)
        loaded = loading.load(entry, self._settings, progress, self.tokenizer)
        with self._lock:
            self._make_room(entry.model_id, _parameter_bytes(loaded))
        freeze_heap()
        return loaded

    def _bring(self, future: Future[LoadedModel], entry: CatalogueEntry, progress: Progress) -> None:
        """Download or convert the model where it is not here, and note how long that will take."""
        pace = DownloadSpeed()

        def downloading(message: Message, share: float) -> None:
            progress(message, share)
            self._downloads[future] = pace.at(share, time.monotonic())

        try:
            loading.pull(entry, self._settings, downloading if future in self._downloads else progress)
        finally:
            self._downloads.pop(future, None)
            self._infos.pop(entry.model_id, None)

    def _make_room(self, newcomer: str, size_bytes: int) -> None:
        """Let others go until the parameters of a newcomer fit, whose tokenizer is counted already."""
        self._leaving = [one for one in self._leaving if one[0]() is not None]
        loaded_ids = self._loaded()
        for model_id in [one for one in self._tokenizers if one not in loaded_ids and one != newcomer]:
            if size_bytes + self.size_bytes <= self._settings.model_bytes:
                return
            self._tokenizers.pop(model_id, None)  # whoever wants it again waits a second
        for model_id, future in loaded_ids.items():
            if size_bytes + self.size_bytes <= self._settings.model_bytes:
                return
            if model_id not in (newcomer, self._settings.default_model):
                loaded = future.result()
                # every model with an adapter shares this tensor: it lives as long as any of them
                self._leaving.append((weakref.ref(next(loaded.model.parameters())), _size_bytes(loaded)))
                del self._futures[model_id], future, loaded
                self._tokenizers.pop(model_id, None)


class DownloadSpeed:
    """Time that a download will take, from its pace since it began: an older attempt is not counted."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None  # share, seconds

    def at(self, share: float, now: float) -> Download:
        """Progress at this time, in seconds of a monotonic clock."""
        if self._first is None:
            self._first = share, now
        gained, seconds = share - self._first[0], now - self._first[1]
        return Download(share, (1 - share) * seconds / gained if gained > 0 else None)


def _message_of(error: BaseException) -> Message:
    if isinstance(error, PlaygroundError):
        return error.message
    return Message("{reason}", (("reason", str(error)),))


def _size_bytes(loaded: LoadedModel) -> int:
    return _parameter_bytes(loaded) + loaded.tokenizer.size_bytes


_bytes: weakref.WeakKeyDictionary[object, int] = (
    weakref.WeakKeyDictionary()
)  # of each model: counting takes ms


def _parameter_bytes(loaded: LoadedModel) -> int:
    known = _bytes.get(loaded.model)
    if known is None:
        known = _bytes[loaded.model] = sum(parameter.nbytes for parameter in loaded.model.parameters())
    return known

"""A replica: a `LocalEngine` behind one streaming method. Ray Serve makes it, calls it and restarts it."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from playground.engine.contract.asked import Asked
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.waiting import Waiting
from playground.engine.memory import freeze_heap
from playground.engine.remote.messages import PARTS, Call, Chunk, News, Published
from playground.errors import NotComputed, PlaygroundError
from playground.settings import Settings

if TYPE_CHECKING:
    from playground.engine.remote.publishing import Publisher

log = logging.getLogger(__name__)
CHUNK_S = 0.05  # at most 20 messages a second of one answer
BEAT_S = 1.0  # and one at least while it waits
NEWS_S = 0.5
MAX_CALLS = 512  # threads that wait for the model thread


class Replica:
    """One engine that others call.

    Args:
        settings: Settings of its engine by their names in the environment; the others are those of the
            machine that it runs on.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        from playground.engine.local.engine import LocalEngine  # torch: a web process knows this class too
        from playground.engine.remote.publishing import Publisher

        self._settings = Settings(**{**settings, "engine": "local"})
        self._engine = LocalEngine(self._settings)
        self._publisher: Publisher = Publisher(self._engine)
        self._pool = ThreadPoolExecutor(MAX_CALLS, "call")
        self._open: dict[str, threading.Event] = {}
        self._life = uuid4().hex
        self._warm()

    def _warm(self) -> None:
        """Let the default model answer once; a replica without it still serves the others."""
        first = TraceRequest(
            self._settings.default_model, "The capital of England is", Capture(logits="last")
        )
        try:
            self._engine.trace(first)
        except PlaygroundError as error:
            log.warning("the default model cannot answer: %s", error)
        freeze_heap()

    def check_health(self) -> None:
        """Called by Serve from time to time; an error has the replica replaced."""
        if not self._engine.is_alive:
            raise RuntimeError("the model thread has ended")

    def __del__(self) -> None:
        """Called by Serve when the replica is to end."""
        engine = getattr(self, "_engine", None)
        if engine is not None:
            engine.close()

    def pid(self) -> int:
        """Process id, for tests and benchmarks."""
        return os.getpid()

    # ---- calls

    async def converse(self, call: Call) -> AsyncIterator[Chunk]:
        """Do a call; gives what it gives, the first at once, then at most 20 messages a second."""
        loop, stop = asyncio.get_running_loop(), threading.Event()
        sent: asyncio.Queue[Chunk] = asyncio.Queue()
        over = asyncio.Event()

        def put(chunk: Chunk) -> None:
            sent.put_nowait(chunk)
            if chunk.is_last:
                over.set()

        def tell(chunk: Chunk) -> None:
            loop.call_soon_threadsafe(put, chunk)

        self._open[call.call_id] = stop
        self._pool.submit(self._work, call, stop, tell)
        is_over = False
        try:
            while not is_over:
                came = [await sent.get()]
                while not sent.empty():
                    came.append(sent.get_nowait())
                is_over = came[-1].is_last
                yield _joined(came)
                if not is_over:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(over.wait(), CHUNK_S)
        finally:
            self._open.pop(call.call_id, None)
            if not is_over:  # the caller is gone
                self._stop(call.call_id, stop)

    async def cancel(self, call_id: str) -> None:
        """End a call that is open; its caller hears no more of it than its last message."""
        stop = self._open.get(call_id)
        if stop is not None:
            self._stop(call_id, stop)

    def _stop(self, call_id: str, stop: threading.Event) -> None:
        stop.set()
        self._engine.cancel(call_id)

    def _work(self, call: Call, stop: threading.Event, tell: Callable[[Chunk], None]) -> None:
        """The call, in a thread of its own; whatever becomes of it, its last message comes."""
        last = Chunk(is_last=True, error=NotComputed())
        try:
            found = self._called(call, stop, tell)
            if isinstance(found, Iterator):
                for item in found:
                    if stop.is_set():
                        found.close()  # type: ignore[attr-defined]  # all of ours are generators
                        break
                    tell(Chunk((item,)))
                last = Chunk(is_last=True)
            else:
                last = Chunk((found,), is_last=True)
        except PlaygroundError as error:
            last = Chunk(is_last=True, error=error)
        except Exception:
            log.exception("a call failed")
        finally:
            tell(last)

    def _called(self, call: Call, stop: threading.Event, tell: Callable[[Chunk], None]) -> Any:  # noqa: ANN401
        part, _dot, _method = call.method.rpartition(".")
        if part.split(".")[0] not in ("", *PARTS) or "._" in f".{call.method}":
            raise NotComputed
        if call.owner:
            self._publisher.serves(call.owner, call.web)
        args, named = call.args, dict(call.named)
        if call.tells_waits:
            first = args[0]
            if isinstance(first, Asked):
                args = (replace(first, request_id=call.call_id), *args[1:])
            named["on_wait"] = _Beats(tell)
        return attrgetter(call.method)(self._engine)(*args, **named)

    # ---- adapters that outlive it

    async def watch(self, web: str) -> AsyncIterator[tuple[str, tuple[News, ...]]]:
        """(id of this replica, what a web process's sessions have learned), at once, then twice a second."""
        yield self._life, ()
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(NEWS_S)
            yield self._life, tuple(await loop.run_in_executor(self._pool, self._publisher.news, web))

    def published(self, model_id: str) -> Published | None:
        """An adapter that this replica has, None if it has not."""
        return self._publisher.published(model_id)

    def adopt(self, adapter: Published) -> None:
        """Take in an adapter that was made elsewhere."""
        self._publisher.adopt(adapter)


class _Beats:
    """Tells where a request stands: when that changes, and otherwise once a second."""

    def __init__(self, tell: Callable[[Chunk], None]) -> None:
        self._tell = tell
        self._told: tuple[object, ...] = ()
        self._at = 0.0

    def __call__(self, waiting: Waiting) -> None:
        now, stands = time.monotonic(), (waiting.position, waiting.state, waiting.message)
        if stands != self._told or now - self._at >= BEAT_S:
            self._told, self._at = stands, now
            self._tell(Chunk(waiting=waiting))


def _joined(chunks: list[Chunk]) -> Chunk:
    """Several messages as one."""
    items = tuple(item for chunk in chunks for item in chunk.items)
    waiting = None if items else next((one.waiting for one in reversed(chunks) if one.waiting), None)
    last = chunks[-1]
    return Chunk(items, waiting, last.is_last, last.error)

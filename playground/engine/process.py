"""The one engine of this process: started once, in the background, shared by the server and every session."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from playground.engine.memory import collector_paused, freeze_heap
from playground.errors import EngineFailed, Message, PlaygroundError

if TYPE_CHECKING:
    from playground.engine.contract.engine import Engine
    from playground.settings import Settings


StartupState = Literal["waiting", "importing", "warming", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class Startup:
    """Progress of the engine's start.

    Attributes:
        state: waiting (nobody asked for it yet), importing (libraries), warming (the default model is loaded
            and answers once), ready, failed.
        message: Activity of the default model, or the reason why it failed; None if there is nothing to say.
        elapsed_s: Seconds from the start to now, or to ready or failed.
    """

    state: StartupState
    message: Message | None = None
    elapsed_s: float = 0.0


class SharedEngine:
    """Creates an engine in a thread of its own and lets its default model answer once."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._engine: Future[Engine] = Future()
        self._warmed = threading.Event()
        self._failure: Message | None = None
        self._thread: threading.Thread | None = None
        self._started_at = 0.0
        self._elapsed_s = 0.0

    def start(self) -> None:
        """Begin, if nobody has yet; returns at once."""
        with self._lock:
            if self._thread is None:
                self._started_at = time.monotonic()
                self._thread = threading.Thread(target=self._run, name="engine-start", daemon=True)
                self._thread.start()

    def get(self, timeout_s: float | None = None) -> Engine:
        """The engine, as soon as it takes requests (its model may still be loading).

        Raises:
            TimeoutError: Not within `timeout_s`.
            PlaygroundError: The engine could not start; the message names the reason.
        """
        self.start()
        return self._engine.result(timeout_s)

    def startup(self) -> Startup:
        """Progress of the start; never waits."""
        if self._thread is None:
            return Startup("waiting")
        if self._warmed.is_set():
            return Startup("failed" if self._failure else "ready", self._failure, self._elapsed_s)
        elapsed_s = time.monotonic() - self._started_at
        if not self._engine.done():
            return Startup("importing", None, elapsed_s)
        return Startup("warming", self._model_message(), elapsed_s)

    def close(self) -> None:
        """Stop the engine if it runs; waiting callers get `Cancelled`."""
        if self._engine.done() and self._engine.exception() is None:
            self._engine.result().close()

    def _model_message(self) -> Message | None:
        if self._engine.exception() is not None:
            return None
        wanted = self._default_model()
        return next((m.message for m in self._engine.result().models() if m.model_id == wanted), None)

    def _default_model(self) -> str:
        from playground.settings import Settings

        if self._settings is None:
            self._settings = Settings()
        return self._settings.default_model

    def _run(self) -> None:
        try:
            self._create_and_warm()
        except BaseException as error:
            expected = isinstance(error, PlaygroundError)
            told = error if isinstance(error, PlaygroundError) else EngineFailed(error=error)
            self._failure = told.message
            if not self._engine.done():
                self._engine.set_exception(told)
            if not expected:
                raise  # its traceback belongs into the log
        finally:
            self._elapsed_s = time.monotonic() - self._started_at
            self._warmed.set()

    def _create_and_warm(self) -> None:
        from playground.engine import create_engine
        from playground.engine.contract.traces import Capture, TraceRequest

        model = self._default_model()
        first = TraceRequest(
            model=model, text="The capital of England is", capture=Capture(logits="last"), owner="warm-up"
        )
        with collector_paused():
            engine = create_engine(self._settings)
            self._engine.set_result(engine)
            engine.trace(first)
        freeze_heap()


_shared = SharedEngine()


def start_shared_engine() -> None:
    """Begin to start this process's engine; returns at once."""
    _shared.start()


def shared_engine(timeout_s: float | None = None) -> Engine:
    """This process's engine, started if need be.

    Raises:
        TimeoutError: The engine takes no requests within `timeout_s` (its libraries are being imported).
    """
    return _shared.get(timeout_s)


def startup() -> Startup:
    """Progress of the start of this process's engine; never waits."""
    return _shared.startup()


def close_shared_engine() -> None:
    """Stop this process's engine, if it runs."""
    _shared.close()

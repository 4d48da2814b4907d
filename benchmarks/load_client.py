"""A reader without a browser: Streamlit's websocket protocol, on loopback, for tests and benchmarks."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

FRAGMENT_DONE = ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY


@dataclass(slots=True)
class Run:
    """What one script run sent.

    Attributes:
        deltas: Elements and containers, in order.
        deltas_s: Seconds from the event to each of them.
        first_delta_s, last_delta_s, finished_s: Seconds from the event to the message.
        n_messages: Messages of any kind.
        n_bytes: Their payload.
        font_urls: Where the browser is told to find the theme's fonts.
    """

    deltas: list[Any] = field(default_factory=list)
    deltas_s: list[float] = field(default_factory=list)
    first_delta_s: float = 0.0
    last_delta_s: float = 0.0
    finished_s: float = 0.0
    n_messages: int = 0
    n_bytes: int = 0
    font_urls: list[str] = field(default_factory=list)

    def elements(self, kind: str) -> list[Any]:
        """Every new element of this kind: "slider", "markdown", "exception", "bidi_component"."""
        elements = [delta.new_element for delta in self.deltas if delta.WhichOneof("type") == "new_element"]
        return [getattr(element, kind) for element in elements if element.WhichOneof("type") == kind]


class Reader:
    """One session: connect, first run, then reruns with changed widgets.

    Example:
        >>> async def drag(url):                                    # doctest: +SKIP
        ...     async with Reader(url, page="sampling") as reader:
        ...         return await reader.rerun(sam_temperature=("double_array_value", [1.5]))
    """

    def __init__(self, url: str, page: str = "", query: str = "", cookie: str = "") -> None:
        parts = urlsplit(url)
        if parts.hostname not in ("127.0.0.1", "localhost"):
            raise ValueError(f"{url} is not on this machine")
        self._uri = f"ws://{parts.netloc}{parts.path}/_stcore/stream"
        self._headers = {"Origin": f"http://{parts.netloc}"} | ({"Cookie": cookie} if cookie else {})
        self._page, self._query = page, query
        self._connection: ClientConnection | None = None
        self._ids: dict[str, str] = {}  # widget key -> id
        self._fragments: dict[str, str] = {}  # widget key -> fragment id
        self._values: dict[str, tuple[str, Any]] = {}  # widget id -> (field, value)
        self._page_hash = ""
        self._known_hashes: set[str] = set()
        self._auto_rerun: tuple[float, str] | None = None
        self.first = Run()

    async def __aenter__(self) -> Reader:
        self._connection = await connect(
            self._uri,
            subprotocols=["streamlit"],  # type: ignore[list-item]  # a NewType over str
            additional_headers=self._headers,
            max_size=None,
            compression=None,
        )
        self.first = await self._run({}, "")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def rerun(self, **changed: tuple[str, Any]) -> Run:
        """Change widgets, given by their keys, each as (field of WidgetState, value).

        The rerun is a fragment's when the (first) widget lies in one, as in the browser.
        """
        fragment = self._fragments.get(next(iter(changed), ""), "")
        return await self._run({self._ids[key]: value for key, value in changed.items()}, fragment)

    async def tick(self) -> Run:
        """What the browser does for a fragment with `run_every`: wait its interval, ask for it again.

        Raises:
            LookupError: No fragment of the last run asks for that.
        """
        if self._auto_rerun is None:
            raise LookupError("nothing on the page repeats itself")
        interval_s, fragment = self._auto_rerun
        await asyncio.sleep(interval_s)
        return await self._run({}, fragment)

    async def _run(self, changed: dict[str, tuple[str, Any]], fragment: str, timeout_s: float = 180) -> Run:
        assert self._connection is not None
        self._values |= changed
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name, state.page_script_hash = self._query, self._page, self._page_hash
        state.fragment_id = fragment
        state.context_info.timezone, state.context_info.locale = "Asia/Seoul", "en-US"
        state.cached_message_hashes.extend(self._known_hashes)
        for widget, (name, value) in self._values.items():
            widget_state = state.widget_states.widgets.add(id=widget)
            if isinstance(value, list):
                getattr(widget_state, name).data.extend(value)
            else:
                setattr(widget_state, name, value)
        clicks = [widget for widget, (name, _value) in self._values.items() if name == "trigger_value"]
        self._values = {widget: value for widget, value in self._values.items() if widget not in clicks}
        started = time.perf_counter()
        await self._connection.send(message.SerializeToString())
        return await asyncio.wait_for(self._receive(started), timeout_s)

    async def _receive(self, started: float) -> Run:
        assert self._connection is not None
        run = Run()
        async for payload in self._connection:
            assert isinstance(payload, bytes)
            run.n_messages += 1
            run.n_bytes += len(payload)
            message = ForwardMsg.FromString(payload)
            kind, now = message.WhichOneof("type"), time.perf_counter() - started
            if kind in ("delta", "ref_hash"):
                run.first_delta_s = run.first_delta_s or now
                run.last_delta_s = now
            if kind == "delta":
                run.deltas_s.append(now)
                self._note(message, run)
            elif kind == "auto_rerun":
                self._auto_rerun = (message.auto_rerun.interval, message.auto_rerun.fragment_id)
            elif kind == "new_session":
                run.font_urls = [face.url for face in message.new_session.custom_theme.font_faces]
            elif kind == "navigation":
                self._page_hash = message.navigation.page_script_hash
            elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                run.finished_s = now
                return run
        raise ConnectionError("the server closed the connection")

    def _note(self, message: ForwardMsg, run: Run) -> None:
        delta = message.delta
        run.deltas.append(delta)
        if message.metadata.cacheable:
            self._known_hashes.add(message.hash)
        if delta.WhichOneof("type") != "new_element":
            return
        element = getattr(delta.new_element, delta.new_element.WhichOneof("type") or "empty")
        key = str(getattr(element, "id", "")).partition("-")[2].partition("-")[2]  # $$ID-<hash>-<user key>
        if key and key != "None":
            self._ids[key] = element.id
            self._fragments[key] = delta.fragment_id

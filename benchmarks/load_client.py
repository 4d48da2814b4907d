"""A reader without a browser: Streamlit's websocket protocol, on loopback, for tests and benchmarks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

FRAGMENT_DONE = ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY


@dataclass(frozen=True, slots=True)
class Sent:
    """An element that the browser draws.

    Attributes:
        kind: "slider", "markdown", "exception", "bidi_component".
        key: The widget's key, "" where it has none.
        at_s: Seconds from the event to its message, also where the browser kept it and is told its hash.
        element: Its protobuf message.
    """

    kind: str
    key: str
    at_s: float
    element: Any


@dataclass(slots=True)
class Run:
    """What one script run sent.

    Attributes:
        deltas: Elements and containers, in order.
        deltas_s: Seconds from the event to each of them.
        sent: Elements that are drawn, those too that the browser kept and is only reminded of.
        failed: The script did not compile.
        first_delta_s, last_delta_s, finished_s: Seconds from the event to the message.
        n_messages: Messages of any kind.
        n_bytes: Their payload.
        font_urls: Where the browser is told to find the theme's fonts.
    """

    deltas: list[Any] = field(default_factory=list)
    deltas_s: list[float] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    failed: bool = False
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

    Args:
        url: Address of the server, on this machine.
        page, query, cookie: What the browser's address and its cookies say.
        before: Session that the tab had before it was loaded anew, as `tab.js` names it.
        again: Session that the tab still has, after a line that broke.
        on_payload: Given every message as it came.
        pause_s: A slow line: seconds between two messages that are read.
        open_timeout_s: Seconds within which the server must take the connection.

    Example:
        >>> async def drag(url):                                    # doctest: +SKIP
        ...     async with Reader(url, page="sampling") as reader:
        ...         return await reader.rerun(sam_temperature=("double_array_value", [1.5]))
    """

    def __init__(
        self,
        url: str,
        page: str = "",
        query: str = "",
        cookie: str = "",
        *,
        before: str = "",
        again: str = "",
        on_payload: Callable[[bytes], None] | None = None,
        pause_s: float = 0.0,
        open_timeout_s: float = 60.0,
    ) -> None:
        parts = urlsplit(url)
        if parts.hostname not in ("127.0.0.1", "localhost"):
            raise ValueError(f"{url} is not on this machine")
        self._uri = f"ws://{parts.netloc}{parts.path}/_stcore/stream"
        self._headers = {"Origin": f"http://{parts.netloc}"} | ({"Cookie": cookie} if cookie else {})
        self._page, self._query = page, query
        known_as = f"after.{before}" if before else again
        self._protocols = ["streamlit", "no-token", known_as] if known_as else ["streamlit"]
        self._on_payload, self._pause_s, self._open_timeout_s = on_payload, pause_s, open_timeout_s
        self._connection: ClientConnection | None = None
        self._ids: dict[str, str] = {}  # widget key -> id
        self._fragments: dict[str, str] = {}  # widget key -> fragment id
        self._values: dict[str, tuple[str, Any]] = {}  # widget id -> (field, value)
        self._page_hash = ""
        self._known_hashes: dict[str, list[Sent]] = {}  # hash of a message the browser keeps -> what it told
        self._pages: dict[str, str] = {}  # name in the URL -> hash
        self.controls: dict[str, Any] = {}  # widget key -> its last element
        self._auto_rerun: tuple[float, str] | None = None
        self.session_id = ""
        self.first = Run()

    async def __aenter__(self) -> Reader:
        await self.connect()
        self.first = await self.rerun()
        return self

    async def connect(self) -> None:
        """Open the line; nothing runs yet."""
        self._connection = await connect(
            self._uri,
            subprotocols=self._protocols,  # type: ignore[arg-type]  # a NewType over str
            additional_headers=self._headers,
            max_size=None,
            compression=None,
            open_timeout=self._open_timeout_s,
            ping_interval=None,  # a browser sends none
            max_queue=1 if self._pause_s else 16,
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the line, as a tab does; whoever stops waiting for that breaks it off."""
        if self._connection is None:
            return
        try:
            await self._connection.close()
        except asyncio.CancelledError:
            self.break_off()
            raise

    def break_off(self) -> None:
        """Let the line break in the middle, without a word."""
        assert self._connection is not None
        self._connection.transport.abort()

    async def rerun(self, **changed: tuple[str, Any]) -> Run:
        """Change widgets, given by their keys, each as (field of WidgetState, value).

        The rerun is a fragment's when the (first) widget lies in one, as in the browser.
        """
        fragment = self._fragments.get(next(iter(changed), ""), "")
        return await self._run({self._ids[key]: value for key, value in changed.items()}, fragment)

    async def go(self, page: str) -> Run:
        """Follow a link of the menu; the session stays.

        Args:
            page: Its name in the URL, "" for the first.
        """
        self._page, self._page_hash = page, self._pages[page]
        return await self._run({}, "")

    async def tick(self) -> Run:
        """What the browser does for a fragment with `run_every`: wait its interval, ask for it again.

        Raises:
            LookupError: No fragment of the last run asks for that.
        """
        if self._auto_rerun is None:
            raise LookupError("nothing on the page repeats itself")
        interval_s, fragment = self._auto_rerun
        await asyncio.sleep(interval_s)
        return await self._run({}, fragment, is_tick=True)

    @property
    def ticks(self) -> bool:
        """True if a fragment of the page asks to be run again by itself."""
        return self._auto_rerun is not None

    async def _run(
        self,
        changed: dict[str, tuple[str, Any]],
        fragment: str,
        timeout_s: float = 180,
        *,
        is_tick: bool = False,
    ) -> Run:
        assert self._connection is not None
        self._values |= changed
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name, state.page_script_hash = self._query, self._page, self._page_hash
        state.fragment_id, state.is_auto_rerun = fragment, is_tick
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
            if self._on_payload is not None:
                self._on_payload(payload)
            if self._pause_s:
                await asyncio.sleep(self._pause_s)
            run.n_messages += 1
            run.n_bytes += len(payload)
            message = ForwardMsg.FromString(payload)
            kind, now = message.WhichOneof("type"), time.perf_counter() - started
            if kind in ("delta", "ref_hash"):
                run.first_delta_s = run.first_delta_s or now
                run.last_delta_s = now
            if kind == "delta":
                run.deltas_s.append(now)
                self._note(message, run, now)
            elif kind == "ref_hash":
                run.sent.extend(
                    replace(one, at_s=now) for one in self._known_hashes.get(message.ref_hash, ())
                )
            elif kind == "auto_rerun":
                self._auto_rerun = (message.auto_rerun.interval, message.auto_rerun.fragment_id)
            elif kind == "new_session":
                if not message.metadata.run.fragment_ids:
                    self._auto_rerun = None  # whoever still repeats itself says so anew
                self.session_id = message.new_session.initialize.session_id
                run.font_urls = [face.url for face in message.new_session.custom_theme.font_faces]
            elif kind == "navigation":
                self._page_hash = message.navigation.page_script_hash
                pages = message.navigation.app_pages
                self._pages = {
                    "" if one.is_default else one.url_pathname: one.page_script_hash for one in pages
                }
            elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                run.finished_s = now
                run.failed = message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR
                return run
        raise ConnectionError("the server closed the connection")

    def _note(self, message: ForwardMsg, run: Run, now: float) -> None:
        delta = message.delta
        run.deltas.append(delta)
        told: list[Sent] = []
        if delta.WhichOneof("type") == "new_element":
            kind = delta.new_element.WhichOneof("type") or "empty"
            element = getattr(delta.new_element, kind)
            key = (
                str(getattr(element, "id", "")).partition("-")[2].partition("-")[2]
            )  # $$ID-<hash>-<user key>
            if key and key != "None":
                self._ids[key] = element.id
                self._fragments[key] = delta.fragment_id
                self.controls[key] = element
                if kind in ("text_input", "text_area") and element.set_value and element.id in self._values:
                    self._values[element.id] = ("string_value", element.value)  # as the browser does
            told.append(Sent(kind, key, now, element))
        run.sent.extend(told)
        if message.metadata.cacheable:
            self._known_hashes[message.hash] = told

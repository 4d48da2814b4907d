"""The ASGI app below `/v1`: a key first, then a place, then a thread that asks the engine for one request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import Headers

from playground.core.api_keys import Keys
from playground.errors import PlaygroundError
from playground.v1 import chat, completions, models, vectors
from playground.v1.asking import Asking, Spellings
from playground.v1.fields import body_of
from playground.v1.places import Places
from playground.v1.refusals import RETRY_S, Refused, no_key, switched_off, told

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from playground.engine.contract.engine import Engine
    from playground.settings import Settings

Json = dict[str, Any]
Answer = Callable[[Asking], Iterator[Json]]
FOREIGN_SITES: Final = ("cross-site", "same-site")  # values of Sec-Fetch-Site, which only browsers send
SMALL: Final = 2**16  # bytes of a body that is read at once, in some ms; a larger one would hold all pages up
_OVER: Final = object()


@dataclass(frozen=True, slots=True)
class Work:
    """Something to be answered.

    Attributes:
        answer: Asks the engine; gives the parts of a stream, or one whole answer.
        is_streamed: True sends each part when it is there.
    """

    answer: Answer
    is_streamed: bool = False


class Endpoint:
    """Everything below `/v1`.

    Args:
        settings: The limits, and the path below which the playground is shown.
        keys: Keys of the sessions.
        is_on: True while the endpoint is switched on.
        engine: The engine; raises TimeoutError while it is being started.
    """

    def __init__(
        self, settings: Settings, keys: Callable[[], Keys], is_on: Callable[[], bool],
        engine: Callable[[], Engine],
    ) -> None:  # fmt: skip
        self._settings, self._keys, self._is_on, self._engine = settings, keys, is_on, engine
        self._places, self._spellings = Places(settings), Spellings()
        self._threads = ThreadPoolExecutor(settings.max_endpoint_running, "v1")
        self._reader = ThreadPoolExecutor(1, "v1-reader")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "no websocket here"})
            return
        reply, admitted = _Reply(send), partial(self._admitted, Headers(scope=scope))
        try:
            owner = admitted()
        except Refused as refused:
            await reply.refuse(refused)
            return
        is_answered = False
        try:
            with self._places.opened(owner):
                is_answered = await self._serve(scope, receive, reply, admitted)
        except Exception as error:  # noqa: BLE001  (every request has an answer)
            await reply.refuse(told(error))
        if not is_answered:
            self._keys().note(owner, answered=False)

    def _admitted(self, headers: Headers) -> str:
        """The session in whose name this request asks.

        Raises:
            Refused: It brings no key, comes from a foreign page, or the endpoint is off.
        """
        scheme, _space, key = headers.get("authorization", "").partition(" ")
        owner = self._keys().owner_of(key.strip()) if scheme.lower() == "bearer" else None
        if owner is None:
            raise no_key()
        if headers.get("sec-fetch-site", "") in FOREIGN_SITES:
            raise Refused(
                403, "A page of another site may not ask here: use a program.", code="foreign_origin"
            )
        if not self._is_on():
            raise switched_off()
        return owner

    async def _serve(
        self, scope: Scope, receive: Receive, reply: _Reply, admitted: Callable[[], str]
    ) -> bool:
        """Answer, unless the client leaves first; True if it had an answer."""
        method, path, body = scope["method"], self._path(scope), await self._body(receive)
        if len(body) <= SMALL:
            work = self._work(method, path, body)
        else:
            loop = asyncio.get_running_loop()
            work = await loop.run_in_executor(self._reader, self._work, method, path, body)
        try:
            engine = self._engine()
        except TimeoutError:
            raise Refused(
                503, "The engine is being started: ask again in a few seconds.", code="starting",
                retry_s=RETRY_S,
            ) from None  # fmt: skip
        asking = Asking(engine, admitted(), self._settings, self._spellings)
        answering = asyncio.ensure_future(self._answer(work, asking, reply, admitted))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
            return answering.done()
        finally:
            leaving.cancel()
            if not answering.done():
                answering.cancel()
                with suppress(asyncio.CancelledError):
                    await answering

    async def _body(self, receive: Receive) -> bytes:
        limit, body = self._settings.max_endpoint_bytes, bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(400, "The request is not whole: send all of it.", code="invalid_json")
            body += message.get("body", b"")
            if len(body) > limit:
                raise Refused(
                    413, f"The body has more than {limit:,} bytes, which is the limit: send less at once.",
                    code="too_large",
                )  # fmt: skip
            if not message.get("more_body"):
                return bytes(body)

    def _path(self, scope: Scope) -> str:
        path: str = scope["path"]
        return path.removeprefix(self._settings.base_path).removeprefix("/v1").rstrip("/")

    def _work(self, method: str, path: str, body: bytes) -> Work:
        """Read a request; what cannot be is refused before it takes a place."""
        if path == "/models" or path.startswith("/models/"):
            _expect("GET", method)
            model_id = path.removeprefix("/models").removeprefix("/")
            return Work(lambda asking: models.answer(model_id, asking))
        if path not in ("/completions", "/chat/completions", "/embeddings"):
            raise Refused(
                404, "There is nothing here: ask /v1/models, /v1/completions, /v1/chat/completions or "
                "/v1/embeddings.", code="unknown_url",
            )  # fmt: skip
        _expect("POST", method)
        return _read(path, body_of(body), self._settings)

    async def _answer(self, work: Work, asking: Asking, reply: _Reply, admitted: Callable[[], str]) -> None:
        """Wait for a turn; then send what a thread brings from the engine, while the key is good."""
        owner = asking.owner
        await self._places.turn(owner)
        loop = asyncio.get_running_loop()
        parts: asyncio.Queue[object] = asyncio.Queue()  # as many as the answer has tokens, at most

        def tell(part: object) -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(parts.put_nowait, part)

        thread = self._threads.submit(_bring, work.answer, asking, tell, admitted)
        thread.add_done_callback(lambda _thread: _at(loop, self._places.free, owner))
        try:
            await reply.answer(_until_over(parts, admitted), is_streamed=work.is_streamed)
            self._keys().note(owner, answered=True, n_tokens=asking.n_tokens)
        finally:
            asking.stop()


def _at(loop: asyncio.AbstractEventLoop, act: Callable[[str], None], owner: str) -> None:
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(act, owner)


def _read(path: str, body: Json, settings: Settings) -> Work:
    if path == "/embeddings":
        embed = vectors.read(body, settings)
        return Work(lambda asking: vectors.answer(embed, asking))
    if path == "/completions":
        text = completions.read(body, settings)
        return Work(lambda asking: completions.answer(text, asking), text.writing.is_streamed)
    talk = chat.read(body, settings)
    return Work(lambda asking: chat.answer(talk, asking), talk.writing.is_streamed)


def _expect(method: str, got: str) -> None:
    if got != method:
        raise Refused(405, f"This address answers to {method} only: send that.", code="method_not_allowed")


def _bring(
    answer: Answer, asking: Asking, tell: Callable[[object], None], admitted: Callable[[], str]
) -> None:
    """Ask the engine, in a thread; every part, or the error, goes to the event loop."""
    try:
        asking.check()
        admitted()
        for part in answer(asking):
            tell(json.dumps(part, allow_nan=False))
            asking.check()
        tell(_OVER)
    except BaseException as error:  # noqa: BLE001  (nobody else hears of it)
        tell(error)


async def _until_over(parts: asyncio.Queue[object], admitted: Callable[[], str]) -> AsyncIterator[str]:
    while (part := await parts.get()) is not _OVER:
        admitted()  # a key that has ended meanwhile, or a teacher's switch, ends it here
        if isinstance(part, BaseException):
            raise part if isinstance(part, PlaygroundError | Refused) else told(part)
        yield str(part)


async def _gone(receive: Receive) -> None:
    """Return once the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


class _Reply:
    """The answer to one request, whole or as a stream of events."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._is_begun = False

    async def answer(self, parts: AsyncIterator[str], *, is_streamed: bool) -> None:
        """Send the parts as events, or the one part as it is; what fails before the first has its status."""
        async for part in parts:
            if not is_streamed:
                await self._whole(200, part.encode(), {})
                return
            if not self._is_begun:
                await self._begin(200, {"content-type": "text/event-stream"})
            await self._more(f"data: {part}\n\n")
        if is_streamed:
            if not self._is_begun:
                await self._begin(200, {"content-type": "text/event-stream"})
            await self._more("data: [DONE]\n\n", is_last=True)

    async def refuse(self, refused: Refused) -> None:
        """Send an error; one that comes in the middle of a stream is its last event."""
        body = json.dumps(refused.body)
        if self._is_begun:
            await self._more(f"data: {body}\n\n", is_last=True)
        else:
            await self._whole(refused.status, body.encode(), refused.headers)

    async def _whole(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        length = {"content-type": "application/json", "content-length": str(len(body))}
        await self._begin(status, {**length, **headers})
        await self._send({"type": "http.response.body", "body": body})

    async def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        self._is_begun = True
        named = {**headers, "cache-control": "no-store"}
        raw = [(name.lower().encode(), value.encode()) for name, value in named.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def _more(self, text: str, *, is_last: bool = False) -> None:
        await self._send({"type": "http.response.body", "body": text.encode(), "more_body": not is_last})

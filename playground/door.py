"""Admission before the password and before Streamlit: host, origin, free place.

Streamlit checks origins too, but asks an address on the internet for this machine's own while it does.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse
from streamlit import runtime

from playground.errors import N_
from playground.notice import notice, wants_page
from playground.sessions import repaired
from playground.settings import is_loopback
from playground.v1.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from playground.sessions import Sessions
    from playground.settings import Settings

STREAM: Final = "/_stcore/stream"
HIDDEN_PATHS: Final = frozenset({"/_stcore/metrics", "/st-metrics"})
# Not a page, though a browser may ask for it as one: it must never be answered with "full".
KEYED: Final = "/v1/"  # below it programs ask, with a key
NO_PAGES: Final = ("/assets/", "/static/", "/_stcore/", "/api/", KEYED, "/media/", "/component", "/login")
# RFC 3986 allows more (names before an @, escapes, any letter), but no browser sends it here.
_HOST: Final = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[\w.-]+)(:(?P<port>\d{1,5}))?", re.ASCII | re.IGNORECASE)
BROWSER_COOKIE: Final = "_streamlit_xsrf"
RETRY_S: Final = 10

FULL: Final = N_("All {places} places are taken. This page tries again by itself until one is free.")
FOREIGN_HOST: Final = N_(
    "The playground does not answer to the name {host}. On its own machine use 127.0.0.1; for another name "
    "set PLAYGROUND_ALLOWED_HOSTS or a class password."
)
FOREIGN_ORIGIN: Final = N_("This request comes from {origin}, and only pages of {host} may ask.")


class Door:
    """ASGI middleware in front of everything but the security headers.

    Args:
        app: The app behind it.
        settings: `base_path`, `allowed_hosts`, `class_password`.
        sessions: The places for readers.
    """

    def __init__(self, app: ASGIApp, settings: Settings, sessions: Sessions) -> None:
        self._app, self._sessions, self._base = app, sessions, settings.base_path
        self._hosts = frozenset(host.lower() for host in settings.allowed_hosts)
        self._any_host = settings.class_password is not None and not self._hosts
        self._browsers: Counter[object] = Counter()  # who has a websocket open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject requests that may not come in; count the browsers of the others."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope, headers = self._below_base(scope), Headers(scope=scope)
        path = scope["path"].removeprefix(self._base)
        if (rejection := self._rejection(scope["type"], path, headers)) is not None:
            await rejection(scope, receive, send)
        elif scope["type"] == "websocket" and path == STREAM:
            await self._seat(scope, receive, send, headers)
        else:
            await self._app(scope, receive, send)

    def _below_base(self, scope: Scope) -> Scope:
        """The request with the base path before its own, whether a proxy passed it on or cut it off."""
        path = scope["path"]
        if path == self._base or path.startswith(f"{self._base}/"):
            return scope
        raw = scope.get("raw_path") or path.encode()
        return {**scope, "path": self._base + path, "raw_path": self._base.encode() + raw}

    def _rejection(self, kind: str, path: str, headers: Headers) -> Response | None:
        host, origins = headers.get("host", ""), headers.getlist("origin")
        if path.rstrip("/") in HIDDEN_PATHS:
            return PlainTextResponse("Not found", 404)
        if not self._answers_to(host):
            return _rejected(FOREIGN_HOST, path, headers, host=host)
        for origin in origins:
            if not same_origin(origin, host):
                return _rejected(FOREIGN_ORIGIN, path, headers, origin=origin, host=host)
        is_page = kind == "http" and wants_page(headers) and not path.startswith(NO_PAGES)
        is_in = _browser(headers) in self._browsers
        if is_page and self._sessions.full and not is_in:
            return notice(FULL, 503, headers, retry_s=RETRY_S, places=self._sessions.places)
        return None

    def _answers_to(self, host: str) -> bool:
        name = _name_and_port(host)[0]
        return self._any_host or is_loopback(name) or name in self._hosts

    async def _seat(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        with self._place(headers) as place:
            if place is None:
                rejection = notice(FULL, 503, headers, places=self._sessions.places)
                await rejection(scope, receive, send)
            else:
                await self._app(scope, _repairing(receive), send)

    @contextmanager
    def _place(self, headers: Headers) -> Iterator[object | None]:
        # Streamlit's browser side sends: protocol, token against forged requests, the session it had
        protocols = [name.strip() for name in headers.get("sec-websocket-protocol", "").split(",")]
        place = self._sessions.enter(protocols[2] if len(protocols) > 2 else None, runtime.get_instance())
        if place is None:
            yield None
            return
        browser = _browser(headers)
        self._browsers[browser] += 1
        try:
            yield place
        finally:
            self._sessions.leave(place)
            self._browsers[browser] -= 1
            if not self._browsers[browser]:
                del self._browsers[browser]


def _rejected(msgid: str, path: str, headers: Headers, **params: Any) -> Response:  # noqa: ANN401
    """The sentence as the reader's page, or below `/v1` in the shape that programs read."""
    if not path.startswith(KEYED):
        return notice(msgid, 403, headers, **params)
    refused = Refused(403, msgid.format(**params), code="foreign_origin")
    return JSONResponse(refused.body, 403, {"Cache-Control": "no-store"})


def _repairing(receive: Receive) -> Receive:
    """Messages of a browser, without characters that would end its connection."""

    async def received() -> Message:
        message = await receive()
        if data := message.get("bytes"):
            message["bytes"] = repaired(data)
        return message

    return received


def same_origin(origin: str, host: str) -> bool:
    """True if a page of `origin` asks the server it came from.

    Example:
        >>> same_origin("https://a", "a:443"), same_origin("http://a:1", "a:2")
        (True, False)
    """
    scheme, _, page = origin.partition("://")
    default = {"http": 80, "https": 443}.get(scheme.lower())
    name, port = _name_and_port(page)
    asked, asked_port = _name_and_port(host)
    return default is not None and bool(name) and (name, port or default) == (asked, asked_port or default)


def _name_and_port(host: str) -> tuple[str, int | None]:
    """Name and port of an address line, the name in lower case; ("", None) for anything else."""
    match = _HOST.fullmatch(host)
    if match is None:
        return "", None
    return match["name"].lower().strip("[]"), int(match["port"]) if match["port"] else None


def _browser(headers: Headers) -> object:
    """Streamlit's name for this browser, which a reload keeps; without one it is like no other."""
    values = cookie_values(headers, BROWSER_COOKIE)
    return values[0][:200] if values else object()


def cookie_values(headers: Headers, name: str) -> list[str]:
    """Every value a browser sent under this name, whatever odd cookies stand around it (RFC 6265, 4.2.2).

    Example:
        >>> cookie_values(Headers({"cookie": 'a[0]={"x": 1}; é; us=1; us=2'}), "us")
        ['1', '2']
    """
    pairs = [pair.partition("=") for line in headers.getlist("cookie") for pair in line.split(";")]
    return [value.strip() for key, _equals, value in pairs if key.strip() == name]

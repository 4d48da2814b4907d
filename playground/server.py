"""The web server: Streamlit as an ASGI app, with the engine's life in its lifespan.

Three things differ from `streamlit run` (measured in benchmarks/): the listener is made with IPPROTO_TCP, so
asyncio sets TCP_NODELAY (40 ms per rerun); the garbage collector is frozen after the warm-up and never run
after a rerun (250 ms per rerun, 7 s with 30 sessions); every answer carries security headers.
"""

from __future__ import annotations

import errno
import importlib
import os
import pkgutil
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import streamlit as st
import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from streamlit import config
from streamlit.runtime import get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from playground import navigation, ui
from playground.connections import Connections
from playground.door import Door
from playground.engine import memory, process
from playground.errors import SetUpError
from playground.gate import ClassGate
from playground.logs import limit_log_rate
from playground.paths import PACKAGE, site_root
from playground.sessions import (
    Capacity,
    Sessions,
    carry_over,
    drop_foreign_messages,
    raise_file_limit,
)
from playground.settings import Settings
from playground.shell import PackedFiles, PagesOnly, page_routes, script_route
from playground.ui import api_keys, components, in_class, room, upload_store
from playground.v1.endpoint import Endpoint
from playground.waking import wake_once

if TYPE_CHECKING:
    from types import FrameType

    from starlette.staticfiles import PathLike
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from streamlit.runtime import Runtime

ASSET_MAX_AGE_S: Final = 86_400
CLASS_NEWS: Final = "/api/class"

# No 'unsafe-eval': Vega runs in its interpreter. blob: carries components v2, 'unsafe-inline' Streamlit's own
# index.html. Nothing outside this server may be loaded: a CDN in any page is a violation and a failed test.
CONTENT_SECURITY_POLICY: Final = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "frame-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ]
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class SecurityHeaders:
    """ASGI middleware: adds the headers to every answer; behind TLS no cookie travels without it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, add headers on the way back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                if scope["scheme"] == "https":
                    message["headers"] = [_secure(*header) for header in message["headers"]]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _secure(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    is_open = name.lower() == b"set-cookie" and b"; secure" not in value.lower()
    return name, value + b"; Secure" if is_open else value


class Assets(StaticFiles):
    """Files of `assets/` that a browser may keep for a day."""

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, with its time to live."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = f"max-age={ASSET_MAX_AGE_S}"
        return response


async def class_news(request: Request) -> JSONResponse:
    """News of the class for a student's page that asks: no run of a script, no thread."""
    knows = request.headers.get("x-class-knows", "")
    told = in_class.news(
        request.headers.get("x-class-member", ""), int(knows) if re.fullmatch("[0-9]{1,9}", knows) else 0
    )
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


async def ready(_request: Request) -> JSONResponse:
    """200 once the default model has answered, 503 before, with the state of the start.

    `restarts` says how often the thread that computes has begun anew, each time with its error in the log.
    """
    startup = process.startup()
    body = {
        "state": startup.state,
        "message": str(startup.message or ""),
        "elapsed_s": round(startup.elapsed_s, 1),
        "restarts": process.shared_engine().stats().n_restarts if startup.state == "ready" else 0,
    }
    return JSONResponse(body, 200 if startup.state == "ready" else 503, {"Cache-Control": "no-store"})


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Start the engine in the background, so that the page can say how far it is; stop it at the end.

    The modules of the pages are imported first: a session that came meanwhile would import them while the
    engine's thread imports torch, and see its first words seconds later. Streamlit's runtime must be there
    already, otherwise the components would register with nobody.
    """
    with memory.collector_paused():
        for module in pkgutil.walk_packages(ui.__path__, f"{ui.__name__}."):
            importlib.import_module(module.name)
    limit_log_rate()
    store = get_instance().uploaded_file_mgr
    if isinstance(store, MemoryUploadedFileManager):
        limits = Settings()
        upload_store.bound(
            store, session_bytes=limits.max_session_upload_bytes, all_bytes=limits.max_all_upload_bytes
        )
    process.start_shared_engine()
    try:
        yield {}
    finally:
        process.close_shared_engine()


class App(st.App):
    """Streamlit's app whose sessions leave each other alone and have a bounded number of places."""

    def __init__(self, script: Path, sessions: Sessions, **arguments: Any) -> None:  # noqa: ANN401
        super().__init__(script, lifespan=lifespan, **arguments)
        self._sessions = sessions

    def _create_runtime(self) -> Runtime:
        runtime = super()._create_runtime()
        runtime._session_mgr._session_storage = self._sessions  # type: ignore[attr-defined]
        drop_foreign_messages()
        carry_over(runtime, self._sessions)
        wake_once(runtime)
        return runtime


def create_app(settings: Settings, capacity: Capacity, script: Path = PACKAGE / "app.py") -> st.App:
    """The playground as an ASGI app.

    Args:
        settings: `class_password` puts the gate in front of everything.
        capacity: Number of readers and connections there is room for.
        script: The Streamlit entry script.
    """
    configure(settings)
    secret = settings.teacher_password
    room.set_teacher_password(secret.get_secret_value() if secret else "")
    in_class.serve_at(f"{settings.base_path}{CLASS_NEWS}")
    sessions = Sessions(capacity.sessions, settings.session_grace_s)
    middleware = [Middleware(SecurityHeaders), Middleware(Door, settings=settings, sessions=sessions)]
    if settings.class_password is not None:
        password = settings.class_password.get_secret_value()
        middleware.append(Middleware(ClassGate, password=password, base_path=settings.base_path))
    base = settings.base_path
    pages = set(navigation.BY_NAME) - {navigation.FIRST}
    middleware.append(Middleware(PackedFiles, base_path=base))
    middleware.append(Middleware(PagesOnly, base_path=base, pages=pages, first=navigation.FIRST))
    routes = [
        *page_routes(base, ["", *pages]),
        Route(f"{base}/api/ready", ready),
        Route(f"{base}{CLASS_NEWS}", class_news),
        *_endpoint(settings),
        script_route(f"{base}/components", components.serve_below(f"{base}/components")),
        Mount(f"{base}/assets", Assets(directory=site_root() / "assets")),
    ]
    return App(script, sessions, routes=routes, middleware=middleware)


def _endpoint(settings: Settings) -> list[Route | Mount]:
    """Everything below `/v1`: it asks the same engine as the pages, in the name of a session."""
    address = f"{settings.base_path}/v1"
    app = Endpoint(settings, api_keys.keys, api_keys.is_on, lambda: process.shared_engine(timeout_s=0))
    return [Route(address, app), Mount(address, app)]  # the former, because a mount sends "" to "/"


def configure(settings: Settings) -> None:
    """Make Streamlit read the packaged `.streamlit/config.toml`, whatever the working folder is."""
    config._main_script_path = str(site_root() / "app.py")  # only its folder counts: config.toml beside it
    base = settings.base_path
    largest = max(settings.max_upload_bytes, settings.max_adapter_file_bytes)
    overrides: dict[str, Any] = {
        "server.address": settings.host,
        "server.port": settings.port,
        "server.baseUrlPath": base,
        "server.maxUploadSize": -(-largest // 2**20),
    }
    config.get_config_options(force_reparse=True, options_from_flags=overrides)
    if base:
        faces = config.get_option("theme.fontFaces")
        config.set_option("theme.fontFaces", [{**face, "url": base + face["url"]} for face in faces])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket whose connections get TCP_NODELAY.

    asyncio sets TCP_NODELAY only where the socket's protocol says TCP, which Streamlit's own does not.

    Args:
        host: Address to bind.
        port: 0 takes a free one.

    Raises:
        SetUpError: The address cannot be bound; the message names the cure.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # on Windows it would let two servers share one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    listener.setblocking(False)
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> SetUpError:
    if error.errno in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)):
        reason = f"Port {port} is already in use, perhaps by another playground."
        return SetUpError(reason=reason, cure=f"Stop that one or choose another port: --port {port + 1}")
    if error.errno == errno.EACCES:
        return SetUpError(
            reason=f"Port {port} is reserved by the system.", cure="Choose another: --port 8501"
        )
    reason = f"This machine cannot listen on {host}: {error.strerror or error}."
    return SetUpError(reason=reason, cure="Leave --host away to use 127.0.0.1")


def capacity_of_this_process(settings: Settings) -> Capacity:
    """The capacity of this process, after asking the system for as many open files as it gives.

    Raises:
        SetUpError: There are too few open files.
    """
    return Capacity.of(settings, raise_file_limit())


def serve(settings: Settings, listener: socket.socket, capacity: Capacity) -> None:
    """Answer on `listener` until SIGTERM or Ctrl+C, then leave with exit code 0."""
    for name in (signal.SIGTERM, signal.SIGINT):  # uvicorn re-raises the signal once it has closed everything
        signal.signal(name, _leave)
    with listener:
        uvicorn.Server(_uvicorn_config(create_app(settings, capacity), settings, capacity)).run(
            sockets=[listener]
        )


def _uvicorn_config(app: st.App, settings: Settings, capacity: Capacity) -> uvicorn.Config:
    """Options as Streamlit 1.67 gives its own uvicorn, with bounds on shutdown, connections and trust."""
    return uvicorn.Config(
        app,
        loop="asyncio",  # also where Ray Serve has brought another
        http=Connections(capacity.connections, settings).protocol,  # type: ignore[arg-type]  # makes one
        ws="websockets-sansio",
        ws_ping_interval=30,
        ws_ping_timeout=30,
        ws_max_size=config.get_option("server.maxWidgetStateSize") * 1_000_000,  # what a browser sends
        ws_per_message_deflate=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        log_level="warning",
        access_log=False,
        use_colors=False,
        timeout_graceful_shutdown=3,
    )


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)

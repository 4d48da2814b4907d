"""A small server on this machine that speaks the hub's two routes."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any

from playground.engine.contract.models import CatalogueEntry
from playground.engine.models.catalogue import catalogue
from playground.errors import (
    Message,
)
from playground.settings import Settings

MODEL_ID = "teacher/model"
OLD_ID = "pupil/model"  # before the repository was renamed

NOTHING: Mapping[str, str] = MappingProxyType({})
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What the server holds and what it was asked."""

    files: dict[str, bytes]
    commit: str = COMMIT
    endpoint: str = ""
    cut_after: int | None = None  # bytes of one body, then the line goes dead
    drips_at: str = ""  # end of the path whose body comes a byte at a time
    held: threading.Event | None = None  # the second half of weights waits for it
    spoil: str = ""  # file that is sent with other bytes than announced
    status: int = 200
    page: bytes | None = None  # a log-in page instead of every answer
    token: str = ""  # files are given to whoever brings it
    error_code: str = "GatedRepo"  # as the hub names the reason, in a header
    store: str = ""  # another server, to which weights are redirected
    asked: list[tuple[str, str]] = field(default_factory=list)  # (file or "api", Range header)
    tokens: list[tuple[str, str]] = field(default_factory=list)  # (file or "api", Authorization header)

    def listing(self) -> dict[str, Any]:
        siblings = []
        for name, content in self.files.items():
            sibling: dict[str, Any] = {"rfilename": name, "size": len(content)}
            if name.endswith(".safetensors"):
                sibling["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            siblings.append(sibling)
        return {"id": MODEL_ID, "sha": self.commit, "siblings": siblings}


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        authorization = self.headers.get("Authorization", "")
        self.hub.tokens.append((path.rpartition("/")[2], authorization))
        if self.hub.page is not None:
            self._send(200, self.hub.page)
        elif path.removeprefix("/api/models").startswith(f"/{OLD_ID}/"):
            self._send(307, b"", {"Location": self.path.replace(OLD_ID, MODEL_ID)})
        elif self.hub.status != 200:
            self._send(self.hub.status, b"{}")
        elif path == f"/api/models/{MODEL_ID}/revision/main" and query == "blobs=true":
            self.hub.asked.append(("api", ""))
            self._send(200, json.dumps(self.hub.listing()).encode())
        elif self.hub.token and authorization != f"Bearer {self.hub.token}":
            self._send(403 if authorization else 401, b"{}", {"X-Error-Code": self.hub.error_code})
        elif self.hub.store and path.endswith(".safetensors"):
            self._send(302, b"", {"Location": self.hub.store + path})
        elif (match := re.fullmatch(rf"/{MODEL_ID}/resolve/{self.hub.commit}/(.+)", path)) and (
            match[1] in self.hub.files
        ):
            self._send_file(match[1])
        else:
            self._send(404, b"{}")

    def _send_file(self, name: str) -> None:
        content, wanted = self.hub.files[name], self.headers.get("Range", "")
        self.hub.asked.append((name, wanted))
        if self.hub.spoil == name:
            content = bytes(len(content))
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self._send(206 if wanted else 200, content[start:])

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] = NOTHING) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.hub.drips_at and self.path.partition("?")[0].endswith(self.hub.drips_at):
            self._drip(body)
            return
        body = body[: self.hub.cut_after]
        half = len(body) // 2 if self.hub.held is not None and len(body) > 50_000 else len(body)
        with suppress(ConnectionError):  # whoever asked has gone
            self.wfile.write(body[:half])
            self.wfile.flush()
            if half < len(body) and self.hub.held is not None:
                self.hub.held.wait(30)
            self.wfile.write(body[half:])
        self.close_connection = True

    def _drip(self, body: bytes) -> None:
        with suppress(OSError):  # whoever asked has gone
            for place in range(len(body)):
                self.wfile.write(body[place : place + 1])
                self.wfile.flush()
                time.sleep(0.02)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def serving(hub: Hub) -> Iterator[None]:
    """Serve what a hub holds, at an address of its own."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), type("HandlerOfThisHub", (Handler,), {"hub": hub}))
    hub.endpoint = f"http://127.0.0.1:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def make_settings(tmp_path: Path, endpoint: str, **changes: Any) -> Settings:
    return Settings(
        cache_dir=tmp_path, extra_models=(MODEL_ID,), device="cpu", HF_ENDPOINT=endpoint, **changes
    )


def entry(settings: Settings) -> CatalogueEntry:
    return catalogue(settings)[MODEL_ID]


def silent(message: Message, fraction: float) -> None: ...


def leftovers(settings: Settings) -> list[str]:
    """Names below the models folder."""
    models = settings.cache_dir / "models"
    return sorted(path.name for path in models.iterdir()) if models.is_dir() else []

"""Streamlit's own files for a classroom: packed for a slow network, words where JavaScript is off."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from streamlit import file_util

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

KINDS: Final = {".js": "text/javascript", ".css": "text/css"}
NO_SCRIPT: Final = (
    "<noscript><p>The playground needs JavaScript: allow it for this page in the browser's settings.</p>"
    '<p lang="ko">플레이그라운드에는 자바스크립트가 필요합니다. 브라우저 설정에서 이 페이지의 자바스크립트를 '
    "허용하세요.</p></noscript>"
)


class Packed:
    """ASGI middleware: scripts and styles of Streamlit as gzip, each packed once.

    Streamlit sends them as they are: a first page takes 143 s at 400 kbit/s, and 89 s packed.

    Args:
        app: What lies behind.
        base_path: Below which path the playground is shown.
    """

    def __init__(self, app: ASGIApp, base_path: str) -> None:
        self._app = app
        folder = Path(file_util.get_static_dir())
        files = [path for path in (folder / "static").rglob("*") if path.suffix in KINDS]
        self._files = {f"{base_path}/{path.relative_to(folder).as_posix()}": path for path in files}
        self._packed: dict[str, bytes] = {}  # no more than there are files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for the files, pass all else on."""
        path = scope.get("path", "")
        is_ours = scope["type"] == "http" and scope["method"] == "GET" and path in self._files
        if not is_ours or "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            await self._app(scope, receive, send)
            return
        if path not in self._packed:
            self._packed[path] = await anyio.to_thread.run_sync(self._pack, path)
        headers = {
            "Content-Encoding": "gzip",
            "Vary": "Accept-Encoding",
            "Cache-Control": "public, immutable, max-age=31536000",  # their names carry a hash
        }
        await Response(self._packed[path], 200, headers, KINDS[self._files[path].suffix])(
            scope, receive, send
        )

    def _pack(self, path: str) -> bytes:
        return gzip.compress(self._files[path].read_bytes(), 6, mtime=0)


def page_routes(base_path: str, pages: list[str]) -> list[Route]:
    """The addresses of the pages: Streamlit's index with our title, `tab.js`, and words without JavaScript.

    Args:
        base_path: Below which path they lie.
        pages: Their names; the home page is "".
    """
    index = (Path(file_util.get_static_dir()) / "index.html").read_text("utf-8")
    index = re.sub(r"<noscript>.*?</noscript>", NO_SCRIPT, index, count=1, flags=re.DOTALL)
    script = Path(__file__).with_name("tab.js").read_text("utf-8")
    head = f"<title>LLM Playground</title><script>{script}</script>"
    index = index.replace("<title>Streamlit</title>", head)

    async def shell(_request: Request) -> HTMLResponse:
        return HTMLResponse(index, headers={"Cache-Control": "no-cache"})

    return [Route(f"{base_path}/{page}", shell) for page in pages]

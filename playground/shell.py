"""Streamlit's own files for a classroom: packed for a slow network, with a message where something lacks."""

from __future__ import annotations

import gzip
import html
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

import anyio
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from streamlit import file_util

from playground.door import NO_PAGES
from playground.errors import N_
from playground.notice import in_every_language, page, reader_language, wants_page
from playground.ui.text import in_language
from playground.ui.translations import languages

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

NO_PAGE: Final = N_("There is no page {name} here.")
TO_FIRST_PAGE: Final = N_("To the first page")
KINDS: Final = {".js": "text/javascript", ".css": "text/css"}
NO_SCRIPT: Final = N_("The playground needs JavaScript: allow it for this page in the browser's settings.")


class PackedFiles:
    """ASGI middleware: scripts and styles of Streamlit as gzip, each packed once.

    Streamlit sends them as they are: a first page takes 143 s at 400 kbit/s, and 89 s packed.

    Args:
        app: The app behind it.
        base_path: Path below which the playground is shown.
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


class PagesOnly:
    """ASGI middleware: answers an address that is not a page in the reader's language, with a link to one.

    Streamlit would show its first page there under an English dialog, also for that page's own name.

    Args:
        app: The app behind it.
        base_path: Path below which the playground is shown.
        pages: Names of all pages but the first.
        first: Name of the first page; its address is the base path.
    """

    def __init__(self, app: ASGIApp, base_path: str, pages: Collection[str], first: str) -> None:
        self._app, self._base, self._first = app, base_path, first
        self._known = frozenset({"", *pages})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an address that is not a page, pass all else on."""
        name = self._unknown(scope)
        if name is None:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        query = scope.get("query_string", b"").decode("latin-1")
        home = f"{self._base}/" + (f"?{query}" if query else "")
        if name == self._first:
            answer: Response = RedirectResponse(home, 307)
        else:
            answer = self._missing(name, home, query, headers)
        await answer(scope, receive, send)

    def _unknown(self, scope: Scope) -> str | None:
        """The page that a person asks for and that does not exist; None for everything else."""
        if scope["type"] != "http" or scope["method"] != "GET" or not wants_page(Headers(scope=scope)):
            return None
        path = scope["path"].removeprefix(self._base)
        name: str = path.strip("/")
        return None if name in self._known or path.startswith(NO_PAGES) or "." in name else name

    def _missing(self, name: str, home: str, query: str, headers: Headers) -> Response:
        asked = parse_qs(query).get("lang", [""])[0]
        language = asked if asked in languages() else reader_language(headers)
        sentence = in_language(language, NO_PAGE).format(name=name[:80])
        link = f'<a href="{html.escape(home)}">{html.escape(in_language(language, TO_FIRST_PAGE))}</a>'
        return page(f'<p role="alert">{html.escape(sentence)}</p><p>{link}</p>', 404, language)


def script_route(address: str, modules: Mapping[str, str]) -> Route:
    """The scripts of our components below an address: a browser may keep them, their names carry a hash."""

    async def module(request: Request) -> Response:
        source = modules.get(request.scope["path"])
        if source is None:
            return Response(status_code=404)
        headers = {"Cache-Control": "public, immutable, max-age=31536000"}
        return Response(source, 200, headers, KINDS[".js"])

    return Route(f"{address}/{{name}}", module)


def page_routes(base_path: str, pages: list[str]) -> list[Route]:
    """Routes of the pages: Streamlit's index with our title, script, style, and a message without JavaScript.

    Args:
        base_path: Path below which they lie.
        pages: Names of the pages; the home page is "".
    """
    index = (Path(file_util.get_static_dir()) / "index.html").read_text("utf-8")
    words = in_every_language(NO_SCRIPT, '</p><p lang="{language}">{words}')
    message = f"<noscript><p>{words}</p></noscript>"
    index = re.sub(r"<noscript>.*?</noscript>", lambda _own: message, index, count=1, flags=re.DOTALL)
    script = Path(__file__).with_name("tab.js").read_text("utf-8")
    head = f"<title>LLM Playground</title><script>{script}</script>"
    index = index.replace("<title>Streamlit</title>", head)
    style = Path(__file__).with_name("frame.css").read_text("utf-8")
    index = index.replace("</body>", f"<style>{style}</style></body>")  # after Streamlit's own styles

    async def shell(_request: Request) -> HTMLResponse:
        return HTMLResponse(index, headers={"Cache-Control": "no-cache"})

    return [Route(f"{base_path}/{page}", shell) for page in pages]

"""The class password: one shared secret in front of every page, file and websocket."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
import unicodedata
from collections import deque
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE: Final = "llm_playground_class"
COOKIE_DAYS: Final = 1
OPEN_PATHS: Final = frozenset({"/login", "/api/ready"})
MAX_FORM_BYTES: Final = 4096

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>LLM Playground</title><style>
body {{ font: 18px/1.6 system-ui, sans-serif; color: #1a1c20; background: #fff; margin: 12vh auto; max-width: 24rem; padding: 0 1rem }}
h1 {{ font-size: 1.6rem }} label {{ display: block }}
input, button {{ font: inherit; padding: .5rem .8rem; box-sizing: border-box; width: 100%; margin-top: .4rem }}
button {{ background: #0072b2; color: #fff; border: 0; border-radius: .4rem }}
p[role=alert] {{ border-left: 4px solid #d55e00; padding-left: .8rem }}
</style></head><body><main><h1>LLM Playground</h1>{alert}
<form method="post" action="/login?next={next}">
<label>Class password <span lang="ko">(수업 비밀번호)</span>
<input type="password" name="password" autocomplete="current-password" maxlength="200" required autofocus></label>
<button>Enter <span lang="ko">(들어가기)</span></button></form></main></body></html>
"""  # noqa: E501
_WRONG: Final = (
    '<p role="alert">That is not the class password. Ask your teacher.<br>'
    '<span lang="ko">비밀번호가 맞지 않습니다. 선생님께 여쭤보세요.</span></p>'
)
_LATER: Final = (
    '<p role="alert">Too many wrong passwords. Try again in a minute.<br>'
    '<span lang="ko">비밀번호를 여러 번 틀렸습니다. 1분 뒤에 다시 시도하세요.</span></p>'
)


class Attempts:
    """Counts wrong passwords of the last minute, of each client and of all together.

    Args:
        per_client: Wrong passwords a minute one address may send (a class often shares one address).
        overall: Wrong passwords a minute all addresses together may send.
    """

    window_s: Final = 60.0

    def __init__(self, per_client: int = 20, overall: int = 100) -> None:
        self._per_client = per_client
        self._overall = overall
        self._wrong: deque[tuple[float, str]] = deque()

    def allowed(self, client: str, now: float) -> bool:
        """Whether `client` may try now (seconds of a monotonic clock)."""
        while self._wrong and self._wrong[0][0] <= now - self.window_s:
            self._wrong.popleft()
        mine = sum(address == client for _, address in self._wrong)
        return mine < self._per_client and len(self._wrong) < self._overall

    def note_wrong(self, client: str, now: float) -> None:
        """Remember a wrong password."""
        self._wrong.append((now, client))


class ClassGate:
    """ASGI middleware: without the cookie of `/login` there is no page, no file and no websocket.

    The key that signs cookies is made at start: a restart asks everybody again. The cookie holds only the
    time it ends and a signature, so it says nothing of the password.
    """

    def __init__(self, app: ASGIApp, password: str, attempts: Attempts | None = None) -> None:
        self._app = app
        self._password = _canonical(password)
        self._key = secrets.token_bytes(32)
        self._attempts = attempts or Attempts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer /login, let known readers pass, turn all others away."""
        if scope["type"] not in ("http", "websocket") or self._passes(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "class password"})
        else:
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)

    def _passes(self, scope: Scope) -> bool:
        if scope["type"] == "http" and scope["path"] in OPEN_PATHS - {"/login"}:
            return True
        return scope["path"] != "/login" and self._is_signed(_cookie(Headers(scope=scope)))

    async def _answer(self, request: Request) -> Response:
        if request.url.path != "/login":
            if "text/html" in request.headers.get("accept", ""):
                return RedirectResponse(f"/login?next={quote(_path_of(request), safe='')}", 303)
            return PlainTextResponse("The class password is needed: open /login", 401)
        target = _safe_target(request.query_params.get("next", "/"))
        if request.method == "POST":
            return await self._check(request, target)
        return _login_page("", target, 200)

    async def _check(self, request: Request, target: str) -> Response:
        client, now = request.client.host if request.client else "", time.monotonic()
        given = await _password_field(request)
        if not self._attempts.allowed(client, now):
            return _login_page(_LATER, target, 429)
        if not hmac.compare_digest(_canonical(given), self._password):
            self._attempts.note_wrong(client, now)
            return _login_page(_WRONG, target, 403)
        response = RedirectResponse(target, 303)
        ends_at = str(int(time.time()) + COOKIE_DAYS * 86_400)
        response.set_cookie(COOKIE, f"{ends_at}.{self._sign(ends_at)}", httponly=True, samesite="lax")
        return response

    def _sign(self, ends_at: str) -> str:
        return hmac.new(self._key, ends_at.encode(), hashlib.sha256).hexdigest()

    def _is_signed(self, cookie: str) -> bool:
        ends_at, _, signature = cookie.partition(".")
        right = hmac.compare_digest(signature.encode(), self._sign(ends_at).encode())
        return right and int(ends_at) > time.time()


def _canonical(password: str) -> bytes:
    """Bytes to compare: Hangul typed on a Mac and on a PC differ until they are composed alike."""
    return unicodedata.normalize("NFC", password.strip()).encode("utf-8", "surrogatepass")


def _cookie(headers: Headers) -> str:
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""


def _path_of(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _safe_target(target: str) -> str:
    """Only a path of this server: `//evil.example` and `/\\evil.example` are other hosts to a browser."""
    local = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if local and not target.startswith("/login") else "/"


def _login_page(alert: str, target: str, status: int) -> HTMLResponse:
    html = _PAGE.format(alert=alert, next=quote(target, safe=""))
    return HTMLResponse(html, status, {"Cache-Control": "no-store"})


async def _password_field(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return ""
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=8)
    return fields.get("password", [""])[0]

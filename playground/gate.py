"""The class password: one shared secret in front of every page, file and websocket."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from typing import Final
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from playground.core.passwords import Attempts, is_password
from playground.door import KEYED, cookie_values
from playground.errors import N_
from playground.notice import in_every_language, page, wants_page

COOKIE: Final = "llm_playground_class"
COOKIE_DAYS: Final = 1
LOGIN: Final = "/login"
OPEN_PATHS: Final = frozenset({"/api/ready"})
MAX_FORM_BYTES: Final = 4096

_FORM: Final = """{alert}<form method="post" action="{base}/login?next={next}">
<label>{ask}
<input type="password" name="password" autocomplete="current-password" maxlength="200" required autofocus>
</label>
<button>{enter}</button></form>"""
_ALERT: Final = '<p role="alert">{words}</p>'
_BESIDE: Final = ' <span lang="{language}">({words})</span>'
_BELOW: Final = '<br><span lang="{language}">{words}</span>'
_ASK: Final = N_("Class password")
_ENTER: Final = N_("Enter")
_WRONG: Final = N_("That is not the class password. Ask your teacher.")
_LATER: Final = N_("Too many wrong passwords. Try again in a minute.")


class ClassGate:
    """ASGI middleware: without the cookie of `/login` there is no page, no file and no websocket.

    The key that signs cookies is made at start: a restart asks everybody again. The cookie holds only the
    time it ends and a signature, so it says nothing of the password.
    """

    def __init__(
        self, app: ASGIApp, password: str, attempts: Attempts | None = None, base_path: str = ""
    ) -> None:
        self._app = app
        self._base = base_path
        self._password = password
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
        path = scope["path"].removeprefix(self._base)
        if path == LOGIN:
            return False
        # below the latter a key is asked for, which only someone inside can make
        is_open = scope["type"] == "http" and (path in OPEN_PATHS or path.startswith(KEYED))
        return is_open or any(map(self._is_signed, cookie_values(Headers(scope=scope), COOKIE)))

    async def _answer(self, request: Request) -> Response:
        login = self._base + LOGIN
        if request.scope["path"] != login:
            if wants_page(request.headers):
                return RedirectResponse(f"{login}?next={quote(_path_of(request), safe='')}", 303)
            return PlainTextResponse(f"The class password is needed: open {login}", 401)
        target = self._safe_target(request.query_params.get("next", ""))
        if request.method == "POST":
            return await self._check(request, target)
        return self._login_page("", target, 200)

    async def _check(self, request: Request, target: str) -> Response:
        client, now = request.client.host if request.client else "", time.monotonic()
        given = await _password_field(request)
        if not self._attempts.allowed(client, now):
            return self._login_page(_LATER, target, 429)
        if not is_password(given, self._password):
            self._attempts.note_wrong(client, now)
            return self._login_page(_WRONG, target, 403)
        response = RedirectResponse(target, 303)
        ends_at = str(int(time.time()) + COOKIE_DAYS * 86_400)
        response.set_cookie(
            COOKIE, f"{ends_at}.{self._sign(ends_at)}", path=f"{self._base}/", httponly=True, samesite="lax"
        )
        return response

    def _safe_target(self, target: str) -> str:
        """Only a page of this server: `//evil.example` and `/\\evil.example` are other hosts to a browser."""
        home = f"{self._base}/"
        below = target.removeprefix(self._base)
        local = target.startswith(home) and not below.startswith(("//", "/\\")) and target.isprintable()
        return target if local and not below.startswith(LOGIN) else home

    def _login_page(self, alert: str, target: str, status: int) -> Response:
        said = _ALERT.format(words=in_every_language(alert, _BELOW)) if alert else ""
        ask, enter = in_every_language(_ASK, _BESIDE), in_every_language(_ENTER, _BESIDE)
        where = quote(target, safe="")
        return page(_FORM.format(alert=said, base=self._base, next=where, ask=ask, enter=enter), status)

    def _sign(self, ends_at: str) -> str:
        return hmac.new(self._key, ends_at.encode(), hashlib.sha256).hexdigest()

    def _is_signed(self, cookie: str) -> bool:
        ends_at, _, signature = cookie.partition(".")
        right = hmac.compare_digest(signature.encode(), self._sign(ends_at).encode())
        return right and int(ends_at) > time.time()


def _path_of(request: Request) -> str:
    path = quote(request.scope["path"])
    return path + (f"?{request.url.query}" if request.url.query else "")


async def _password_field(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return ""
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=8)
    except ValueError:  # more fields than any form of ours
        return ""
    return fields.get("password", [""])[0]

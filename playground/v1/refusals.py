"""Errors in the shape that OpenAI's clients read: a status, one sentence with the value and the cure."""

from __future__ import annotations

import logging
from typing import Any, Final

from playground.errors import (
    AdapterGone,
    BusyError,
    Cancelled,
    ConstraintRefused,
    InputError,
    ModelNotFound,
    NoRoom,
    OutOfMemory,
    PlaygroundError,
    QueueFull,
    TextTooLong,
    TimedOut,
    TooLittleMemory,
    TooManyTokens,
    Unsupported,
)

log = logging.getLogger(__name__)

RETRY_S: Final = 2
MAX_SHOWN: Final = 60  # characters of a value that is repeated


class Refused(Exception):
    """A request that has no answer.

    Args:
        status: HTTP status.
        message: One sentence: the value and the cure. It never holds a key.
        param: The field that is meant.
        code: A word that programs may compare.
        retry_s: Seconds after which it is worth asking again; 0: it is not.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_s: int = 0,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code
        self.retry_s = retry_s

    @property
    def body(self) -> dict[str, Any]:
        """The error as OpenAI's clients expect it."""
        return {
            "error": {
                "message": self.message,
                "type": _type(self.status),
                "param": self.param,
                "code": self.code,
            }
        }

    @property
    def headers(self) -> dict[str, str]:
        """Headers beside it."""
        headers = {"Retry-After": str(self.retry_s)} if self.retry_s else {}
        return headers | ({"WWW-Authenticate": "Bearer"} if self.status == 401 else {})


def _type(status: int) -> str:
    if status == 401:
        return "authentication_error"
    if status == 403:
        return "permission_error"
    if status == 429:
        return "rate_limit_error"
    return "server_error" if status >= 500 else "invalid_request_error"


def no_key() -> Refused:
    """The answer to everybody without a key, whatever else may be wrong."""
    return Refused(
        401,
        "A key of an open page is needed: make one on the page “The classroom” and send it as "
        "Authorization: Bearer KEY.",
        code="invalid_api_key",
    )


def switched_off() -> Refused:
    """The endpoint is off."""
    return Refused(
        403,
        "The endpoint is switched off: ask the teacher, who can switch it on (page “The classroom”), or "
        "start the server with PLAYGROUND_ENDPOINT=1.",
        code="endpoint_off",
    )


def too_many(limit: int) -> Refused:
    """More requests at once than a key, or all of them, may have."""
    return Refused(
        429,
        f"{limit} requests at once are open or waiting here, and more have no place: ask again when some "
        "have been answered.",
        code="rate_limit_exceeded",
        retry_s=RETRY_S,
    )


def bad_value(name: str, value: object, allowed: str) -> Refused:
    """A field whose value cannot be."""
    return Refused(
        400, f"{name} is {shown(value)}, but only {allowed} is possible here.", param=name,
        code="invalid_value",
    )  # fmt: skip


def shown(value: object) -> str:
    """A value as a sentence repeats it: its beginning."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def told(error: BaseException) -> Refused:
    """The answer for whatever went wrong; one that is not ours goes to the log, without the request."""
    if isinstance(error, Refused):
        return error
    if not isinstance(error, PlaygroundError):
        log.error("a request of the endpoint failed", exc_info=error)
        return Refused(500, str(PlaygroundError()), code="internal_error")
    status, code, retry_s = _status(error)
    return Refused(status, str(error), param=_param(error), code=code, retry_s=retry_s)


def _status(error: PlaygroundError) -> tuple[int, str, int]:
    """HTTP status, code, and seconds after which to ask again."""
    if isinstance(error, TextTooLong | TooManyTokens):
        return 400, "context_length_exceeded", 0
    if isinstance(error, ModelNotFound | AdapterGone):
        return 404, "model_not_found", 0
    if isinstance(error, InputError | Unsupported):
        return 400, "invalid_value", 0
    if isinstance(error, QueueFull):
        return 429, "rate_limit_exceeded", RETRY_S
    if isinstance(error, TimedOut):
        return 504, "timed_out", 0
    if isinstance(error, Cancelled):
        return 503, "cancelled", 0
    if isinstance(error, BusyError | OutOfMemory | NoRoom | TooLittleMemory):
        return 503, "overloaded", RETRY_S
    return 500, "model_error", 0


def _param(error: PlaygroundError) -> str | None:
    if isinstance(error, ModelNotFound | AdapterGone | Unsupported):
        return "model"
    if isinstance(error, ConstraintRefused):
        return "response_format"
    name = error.params.get("name")
    return str(name) if isinstance(name, str) else None

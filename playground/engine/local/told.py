"""The error that a caller gets for whatever went wrong while its request was computed."""

from __future__ import annotations

import logging

from playground.engine.memory import is_out_of_memory
from playground.errors import NotComputed, OutOfMemory, PlaygroundError

log = logging.getLogger(__name__)


def told_of(error: BaseException, *, expected: bool = False) -> PlaygroundError:
    """An error of ours as it is, else what it means; one that is not ours goes to the log.

    Args:
        error: Anything raised.
        expected: True if the request is tried again, so that the log stays silent.
    """
    if isinstance(error, PlaygroundError):
        return error
    if is_out_of_memory(error):
        return OutOfMemory()
    if not expected:
        log.error("a request failed", exc_info=error)
    return NotComputed()

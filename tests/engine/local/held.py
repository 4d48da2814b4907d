"""An engine that is held while requests queue."""

from __future__ import annotations

import time
from collections.abc import Callable

TEXT = "The capital of England is"


def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen within 5 s")

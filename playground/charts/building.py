"""Specifications that are built once: Altair takes 30 ms for one, and a lock of the whole process."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, ParamSpec

Params = ParamSpec("Params")
MAX_KEPT = 64  # of one picture: languages, and what its words count


def built_once(draw: Callable[Params, dict[str, Any]]) -> Callable[Params, dict[str, Any]]:
    """Remember what `draw` gives for the same arguments; everybody gets a specification of their own.

    Args:
        draw: Gives plain JSON, and depends on its arguments alone, which are plain JSON too or a sequence.

    Example:
        >>> @built_once
        ... def picture(words):
        ...     print("drawn")
        ...     return {"title": words["x"]}
        >>> picture({"x": "Step"})["title"], picture({"x": "Step"})["title"]
        drawn
        ('Step', 'Step')
    """

    @lru_cache(maxsize=MAX_KEPT)
    def built(arguments: str) -> str:
        positional, named = json.loads(arguments)
        return json.dumps(draw(*positional, **named))

    @wraps(draw)
    def copied(*args: Params.args, **kwargs: Params.kwargs) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(built(json.dumps((args, kwargs), default=list)))
        return found

    return copied

"""The tasks of the page Retrieval, checked against the document and what the last search found."""

from __future__ import annotations

import math

from playground.core.chunks import Chunking, boundaries, cut
from playground.core.scripts import script_of
from playground.ui.retrieval import chunks, search
from playground.ui.state import PageContext
from playground.ui.try_this import Task

ASKED = Chunking("characters", 200, 0, "sentences")  # of the first task
_OTHER_LANGUAGE = {"LATIN": "ko", "HANGUL": "en"}


def tasks(context: PageContext) -> list[Task]:
    """Cut a document another way, add up two ranks, find an answer in the other language."""
    return [
        Task("chunks", "number", lambda: _n_chunks(context)),
        Task("fused", "number", _fused, tolerance=0.0001),
        Task("across", "goal", _is_across),
    ]


def _n_chunks(context: PageContext) -> int:
    return len(cut(boundaries(chunks.wanted(context).text), ASKED))


def _fused() -> float:
    last = search.last()
    return math.nan if last is None else last.fused


def _is_across() -> bool:
    last = search.last()
    if last is None or not last.languages:
        return False
    return set(last.languages) == {_OTHER_LANGUAGE.get(script_of(last.question))}

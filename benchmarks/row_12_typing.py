"""Row 12: a key pressed in a 2,000-character text -> the new rows of three tokenizers sent."""

from __future__ import annotations

import asyncio
from statistics import median
from typing import Any
from urllib.parse import quote

from benchmarks.live_server import LiveServer
from benchmarks.load_client import Reader, Run

ROUNDS = 20
N_CHARS = 2_000
SENTENCE = "나는 최근 파리 여행을 다녀왔다. The quick brown fox jumps over the lazy dog. "
COMPONENT = "playground.token_rows"


def run() -> list[dict[str, Any]]:
    """Milliseconds from the event to the message that holds the rows, and to the end of the page's run."""
    with LiveServer.playground() as live:
        live.wait_ready()
        rows, page = asyncio.run(_measure(live.url))
    return [
        {
            "row": 12,
            "metric": f"typing in {N_CHARS:,} characters -> {what}",
            "ours": median(times),
            "peer": None,
            "unit": "ms",
            "ratio": None,
            "target": None,
            "limit": limit,
            "ok": limit is None or median(times) <= limit,
        }
        for what, times, limit in (("rows of 3 tokenizers", rows, 100.0), ("whole page", page, None))
    ]


async def _measure(url: str) -> tuple[list[float], list[float]]:
    text = (SENTENCE * N_CHARS)[: N_CHARS - 4]
    query = f"tok_with=cl100k_base&tok_with=o200k_base&text={quote(SENTENCE)}"
    rows, page = [], []
    async with Reader(url, page="tokenization", query=query) as reader:
        for i in range(-2, ROUNDS):
            answer = await reader.rerun(tok_live=("string_value", f"{text}{i:4}"))
            if i >= 0:
                rows.append(1e3 * _rows_after_s(answer))
                page.append(1e3 * answer.finished_s)
    return rows, page


def _rows_after_s(answer: Run) -> float:
    """When the rows of the reader's text came."""
    for delta, after_s in zip(answer.deltas, answer.deltas_s, strict=True):
        element = delta.new_element
        if (
            element.WhichOneof("type") == "bidi_component"
            and COMPONENT in element.bidi_component.component_name
        ):
            return after_s
    raise LookupError("the page sent no rows")

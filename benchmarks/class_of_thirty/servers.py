"""The servers of a class: ours, watched from inside, and the stock peer."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from benchmarks.class_of_thirty.processes import TAG
from benchmarks.live_server import LiveServer, free_port
from benchmarks.load_client import Reader

HERE = Path(__file__).resolve().parent


class Served(LiveServer):
    """A server whose processes can be found.

    Attributes:
        tag: The value of `TAG` in their environment.
        report: File with the engine's counters, None if it writes none.
    """

    tag: str
    report: Path | None


def ours(options: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> Served:
    """`llm-playground run` with these options, which writes its counters into the folder."""
    port, tag, report = free_port(), uuid4().hex, folder / "stats.json"
    command = [sys.executable, "-m", "benchmarks.class_of_thirty.watched_server", str(report), "run"]
    served = Served(
        [*command, "--no-browser", "--port", str(port), *options], port, env={**(env or {}), TAG: tag}
    )
    served.tag, served.report = tag, report
    return served


def stock() -> Served:
    """Stock `streamlit run` of the peer."""
    port, tag = free_port(), uuid4().hex
    command = [sys.executable, "-m", "streamlit", "run", str(HERE / "stock_app.py")]
    quiet = ["--server.headless", "true", "--browser.gatherUsageStats", "false"]
    served = Served([*command, "--server.port", str(port), *quiet], port, env={TAG: tag}, cwd=HERE)
    served.tag, served.report = tag, None
    return served


def warm(url: str, pages: Sequence[str], *, timeout_s: float = 120) -> bool:
    """Open every page once, until it is there: the class begins on a server that has been used.

    Returns:
        False where that took too long: then the class pays for what is left.
    """

    async def visit(page: str) -> None:
        async with Reader(url, page, "lang=en") as reader:
            while reader.ticks:
                await reader.tick()

    async def all_of_them() -> None:
        for page in pages:
            await visit(page)

    try:
        asyncio.run(asyncio.wait_for(all_of_them(), timeout_s))
    except TimeoutError:
        return False
    return True

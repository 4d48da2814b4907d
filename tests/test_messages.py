"""What a page may send a browser: thirty tabs share one server and often one wireless network."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from benchmarks.live_server import LiveServer
from benchmarks.load_client import Reader, Run
from playground.paths import site_root

# Page: messages a run; kilobytes of the first run, of one with another sentence, of one that changes nothing.
# Each is a quarter above what was counted when the page was made: 30 messages more are noticed, 3 are not.
BOUNDS = {
    "home": (55, 66, 67, 36),
    "sampling": (88, 182, 178, 50),
    "tokenization": (145, 330, 140, 95),
    "embeddings": (110, 115, 115, 85),
    "positions": (165, 1_250, 140, 90),
}
SECOND = "Once upon a time there was"


@pytest.fixture(scope="module")
def live() -> Iterator[LiveServer]:
    with LiveServer.playground() as live:
        live.wait_ready()
        yield live


def test_every_page_has_its_bounds() -> None:
    assert BOUNDS.keys() == {path.stem for path in (site_root() / "pages").glob("*.py")}


@pytest.mark.real
@pytest.mark.parametrize("page", BOUNDS)
def test_messages_and_bytes_of_a_run_are_bounded(page: str, live: LiveServer) -> None:
    async def read() -> tuple[Run, ...]:
        async with Reader(live.url, page="" if page == "home" else page, query="lang=en") as reader:
            whole = await reader.rerun()  # the first may have met the model before it was warm
            other = await reader.rerun(text=("string_value", SECOND))
            return whole, other, await reader.rerun(text=("string_value", SECOND))

    async def open_first() -> Run:
        async with Reader(live.url, page="" if page == "home" else page, query="lang=en") as reader:
            return reader.first

    runs = asyncio.run(read())
    first = asyncio.run(open_first())
    messages, *kilobytes = BOUNDS[page]
    counted = [run.n_messages for run in (first, *runs)]
    assert max(counted) <= messages, counted
    sizes = [run.n_bytes / 1_000 for run in (first, runs[1], runs[2])]
    assert all(size <= bound for size, bound in zip(sizes, kilobytes, strict=True)), (sizes, kilobytes)
    assert not any(run.elements("exception") for run in (first, *runs))

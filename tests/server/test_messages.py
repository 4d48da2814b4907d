"""What a page may send a browser: thirty tabs share one server and often one wireless network."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from benchmarks.live_server import LiveServer
from benchmarks.load_client import Reader, Run
from playground import navigation

# Page: messages a run; kilobytes of the first run, of one with another sentence, of one that changes nothing.
# Each is a quarter above what was counted when the page was made: 30 messages more are noticed, 3 are not.
BOUNDS = {
    "home": (95, 45, 46, 46),  # a link to each of 22 pages
    "sampling": (108, 155, 150, 51),
    "prompting": (103, 41, 42, 42),
    "finetuning": (115, 54, 55, 55),
    "tokenization": (145, 250, 94, 94),
    "embeddings": (105, 83, 83, 54),
    "attention": (125, 70, 75, 56),
    "inside": (160, 214, 215, 70),
    "positions": (160, 1_100, 79, 65),
    "seq2seq": (118, 85, 85, 60),
    "pretraining": (110, 145, 58, 58),
    "classroom": (60, 30, 30, 30),
}
HEAD_MESSAGES = 85
SECOND = "Once upon a time there was"
Result = TypeVar("Result")


def test_bounds_are_of_pages_that_there_are() -> None:
    assert BOUNDS.keys() <= navigation.BY_NAME.keys()


def bounds(page: str) -> tuple[int, int, int, int]:
    """Those of the page, else those that any page keeps to at first."""
    return BOUNDS.get(page, (110, 85, 85, 60))


def awaited(read: Coroutine[object, object, Result]) -> Result:
    """In a thread of its own: Playwright keeps an event loop in the one of the tests."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, read).result()


def messages_when_ready(page: str) -> int:
    """Fewer than this, and the page still waits for a model."""
    return bounds(page)[0] // 2


@pytest.mark.real
@pytest.mark.parametrize("page", navigation.BY_NAME)
def test_messages_and_bytes_of_a_run_are_bounded(page: str, live: LiveServer) -> None:
    path = "" if page == navigation.FIRST else page

    async def open_first() -> Run:
        async with Reader(live.url, page=path, query="lang=en") as reader:
            return reader.first

    async def read() -> tuple[Run, Run, Run]:
        async with Reader(live.url, page=path, query="lang=en") as reader:
            other = await reader.rerun(text=("string_value", SECOND))
            return reader.first, other, await reader.rerun(text=("string_value", SECOND))

    deadline = time.monotonic() + 180  # the first run asks for every model of the page
    while awaited(open_first()).n_messages < messages_when_ready(page) and time.monotonic() < deadline:
        time.sleep(0.5)
    runs = awaited(read())
    messages, *kilobytes = bounds(page)
    counted = [run.n_messages for run in runs]
    assert max(counted) <= messages, counted
    sizes = [run.n_bytes / 1_000 for run in runs]
    assert all(size <= bound for size, bound in zip(sizes, kilobytes, strict=True)), (sizes, kilobytes)
    assert not any(run.elements("exception") for run in runs)


@pytest.mark.real
def test_the_other_columns_of_inside_rerun_only_the_picture(live: LiveServer) -> None:
    """Asked for once by the browser: 30 messages and 71 kB when this was made."""

    def picture(run: Run) -> dict[str, Any]:
        found = [one for one in run.elements("bidi_component") if one.component_name == "playground.inside"]
        return dict(json.loads(found[-1].json))

    async def read() -> tuple[Run, Run]:
        async with Reader(live.url, page="inside", query="lang=en") as reader:
            first = await reader.rerun(text=("string_value", "A sentence of Inside that nobody else reads"))
            asked = {"asked": picture(first)["wants"]}
            return first, await reader.rerun(inside=("json_value", json.dumps(asked)))

    while awaited(_opened(live)).n_messages < messages_when_ready("inside"):
        time.sleep(0.5)
    first, rest = awaited(read())
    assert None in picture(first)["top"][0]
    assert None not in picture(rest)["top"][0]
    assert "wants" not in picture(rest)
    assert rest.n_messages <= 45 + 10 * rest.finished_s, "and a line while it waits"
    assert rest.n_bytes <= 90_000
    assert not rest.elements("text_area"), "the sidebar stays as it is"


async def _opened(live: LiveServer) -> Run:
    async with Reader(live.url, page="inside", query="lang=en") as reader:
        return reader.first


@pytest.mark.real
def test_another_head_reruns_only_the_heads(live: LiveServer) -> None:
    """A class clicks through heads: the sidebar, the tasks and the lesson stay as they are."""

    async def click(head: list[int], off: list[list[int]]) -> Run:
        async with Reader(live.url, page="attention", query="lang=en&att_head=1.2") as reader:
            view = {"revision": 0, "selected": head, "off": off}
            return await reader.rerun(att_grid=("json_value", json.dumps({"view": view})))

    another, off = awaited(click([3, 4], [])), awaited(click([1, 2], [[1, 2]]))
    assert "4.5" in " ".join(element.body for element in another.elements("markdown"))
    assert another.n_messages <= HEAD_MESSAGES, another.n_messages
    assert not another.elements("text_area"), "the sidebar"
    assert off.elements("text_area"), "the panel of heads that are off belongs to the page"


@pytest.mark.real
@pytest.mark.parametrize(("panel", "follows"), [("write", False), ("compare", True)])
def test_a_released_slider_draws_the_page_anew_only_where_its_rest_shows_the_settings(
    panel: str, follows: bool, live: LiveServer
) -> None:
    settings = {
        "temperature": 1.5,
        "top_k": 0,
        "top_p": 1,
        "min_p": 0,
        "typical_p": 1,
        "order": "transformers",
    }

    async def read() -> Run:
        async with Reader(live.url, page="sampling", query=f"lang=en&sam_panel={panel}") as reader:
            sent = json.dumps({"settings": settings | {"revision": 0}})
            return await reader.rerun(sampler=("json_value", sent))

    while awaited(_opened(live)).n_messages < messages_when_ready("inside"):
        time.sleep(0.5)
    run = awaited(read())
    assert run.elements("vega_lite_chart"), "the curves at the new temperature"
    assert bool(run.elements("text_area")) == follows, "the sidebar is drawn by the page alone"
    assert not run.elements("exception")

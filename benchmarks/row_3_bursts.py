"""Row 3, its worst moment: thirty readers hand in a new sentence each, all at once, on one page.

Seconds from the event to the first picture that depends on the sentence, through server and websockets.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.live_server import LiveServer
from benchmarks.load_client import Reader, Run

N_READERS = 30
ENGLISH = "Last week the {0} number {1} walked to the old market because the"
KOREAN = "{0} 선생님은 어제 도서관에서 {1}번째 책을 읽고 이야기"
SUBJECTS = {
    ENGLISH: ("cat", "teacher", "river", "ship", "doctor"),
    KOREAN: ("국어", "수학", "과학", "음악", "체육"),
}


def run() -> list[dict[str, Any]]:
    """Worst first picture of each page, and until everything is there."""
    with LiveServer.playground() as live:
        live.wait_ready()
        asyncio.run(_warm(live.url))
        inside = asyncio.run(_burst(live.url, "inside", ENGLISH, _component("playground.inside"), _rest))
        positions = asyncio.run(
            _burst(live.url, "positions", ENGLISH, _component("playground.positions_clocks"))
        )
        families = asyncio.run(_burst(live.url, "families", ENGLISH, _component("playground.family_maps")))
        masked = asyncio.run(_burst(live.url, "masked", ENGLISH, _FILLED))
        home = asyncio.run(_burst(live.url, "", KOREAN, _markdown(("whole characters", "글자 단위"))))
    load = f"load {os.getloadavg()[0]:.1f}"
    return [
        *_figures("Inside", inside, 12.0, load),
        *_figures("Positions", positions, 4.0, load),
        *_figures("Encoder, decoder, or both", families, 6.0, load),
        *_figures("Masked language model", masked, 6.0, load),
        *_figures("Home, Korean, next characters", home, 6.0, load),
    ]


Finds = Callable[[Any], bool]
Times = list[tuple[float, float]]  # of each reader: first picture, all


def _component(name: str) -> Finds:
    return lambda element: (
        element.WhichOneof("type") == "bidi_component" and (element.bidi_component.component_name == name)
    )


def _markdown(words: tuple[str, ...]) -> Finds:
    return lambda element: (
        element.WhichOneof("type") == "markdown" and any(one in element.markdown.body for one in words)
    )


_FILLED = _markdown(("the first choice is",))
WARM = ("string_value", "warm up masked")


async def _warm(url: str) -> None:
    """Until the models of every page have answered."""
    for page in ("inside", "positions"):
        async with Reader(url, page=page) as reader:
            while (await reader.rerun(text=("string_value", f"warm up {page}"))).n_messages < 100:
                await asyncio.sleep(1)
    async with Reader(url, page="masked", query="lang=en") as reader:
        while not any(_FILLED(one.new_element) for one in (await reader.rerun(text=WARM)).deltas):
            await asyncio.sleep(1)


async def _rest(reader: Reader, run: Run) -> float:
    """What the browser does when the picture says that columns are missing; seconds that this took."""
    (picture, *_others) = [
        one for one in run.elements("bidi_component") if one.component_name == "playground.inside"
    ]
    name = json.loads(picture.json).get("wants", "")
    if not name:
        return 0.0
    more = await reader.rerun(inside=("json_value", json.dumps({"asked": name})))
    return more.finished_s


async def _burst(
    url: str, page: str, text: str, finds: Finds, rest: Callable[[Reader, Run], Any] | None = None
) -> Times:
    readers = [Reader(url, page=page, query="lang=en") for _number in range(N_READERS)]
    await asyncio.gather(*(reader.__aenter__() for reader in readers))

    async def one(number: int, reader: Reader) -> tuple[float, float]:
        subjects = SUBJECTS[text]
        run = await reader.rerun(text=("string_value", text.format(subjects[number % len(subjects)], number)))
        if run.elements("exception"):
            raise RuntimeError(f"{page}: an exception was shown")
        first = next(
            (at for delta, at in zip(run.deltas, run.deltas_s, strict=True) if finds(delta.new_element)), None
        )
        if first is None:
            raise RuntimeError(f"{page}: reader {number} saw no picture")
        return first, run.finished_s + (await rest(reader, run) if rest else 0.0)

    try:
        return list(await asyncio.gather(*(one(*each) for each in enumerate(readers))))
    finally:
        for reader in readers:
            await reader.__aexit__(None, None, None)


def _figures(page: str, times: Times, target_s: float, load: str) -> list[dict[str, Any]]:
    first, whole = ([one[at] for one in times] for at in (0, 1))
    shared = {"row": 3, "peer": None, "peer_name": load, "unit": "s", "limit": None}
    worst = max(first)
    return [
        shared | {
            "metric": f"30 new sentences on {page}: worst first picture", "ours": worst,
            "ratio": target_s / worst, "target": 1.0, "ok": worst <= target_s,
        },
        shared | {
            "metric": f"30 new sentences on {page}: median first picture, of {target_s:.0f} s",
            "ours": median(first), "ratio": None, "target": None, "ok": True,
        },
        shared | {
            "metric": f"30 new sentences on {page}: all of the last", "ours": max(whole), "ratio": None,
            "target": None, "ok": True,
        },
    ]  # fmt: skip

"""Row 2: a setting of the sampling page changes; against a one-slider app on stock `streamlit run`."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.live_server import LiveServer
from benchmarks.load_client import Reader, Run
from playground.chromium import find_chromium
from playground.core.sampling import Sampling

ROUNDS = 40
# The same imports as ours; nothing else of it is ours.
MINIMAL_APP = """
import altair, pandas, torch, transformers
import streamlit as st
from transformers import AutoModelForCausalLM

st.write(st.slider("temperature", 0.0, 3.0, 1.0, key="temperature"))
"""


def run() -> list[dict[str, Any]]:
    """Milliseconds from the event to the last change of the page; frames sent while a slider is dragged."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "minimal.py"
        script.write_text(MINIMAL_APP, "utf-8")
        with LiveServer.playground() as ours, LiveServer.streamlit(script) as peer:
            ours.wait_ready()
            times, size = asyncio.run(_measure(ours.url, peer.url))
            frames = _frames_while_dragging(ours.url + "/sampling")
    stock, released, full = (median(times[name]) for name in ("peer", "release", "rerun"))
    return [
        _row("slider let go -> page updated", released, stock, "ms", 4.0, released <= min(0.25 * stock, 40)),
        _row("whole page again -> page updated", full, stock, "ms", 1.0, full <= stock),
        _row("bytes of a slider let go", size, None, "B", None, None),
        _row("frames sent while a slider is dragged", frames, None, "frames", 0, frames == 0),
    ]


async def _measure(ours: str, peer: str) -> tuple[dict[str, list[float]], int]:
    times: dict[str, list[float]] = {"release": [], "rerun": [], "peer": []}
    size = 0
    async with Reader(ours, page="sampling") as mine, Reader(peer) as stock:
        asked: dict[str, Callable[[int], Awaitable[Run]]] = {
            "peer": lambda i: stock.rerun(temperature=("double_array_value", [i / ROUNDS])),
            "release": lambda i: mine.rerun(sampler=("json_value", _settings(i))),
            "rerun": lambda i: mine.rerun(sam_seed=("int_value", i)),
        }
        for ask in asked.values():
            await ask(0)  # the first of each loads what later ones find loaded
        for i in range(1, ROUNDS + 1):
            for name in asked if i % 2 else reversed(asked):
                answer = await asked[name](i)
                times[name].append(answer.last_delta_s * 1e3)
                if name == "release":
                    size = answer.n_bytes
    return times, size


def _settings(i: int) -> str:
    values = asdict(Sampling(temperature=0.5 + i / ROUNDS, top_p=0.9))
    return json.dumps({"settings": {**values, "revision": 0}})


def _frames_while_dragging(url: str) -> int:
    """Websocket frames a real browser sends between pressing the mouse on a slider and letting it go."""
    sent: list[Any] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
        page.goto(url)
        slider = page.locator(".st-key-sampler input[type=range]").first
        slider.wait_for(timeout=60_000)
        page.wait_for_timeout(1_000)
        box = slider.bounding_box()
        assert box is not None
        before = (len(sent), slider.input_value())
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2, steps=30)
        page.wait_for_timeout(500)
        n_frames = len(sent) - before[0]
        assert slider.input_value() != before[1], "the slider did not move"
        page.mouse.up()
        browser.close()
    return n_frames


def _row(
    metric: str, ours: float, peer: float | None, unit: str, target: float | None, ok: bool | None
) -> dict[str, Any]:
    return {
        "row": 2,
        "metric": metric,
        "ours": ours,
        "peer": peer,
        "peer_name": "one slider, stock streamlit run, same imports",
        "unit": unit,
        "ratio": None if peer is None else peer / ours,
        "target": target,
        "limit": None,
        "ok": ok,
    }

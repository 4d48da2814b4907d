"""Row 9: from nothing to the first distribution in the page, against a bare script that prints it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from statistics import median
from typing import Any

from benchmarks.live_server import LiveServer
from benchmarks.load_client import Reader
from playground.engine.models.catalogue import model_folder
from playground.settings import Settings

ROUNDS = 5
BARE_SCRIPT = """
import sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
with torch.no_grad():
    logits = model(**tokenizer("The capital of England is", return_tensors="pt")).logits[0, -1]
token = int(logits.argmax())
assert tokenizer.decode(token) == " London", tokenizer.decode(token)
"""


def run() -> list[dict[str, Any]]:
    """Seconds; the files are in the system's cache for both after the first round, which is not counted."""
    settings = Settings()
    folder = str(model_folder(settings.default_model, settings))
    paints: list[float] = []
    ours: list[float] = []
    peers: list[float] = []
    for number in range(ROUNDS + 1):
        if number % 2:
            bare = _bare(folder)
        paint, first = _ours()
        if not number % 2:
            bare = _bare(folder)
        if number > 0:
            paints.append(paint)
            ours.append(first)
            peers.append(bare)
    mine, bare, paint = median(ours), median(peers), median(paints)
    return [
        _row("port answers -> first words on the page", paint, None, 1.0, paint <= 1.0),
        _row("process starts -> first distribution on the page", mine, bare, 1.15, mine <= 1.15 * bare),
    ]


def _ours() -> tuple[float, float]:
    """Seconds from the answering port to the first element, and from the start to the distribution."""
    with LiveServer.playground() as live:
        return asyncio.run(_read(live))


async def _read(live: LiveServer) -> tuple[float, float]:
    async with Reader(live.url, page="sampling") as reader:
        run = reader.first
        while not any(e.component_name == "playground.sampler" for e in run.elements("bidi_component")):
            if time.perf_counter() - live.started_at > 120:
                raise TimeoutError(live.log())
            run = await reader.tick()
        return reader.first.first_delta_s, time.perf_counter() - live.started_at


def _bare(folder: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", BARE_SCRIPT, folder], check=True)
    return time.perf_counter() - started


def _row(metric: str, ours: float, peer: float | None, target: float, ok: bool) -> dict[str, Any]:
    return {
        "row": 9,
        "metric": metric,
        "ours": ours,
        "peer": peer,
        "peer_name": "a script: import, load, one forward",
        "unit": "s",
        "ratio": None if peer is None else ours / peer,
        "target": target,
        "limit": None,
        "ok": ok,
    }

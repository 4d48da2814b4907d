"""Row 6: 64 tokens -> all heads: capture, encoding, bytes, ranking, and another head chosen on the page."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from statistics import median
from typing import Any
from urllib.parse import quote

import numpy as np
import psutil
import torch
from bertviz import model_view  # type: ignore[import-untyped]
from numpy.typing import NDArray

from benchmarks.live_server import LiveServer
from benchmarks.load_client import Reader, Run
from playground.core.attention import thumbnails
from playground.core.interventions import Intervention
from playground.engine import create_engine
from playground.engine.contract.inside import AblationsRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.models.catalogue import catalogue
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.loading import load
from playground.settings import DEFAULT_DECODER, Settings
from playground.ui.components import packed

ROUNDS, PAGE_ROUNDS, RANKINGS = 25, 30, 5
EVERY = 10  # the peer of the ranking runs every tenth head
N_TOKENS, LIMIT_MS = 64, 50.0
SENTENCE = "The animal didn't cross the street because it was too tired"
HEADS = [(layer, head) for layer in range(30) for head in range(9)]
Times = dict[str, list[float]]


def run() -> list[dict[str, Any]]:
    """Figures, each with its peer interleaved: minima of computing, the median of the page's reruns."""
    settings = Settings(cache_bytes=0)
    torch.set_num_threads(settings.torch_threads or psutil.cpu_count(logical=False) or 1)
    loaded = load(catalogue(settings)[DEFAULT_DECODER], settings, lambda _message, _share: None)
    ids = loaded.tokenizer.tokenize(". ".join([SENTENCE] * 6)).input_ids[:N_TOKENS]
    row = InputRow(tuple(int(token_id) for token_id in ids))
    tokens = loaded.tokenizer.token_texts(row.input_ids)
    with LiveServer.playground() as live:
        live.wait_ready()
        block, rerun_ms = asyncio.run(_page(live.url, "".join(tokens)))
    with torch.no_grad():
        weights = run_traces(loaded, [row], Capture(attentions="float32"))[0].attentions
        assert weights is not None
        weights = weights.astype(np.float32, copy=False)
        figures = [*_capture(loaded, row), *_encoding(weights, list(tokens), block)]
    page = _figure("another head chosen -> page updated", "ms", rerun_ms)
    return [*figures, _ranking(settings), page | {"limit": LIMIT_MS, "ok": rerun_ms <= LIMIT_MS}]


async def _page(url: str, text: str) -> tuple[bytes, float]:
    """What the grid of heads gets at first; milliseconds of a rerun after a click in it."""
    query, times = f"text={quote(text)}&att_head=1.2", []
    async with Reader(url, page="attention", query=query):
        pass  # the first reader of a text also waits for its forward
    async with Reader(url, page="attention", query=query) as reader:
        (block,) = _blocks(reader.first, "head_grid")
        for i in range(-2, PAGE_ROUNDS):
            head = [(7 * i) % 30, i % 9]
            view = {"revision": 0, "selected": head, "off": []}
            answer = await reader.rerun(att_grid=("json_value", json.dumps({"view": view})))
            if _blocks(answer, "head_grid") or not _blocks(answer, "attention_map"):
                raise RuntimeError("a click sends the map of the head, and of the grid a hash")
            times.append(answer.last_delta_s * 1e3)
    return block, median(times[2:])


def _blocks(answer: Run, name: str) -> list[bytes]:
    found = answer.elements("bidi_component")
    return [bytes(one.bytes) for one in found if one.component_name.endswith(name)]


def _capture(loaded: LoadedModel, row: InputRow) -> list[dict[str, Any]]:
    wanted = {
        "nothing": Capture(),
        "float32 attentions, queries, keys, values": Capture(attentions="float32", query_key=True),
        "uint8 attentions": Capture(attentions="uint8"),
    }
    work = {name: partial(run_traces, loaded, [row], kept) for name, kept in wanted.items()}
    best = {name: min(times) for name, times in _interleaved(work, ROUNDS).items()}
    plain = best.pop("nothing")
    return [
        _figure(f"forward that keeps {name}", "ms", ours, plain, "the same forward, nothing kept", 1 / 1.1)
        for name, ours in best.items()
    ]


def _encoding(weights: NDArray[np.float32], tokens: list[str], block: bytes) -> list[dict[str, Any]]:
    """All heads as the page sends them, against the page that bertviz writes."""
    (length,) = struct.unpack_from("<I", block)
    head = json.loads(block[4 : 4 + length])
    layers = [torch.from_numpy(layer.copy())[None] for layer in weights]
    work: dict[str, Callable[[], Any]] = {
        "ours": lambda: packed(head, thumbnails(weights)),
        "peer": lambda: model_view(layers, tokens, html_action="return"),
    }
    if len(work["ours"]()) != len(block):
        raise RuntimeError("the page sends something else")
    times, html = _interleaved(work, ROUNDS), work["peer"]().data
    ours, peer, name = min(times["ours"]), min(times["peer"]), "bertviz model_view"
    return [
        _figure("all heads encoded", "ms", ours, peer, name, 100.0),
        _figure("all heads, bytes at first", "B", len(block), len(html.encode()), name, 200.0),
    ]


def _ranking(settings: Settings) -> dict[str, Any]:
    """Nothing is cached; the peer's time is that of every tenth head, times ten."""
    times: Times = {"ours": [], "peer": []}
    with closing(create_engine(settings)) as engine:

        def ours(_number: int) -> None:
            request = AblationsRequest(DEFAULT_DECODER, SENTENCE)
            if sum(len(part.heads) for part in engine.inside.ablations(request)) != len(HEADS):
                raise RuntimeError("not every head was ranked")

        def peer(number: int) -> None:
            for head in HEADS[number::EVERY]:
                engine.trace(
                    TraceRequest(
                        DEFAULT_DECODER, SENTENCE, Capture(logits="last"), intervention=Intervention((head,))
                    )
                )

        engine.trace(TraceRequest(DEFAULT_DECODER, SENTENCE, Capture(logits="last")))
        for number in range(RANKINGS):
            work = {"ours": partial(ours, number), "peer": partial(peer, number)}
            for name, found in _interleaved(work, 1).items():
                times[name] += found
    best = min(times["ours"]), min(times["peer"]) * EVERY
    return _figure("270 heads ranked", "ms", *best, f"a trace a head (every {EVERY}th, scaled)", 3.0)


def _interleaved(work: Mapping[str, Callable[[], Any]], rounds: int) -> Times:
    """Milliseconds of each, in turns A B B A."""
    times: Times = {name: [] for name in work}
    for number in range(rounds):
        for name in list(work) if number % 2 else reversed(list(work)):
            started = time.perf_counter()
            work[name]()
            times[name].append((time.perf_counter() - started) * 1e3)
    return times


def _figure(
    metric: str, unit: str, ours: float, peer: float | None = None, peer_name: str = "", target: float = 0
) -> dict[str, Any]:
    ratio = None if peer is None else peer / ours
    return {
        "row": 6,
        "metric": metric,
        "ours": ours,
        "peer": peer,
        "peer_name": peer_name,
        "unit": unit,
        "ratio": ratio,
        "target": target or None,
        "limit": None,
        "ok": ratio is None or ratio >= target,
    }

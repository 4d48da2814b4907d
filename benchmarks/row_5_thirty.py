"""Row 5: thirty readers press Generate at once, against thirty `generate` calls one after another and the
library's continuous batching; the peers have the model to themselves, without server, pages and readers."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from urllib.parse import quote

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from benchmarks.live_server import LiveServer
from benchmarks.load_client import Reader, Run
from playground.engine.models.catalogue import model_folder
from playground.settings import Settings

N_READERS, N_TOKENS = 30, 32
N_PEER = 6  # calls of the peer, scaled to thirty
SUBJECTS = ("cat", "teacher", "river", "old man", "ship", "city")
SETTINGS = {"temperature": 1.0, "top_p": 0.95}


def run() -> list[dict[str, Any]]:
    """Tokens a second of all readers, Jain's index of their rates, the slow readers' first token."""
    texts = [f"Once upon a time the {SUBJECTS[i % 6]} number {i} went" for i in range(N_READERS)]
    with LiveServer.playground(env={"PLAYGROUND_MAX_NEW_TOKENS": str(N_TOKENS)}) as live:
        live.wait_ready()
        runs, wall_s = asyncio.run(_class(live.url, texts))
    written = [_written(one) for one in runs]
    if any(n < 1 for n, _first in written):
        raise RuntimeError("a reader got nothing")
    rates = np.array([n / one.finished_s for (n, _first), one in zip(written, runs, strict=True)])
    n_tokens = sum(n for n, _first in written)
    ours = n_tokens / wall_s
    peer = _peer(texts[:: N_READERS // N_PEER])
    batched = _continuous_batching(texts)
    jain = float(rates.sum() ** 2 / (len(rates) * (rates**2).sum()))
    first = float(np.percentile([first for _n, first in written], 95))
    step_s = float(np.median([(one.finished_s - begun) / (n - 1)
                              for (n, begun), one in zip(written, runs, strict=True) if n > 1]))  # fmt: skip
    soon = 3 * step_s + _prefill(texts)
    return [
        _figure("30 readers generate: tokens", "tokens/s", ours, peer, ours / peer, 9.0),
        _figure("the same, in one batch", "tokens/s", ours, batched, ours / batched, 1.2)
        | {"peer_name": "generate_batch, all thirty"},
        _figure("Jain's fairness of their rates", "index", jain, None, jain, 0.95),
        _figure("first token, p95", "ms", first * 1e3, soon * 1e3, soon / first, 1.0)
        | {"peer_name": "three of our steps and the library's forward over all thirty texts"},
    ]


async def _class(url: str, texts: list[str]) -> tuple[list[Run], float]:
    """What each reader's run sent, and the seconds until the last had all."""
    readers = [Reader(url, page="sampling", query=f"text={quote(text)}&sam_top_p=0.95") for text in texts]
    for reader in readers:
        await reader.__aenter__()
    try:
        started = time.perf_counter()
        runs = await asyncio.gather(*(one.rerun(sam_start=("trigger_value", True)) for one in readers))
        return list(runs), time.perf_counter() - started
    finally:
        for reader in readers:
            await reader.__aexit__(None, None, None)


def _written(run: Run) -> tuple[int, float]:
    """Tokens of the last picture, and the seconds until the first text."""
    first = 0.0
    n_tokens = 0
    for delta, at in zip(run.deltas, run.deltas_s, strict=True):
        element = delta.new_element
        if element.WhichOneof("type") == "text" and element.text.body.partition("│")[2]:
            first = first or at
        if element.WhichOneof("type") == "bidi_component":
            component = element.bidi_component
            if component.component_name.endswith("scored_text"):
                n_tokens = len(json.loads(component.json)["labels"])
    return n_tokens, first


def _librarys() -> tuple[Any, Any]:
    settings = Settings()
    folder = model_folder(settings.default_model, settings)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    return tokenizer, model


def _continuous_batching(texts: list[str]) -> float:
    """Tokens a second of the library's manager, its set-up included, everything else warmed up."""
    tokenizer, model = _librarys()
    config = GenerationConfig(
        do_sample=True, top_k=0, max_new_tokens=N_TOKENS, pad_token_id=0,
        eos_token_id=model.generation_config.eos_token_id, **SETTINGS,
    )  # fmt: skip
    ids = [tokenizer(text).input_ids for text in texts]
    model.generate_batch(ids[:2], generation_config=config, progress_bar=False)
    started = time.perf_counter()
    outputs = model.generate_batch(ids, generation_config=config, progress_bar=False)
    spent_s = time.perf_counter() - started
    if len(outputs) != len(texts) or any(one.error for one in outputs.values()):
        raise RuntimeError("the library's continuous batching left requests unanswered")
    return sum(len(one.generated_tokens) for one in outputs.values()) / spent_s


def _prefill(texts: list[str]) -> float:
    """Seconds of the library's forward over all texts in one batch."""
    tokenizer, model = _librarys()
    batch = tokenizer(texts, return_tensors="pt", padding=True)
    spent_s = []
    for _ in range(3):
        started = time.perf_counter()
        with torch.no_grad():
            model(**batch, logits_to_keep=1)
        spent_s.append(time.perf_counter() - started)
    return min(spent_s)


def _peer(texts: list[str]) -> float:
    """Tokens a second of calls one after another."""
    tokenizer, model = _librarys()
    n_tokens, spent_s = 0, 0.0
    for text in texts:
        ids = tokenizer(text, return_tensors="pt").input_ids
        started = time.perf_counter()
        with torch.no_grad():
            output = model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=True, top_k=0, max_new_tokens=N_TOKENS,
                **SETTINGS,
            )  # fmt: skip
            spent_s += time.perf_counter() - started
            n_tokens += output.shape[1] - ids.shape[1]
    return n_tokens / spent_s


def _figure(
    metric: str, unit: str, ours: float, peer: float | None, ratio: float | None, target: float | None
) -> dict[str, Any]:
    return {
        "row": 5,
        "metric": metric,
        "ours": ours,
        "peer": peer,
        "peer_name": "generate, one call after another",
        "unit": unit,
        "ratio": ratio,
        "target": target,
        "limit": None,
        "ok": target is None or ratio is None or ratio >= target,
    }

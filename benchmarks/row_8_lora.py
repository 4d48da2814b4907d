"""Row 8: four readers train LoRA adapters at once, against peft one after another with the same settings."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import numpy as np
import peft
import torch
from transformers import AutoModelForCausalLM

from benchmarks.live_server import LiveServer
from benchmarks.load_client import Reader
from playground.core.files.training_rows import TrainingRow, pairs, split
from playground.engine import create_engine
from playground.engine.adapters.layers import targets
from playground.engine.contract.training import FinetuneRequest, FinetuneSettings, TrainingText
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import model_folder
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.bank import MAX_NORM, AdapterBank
from playground.engine.training.run import text_order
from playground.paths import site_root
from playground.settings import Settings

N_ROUNDS, N_TOGETHER, N_STEPS = 6, 4, 8


def run() -> list[dict[str, Any]]:
    """Steps a second of one and of four runs beside peft's, then of four readers on the server."""
    settings = Settings()
    engine = create_engine(settings)
    assert isinstance(engine, LocalEngine)
    texts = _texts(engine)
    loaded = engine.adapters.load(settings.default_model).result()
    torch.set_num_threads(settings.torch_threads or torch.get_num_threads())
    one, four, peer = _bank(loaded, texts, 1), _bank(loaded, texts, N_TOGETHER), _Peft(settings, texts)
    spent: dict[str, list[float]] = {"one": [], "four": [], "peft": []}
    for step in range(N_ROUNDS):
        batch = _batch(texts, step)
        for name in ("one", "peft", "four") if step % 2 else ("four", "peft", "one"):
            started = time.perf_counter()
            if name == "peft":
                peer.step(batch)
            else:
                (one if name == "one" else four).step([batch] * (1 if name == "one" else N_TOGETHER))
            spent[name].append(time.perf_counter() - started)
    engine.close()
    step_s = {name: min(times[1:]) for name, times in spent.items()}
    live = _live()
    return [
        _figure("one job: steps/s", "steps/s", 1 / step_s["one"], 1 / step_s["peft"], 1.0),
        _figure("4 jobs in one step: steps/s of all", "steps/s", 4 / step_s["four"], 1 / step_s["peft"], 1.3),
        _figure(
            "4 readers on the server: steps/s of all", "steps/s", live["steps_a_s"], 1 / step_s["peft"], None
        ),
        _figure("the worst reader's share of the best", "ratio", live["fairness"], None, None),
        _figure(
            "4 readers who train the same: steps/s of all", "steps/s", live["same_steps_a_s"],
            live["steps_a_s"], 2.0,
        ),
        _figure("first loss after the click, one reader", "s", live["first_s"], None, None, limit=3.0),
        _figure(
            "another reader's slider of another text, p95, while they train", "ms", 1e3 * live["busy_s"],
            1e3 * live["idle_s"], None,
        ),
    ]  # fmt: skip


def _texts(engine: LocalEngine) -> tuple[TrainingText, ...]:
    read = json.loads((site_root() / "assets/training/en/pirate.json").read_text("utf-8"))
    rows: tuple[TrainingRow, ...] = split(pairs(read["rows"]))[0]
    made: tuple[TrainingText, ...] = engine.training.texts(Settings().default_model, rows)
    return made


def _batch(texts: tuple[TrainingText, ...], step: int) -> list[TrainingText]:
    return [texts[i] for i in text_order(len(texts), 4 * N_ROUNDS, seed=0)[4 * step : 4 * step + 4]]


def _bank(loaded: Any, texts: tuple[TrainingText, ...], n: int) -> AdapterBank:  # noqa: ANN401  (a loaded model)
    each = [FinetuneSettings(loaded.info.model_id, "bench", seed=seed) for seed in range(n)]
    layers = targets(loaded.template, each[0].lora.target_modules, each[0].method)
    slots = [AdapterSlot(FinetuneRequest(one, texts, ()), loaded, layers) for one in each]
    return AdapterBank(loaded, slots, lambda: None)


class _Peft:
    """The same step by the library: padded batch, labels, gradient clipping, AdamW."""

    def __init__(self, settings: Settings, texts: tuple[TrainingText, ...]) -> None:
        folder = model_folder(settings.default_model, settings)
        base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
        config = peft.LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"])
        self.model = peft.get_peft_model(base, config).train()
        self.trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trained, lr=2e-3, weight_decay=0.0)

    def step(self, batch: list[TrainingText]) -> None:
        longest = max(len(text.input_ids) for text in batch)
        ids, mask, labels = [], [], []
        for text in batch:
            n_more = longest - len(text.input_ids)
            ids.append([*text.input_ids, *[0] * n_more])
            mask.append([1] * len(text.input_ids) + [0] * n_more)
            both = zip(text.input_ids, text.is_trained, strict=True)
            labels.append([token if on else -100 for token, on in both] + [-100] * n_more)
        self.optimizer.zero_grad()
        self.model(
            input_ids=torch.tensor(ids), attention_mask=torch.tensor(mask), labels=torch.tensor(labels)
        ).loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, MAX_NORM)
        self.optimizer.step()


# ---------------------------------------------------------------- on the server


def _live() -> dict[str, float]:
    with LiveServer.playground() as live:
        live.wait_ready()
        return asyncio.run(_class(live.url))


async def _class(url: str) -> dict[str, float]:
    """One reader trains alone, then four train while a fifth asks for the next token of other texts."""
    query = f"lang=en&fin_steps={N_STEPS}"
    async with Reader(url, page="sampling", query="lang=en") as asking:
        idle = [await _ask(asking, i) for i in range(10)]
        async with Reader(url, page="finetuning", query="lang=en&fin_steps=3") as alone:
            first_s = await _until(alone, lambda words: "the held-out loss is" in words)
            await _until_ended(alone, start=False)
        seeds = range(1, N_TOGETHER + 1)
        readers = [Reader(url, page="finetuning", query=f"{query}&fin_seed={seed}") for seed in seeds]
        for reader in readers:
            await reader.__aenter__()
        started = time.perf_counter()
        training = asyncio.gather(*(_until_ended(one) for one in readers))
        await asyncio.sleep(3)
        busy: list[float] = []
        while not training.done() and len(busy) < 40:
            busy.append(await _ask(asking, 100 + len(busy)))
        ended = await training
        for reader in readers:
            await reader.__aexit__(None, None, None)
        same = await _train_the_same(url, query)
    return {
        "steps_a_s": N_TOGETHER * N_STEPS / max(ended),
        "same_steps_a_s": N_TOGETHER * N_STEPS / max(same),
        "fairness": min(ended) / max(ended),
        "first_s": first_s,
        "idle_s": float(np.percentile(idle, 95)),
        "busy_s": float(np.percentile(busy, 95)),
        "wall_s": time.perf_counter() - started,
    }


async def _train_the_same(url: str, query: str) -> list[float]:
    """Readers who chose the same settings: their runs are trained once. Seconds until each is done."""
    readers = [Reader(url, page="finetuning", query=f"{query}&fin_seed=99") for _ in range(N_TOGETHER)]
    for reader in readers:
        await reader.__aenter__()
    ended = await asyncio.gather(*(_until_ended(one) for one in readers))
    for reader in readers:
        await reader.__aexit__(None, None, None)
    return ended


async def _ask(reader: Reader, number: int) -> float:
    started = time.perf_counter()
    await reader.rerun(text=("string_value", f"The teacher of class {number} said that the"))
    return time.perf_counter() - started


async def _until(reader: Reader, is_there: Any) -> float:  # noqa: ANN401  (a test of words)
    """Click Start, then look until the words are there; seconds."""
    started = time.perf_counter()
    run = await reader.rerun(fin_start=("trigger_value", True))
    while not is_there(_words(run)):
        if time.perf_counter() - started > 120:
            raise RuntimeError(f"nothing came: {_words(run)[-500:]}")
        run = await _look(reader)
    return time.perf_counter() - started


async def _until_ended(reader: Reader, *, start: bool = True) -> float:
    started = time.perf_counter()
    run = await reader.rerun(**({"fin_start": ("trigger_value", True)} if start else {}))
    while "Done:" not in _words(run):
        if time.perf_counter() - started > 400 or run.elements("exception"):
            raise RuntimeError(f"the run did not end: {_words(run)[-500:]}")
        run = await _look(reader)
    return time.perf_counter() - started


async def _look(reader: Reader) -> Any:  # noqa: ANN401  (what a run sent)
    """What the page draws next by itself, or the whole page when it repeats nothing."""
    try:
        return await reader.tick()
    except LookupError:
        return await reader.rerun()


def _words(run: Any) -> str:  # noqa: ANN401  (what a run sent)
    return " ".join(one.body for one in run.elements("markdown"))


def _figure(
    metric: str, unit: str, ours: float, peer: float | None, target: float | None, limit: float | None = None
) -> dict[str, Any]:
    ratio = ours / peer if peer else None
    ok = (ratio is None or target is None or ratio >= target) and (limit is None or ours <= limit)
    return {
        "row": 8, "metric": metric, "ours": ours, "peer": peer, "unit": unit, "ratio": ratio,
        "target": target, "limit": limit, "ok": bool(ok),
    }  # fmt: skip

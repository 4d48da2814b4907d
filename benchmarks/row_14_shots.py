"""Row 14: accuracy against the number of examples, against a loop of plain forwards over the same prompts."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from playground.core.demonstrations import draw_demonstrations, split
from playground.core.few_shot import PromptTask, blocks, candidates
from playground.engine.contract.scores import ScoreRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import model_folder
from playground.settings import Settings
from playground.ui.prompting import task_files

N_SHOTS, N_DRAWS, N_ITEMS = (0, 1, 2, 4, 8), 4, 20
EVERY = 8  # of the peer's prompts one in so many is measured


def run() -> list[dict[str, Any]]:
    """Seconds of the whole sweep, of its first point, and between two points."""
    task = task_files.task("sentiment", "en")
    draws = [_prompts(task, draw) for draw in range(N_DRAWS)]
    answers, points_s = _ours(task, draws)
    texts = [text for draw in draws for point in draw for text in point]
    spent_s, peer = _peer(texts[::EVERY], candidates(task.labels, "labelled"))
    if answers[::EVERY] != peer:
        raise RuntimeError("some answers differ from the peer's")
    peer_s = spent_s * len(texts) / len(peer)
    return [
        _figure("a whole sweep", points_s[-1], peer_s, peer_s / points_s[-1], 4.0),
        _figure("its first point", points_s[0], None, 2.0 / points_s[0], 1.0),
        _figure("longest wait for a new point", float(np.diff(points_s).max()), None, None, None),
        _figure("the whole sweep on a CPU, of 60 s", points_s[-1], None, 60.0 / points_s[-1], 1.0),
    ]


def _prompts(task: PromptTask, draw: int) -> list[list[str]]:
    """Number of examples -> the prompt of each item; without examples only in the first draw."""
    _pool, test = split(task.examples, N_ITEMS, 0)
    return [[_text(task, n, draw, one.text) for one in test] for n in N_SHOTS if n or not draw]


def _text(task: PromptTask, n_shot: int, draw: int, query: str) -> str:
    pool, _test = split(task.examples, N_ITEMS, 0)
    return "".join(
        block.text
        for block in blocks(task, draw_demonstrations(pool, n_shot, 1_000 * draw), query, "labelled")
    )


def _ours(task: PromptTask, draws: list[list[list[str]]]) -> tuple[list[int], list[float]]:
    """The answer to every prompt, and the seconds after which each point was known."""
    settings = Settings()
    engine = LocalEngine(settings)
    labels = candidates(task.labels, "labelled")
    list(engine.score(ScoreRequest(settings.default_model, ("Warm up",), (labels,))))
    answers, points_s, started = [], [], time.perf_counter()
    for draw in draws:
        texts = tuple(text for point in draw for text in point)
        for place, scores in engine.score(
            ScoreRequest(settings.default_model, texts, (labels,) * len(texts))
        ):
            answers.append(int(np.argmax(scores.logprobs)))
            if (place + 1) % N_ITEMS == 0:
                points_s.append(time.perf_counter() - started)
    engine.close()
    return answers, points_s


def _peer(texts: list[str], labels: tuple[str, ...]) -> tuple[float, list[int]]:
    """One forward a prompt, the labels read off the last position (each is one token)."""
    settings = Settings()
    folder = model_folder(settings.default_model, settings)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    ids = [tokenizer(label).input_ids for label in labels]
    if any(len(one) != 1 for one in ids):
        raise RuntimeError("the peer reads labels of one token only")
    answers, started = [], time.perf_counter()
    for text in texts:
        with torch.no_grad():
            logits = model(**tokenizer(text, return_tensors="pt"), logits_to_keep=1).logits[0, -1]
        answers.append(int(logits[[one[0] for one in ids]].argmax()))
    return time.perf_counter() - started, answers


def _figure(
    metric: str, ours: float, peer: float | None, ratio: float | None, target: float | None
) -> dict[str, Any]:
    return {
        "row": 14, "metric": metric, "ours": ours, "peer": peer, "peer_name": "a plain forward a prompt",
        "unit": "s", "ratio": ratio, "target": target, "limit": None,
        "ok": target is None or ratio is None or ratio >= target,
    }  # fmt: skip

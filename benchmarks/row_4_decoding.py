"""Row 4: one stream of tokens with every step's distribution, against `generate` keeping its scores."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from playground.core.sampling import Sampling
from playground.engine import create_engine
from playground.engine.contract.generation import GenerateRequest
from playground.engine.models.catalogue import model_folder
from playground.settings import Settings

TEXT = "Once upon a time, in a village by the sea,"
N_TOKENS = 32
ROUNDS = 15


def run() -> list[dict[str, Any]]:
    """Milliseconds a token, interleaved A B B A; the model, settings and number of tokens are the same."""
    settings = Settings()
    engine = create_engine(settings)
    model = settings.default_model
    ids = engine.tokenizers.tokenize(model, TEXT, add_special_tokens=True).input_ids
    peer = AutoModelForCausalLM.from_pretrained(
        model_folder(model, settings), dtype=torch.float32, local_files_only=True
    ).eval()
    prompt = torch.tensor([ids])

    def ours() -> float:
        request = GenerateRequest(
            model, TEXT, sampling=Sampling(0.8, top_p=0.9), seed=0, max_new_tokens=N_TOKENS
        )
        started = time.perf_counter()
        n_steps = len(list(engine.generate(request)))
        return (time.perf_counter() - started) / n_steps * 1e3

    def theirs() -> float:
        started = time.perf_counter()
        with torch.no_grad():
            output = peer.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                do_sample=True,
                temperature=0.8,
                top_p=0.9,
                top_k=0,
                max_new_tokens=N_TOKENS,
                output_scores=True,
                output_logits=True,
                return_dict_in_generate=True,
            )
        n_steps: int = output.sequences.shape[1] - len(ids)
        return (time.perf_counter() - started) / n_steps * 1e3

    ours()
    theirs()
    times: dict[str, list[float]] = {"ours": [], "peer": []}
    for number in range(ROUNDS):
        pair = [("ours", ours), ("peer", theirs)]
        for name, measure in pair if number % 2 else reversed(pair):
            times[name].append(measure())
    engine.close()
    mine, peers = min(times["ours"]), min(times["peer"])
    return [
        {
            "row": 4,
            "metric": "one stream decoding with per-step capture, a token",
            "ours": mine,
            "peer": peers,
            "peer_name": "generate(output_scores, output_logits)",
            "unit": "ms",
            "ratio": peers / mine,
            "target": 1.15,
            "limit": None,
            "median_ratio": median(times["peer"]) / median(times["ours"]),
            "ok": peers / mine >= 1.15,
        }
    ]

"""Row 16a: chunks embedded a second, against sentence-transformers' own encode.

Where that library is not installed, its loop by hand: plain transformers, texts sorted by length, 32 a batch,
mean over the tokens, length 1. Every round has texts of its own, so that nothing is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer, logging

from playground.core import shipped_documents as shipped
from playground.core.chunks import Chunking, boundaries, cut
from playground.engine.contract.retrieval import EncodeRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import catalogue, model_folder
from playground.settings import MULTILINGUAL_ENCODER, Settings

ROUNDS, N_TEXTS, BATCH = 5, 48, 32
MAX_TOKENS = 512
Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]


def run() -> list[dict[str, Any]]:
    """Chunks a second of both, and the ratio."""
    settings = Settings()
    engine = LocalEngine(settings)
    prefix = catalogue(settings)[MULTILINGUAL_ENCODER].prefixes.text
    name, peer = _peer(settings)

    def ours(texts: Sequence[str]) -> Vectors:
        return engine.retrieval.encode(EncodeRequest(MULTILINGUAL_ENCODER, tuple(texts)))

    def theirs(texts: Sequence[str]) -> Vectors:
        return peer([prefix + text for text in texts])

    ours(["warm up"]), theirs(["warm up"])
    rounds = _rounds()
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for number, texts in enumerate(rounds):
        ways = {"ours": ours, "theirs": theirs}
        found = {}
        for way in ways if number % 2 else reversed(ways):
            started = time.perf_counter()
            found[way] = ways[way](texts)
            times[way].append(time.perf_counter() - started)
        np.testing.assert_allclose(found["ours"], found["theirs"], atol=1e-5)
    engine.close()
    speed = {way: N_TEXTS / min(seconds) for way, seconds in times.items()}
    ratio = speed["ours"] / speed["theirs"]
    return [
        {
            "row": 16,
            "metric": f"chunks of 400 characters embedded, {N_TEXTS} at once",
            "ours": speed["ours"],
            "peer": speed["theirs"],
            "peer_name": name,
            "unit": "chunks/s",
            "ratio": ratio,
            "target": 1.0,
            "ok": ratio >= 1.0,
        }
    ]


def _rounds() -> list[list[str]]:
    """Chunks of the shipped documents, each with a number that no other round has."""
    documents = [
        shipped.document(name, code).text for code in shipped.languages() for name in shipped.names()
    ]
    chunks = [text[a:b].strip() for text in documents for a, b in cut(boundaries(text), Chunking())]
    every = len(chunks) // N_TEXTS
    return [[f"{number} {text}" for text in chunks[::every][:N_TEXTS]] for number in range(ROUNDS)]


def _peer(settings: Settings) -> tuple[str, Encode]:
    folder = str(model_folder(MULTILINGUAL_ENCODER, settings))
    if find_spec("sentence_transformers"):
        model = import_module("sentence_transformers").SentenceTransformer(folder, device="cpu")

        def library(texts: Sequence[str]) -> Vectors:
            found: Vectors = model.encode(list(texts), batch_size=BATCH, normalize_embeddings=True)
            return found

        return "sentence-transformers encode", library
    return "transformers in a loop", _loop(folder)


def _loop(folder: str) -> Encode:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    logging.set_verbosity_error()  # a head that the folder has and this needs not
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()

    @torch.no_grad()
    def loop(texts: Sequence[str]) -> Vectors:
        order = sorted(range(len(texts)), key=lambda at: -len(texts[at]))
        rows: list[Vectors | None] = [None] * len(texts)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            given = tokenizer(
                [texts[at] for at in batch], padding=True, truncation=True, max_length=MAX_TOKENS,
                return_tensors="pt",
            )  # fmt: skip
            states = model(**given).last_hidden_state
            mask = given["attention_mask"][..., None]
            means = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1)
            for at, vector in zip(batch, means.numpy(), strict=True):
                rows[at] = vector
        return np.stack([row for row in rows if row is not None])

    return loop

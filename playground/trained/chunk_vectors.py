"""Vectors of chunks: every run of a few words of the texts that are shipped, read by multilingual-e5-small.

One sentence of eight is kept out of the chunks, by its SHA-256; these sentences are the questions that
indexes are asked. Chunks overlap: the more of them, the more words neighbours share.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from playground.core.indexes import shipped
from playground.core.indexes.found import Vectors
from playground.engine.models.catalogue import catalogue
from playground.engine.models.loading import pull
from playground.engine.models.shipped import trained_assets
from playground.engine.models.whole_folder import METADATA, seal, write_json
from playground.paths import site_root
from playground.settings import MULTILINGUAL_ENCODER, Settings
from playground.trained.masked_texts import is_held_out

SEED = 23  # of the order of the chunks
N_SHIPPED, N_QUESTIONS = 2_000, 200
WINDOWS = (8, 12, 16, 20)  # words of a chunk
MAX_TOKENS = 64
_ROWS = 64  # texts of one forward


def _silent(_line: str) -> None:
    """Tell nobody."""


def chunks(n: int) -> tuple[str, ...]:
    """The first `n` chunks of all there are, in an order drawn once: a smaller set lies within a larger one.

    Raises:
        ValueError: The texts have fewer.
    """
    every = _windows(_words())
    if n > len(every):
        raise ValueError(f"{n} chunks of {len(every)}")
    order = np.random.default_rng(SEED).permutation(len(every))[:n]
    return tuple(every[place] for place in order)


def questions(n: int = N_QUESTIONS) -> tuple[str, ...]:
    """Sentences that are in no chunk, by their SHA-256."""
    words = " ".join(_words())  # a short sentence may also be part of another
    held_out = [text for text in _sentences() if is_held_out(text) and text not in words]
    return tuple(sorted(held_out, key=lambda text: hashlib.sha256(text.encode()).digest())[:n])


def read(texts: Sequence[str], prefix: str, tell: Callable[[str], None] = _silent) -> Vectors:
    """Mean of the last states of each text, of length 1. Shape [text, 384].

    Args:
        texts: The texts.
        prefix: Comes before each.
        tell: Is told how far it is.
    """
    settings = Settings()
    folder = pull(catalogue(settings)[MULTILINGUAL_ENCODER], settings, lambda _message, _fraction: None)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.bfloat16).eval()  # 3 times as fast; cosine 0.9999
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    vectors = np.empty((len(texts), model.config.hidden_size), dtype=np.float32)
    for start in range(0, len(order), _ROWS):
        places = order[start : start + _ROWS]
        batch = tokenizer(
            [prefix + texts[place] for place in places],
            padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt",
        )  # fmt: skip
        with torch.inference_mode():
            states = model(**batch).last_hidden_state.float()
        mask = batch.attention_mask[..., None]
        means = (states * mask).sum(1) / mask.sum(1)
        vectors[places] = torch.nn.functional.normalize(means, dim=-1).numpy()
        if start % (50 * _ROWS) == 0:
            tell(f"{start:,} of {len(texts):,} texts")
    return vectors


def make(assets: Path, tell: Callable[[str], None], n: int = N_SHIPPED) -> None:
    """Write the first `n` chunks, the questions and their vectors below the folder `assets/trained/`.

    Args:
        assets: The folder.
        tell: Is told how far it is.
        n: Number of chunks.
    """
    folder = assets / shipped.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    texts, asked = chunks(n), questions()
    made = shipped.ShippedChunks(texts, read(texts, "passage: ", tell), asked, read(asked, "query: "))
    shipped.write(folder / shipped.FILE, made)
    kept = shipped.read(folder / shipped.FILE)
    least = float((kept.vectors * made.vectors).sum(axis=1).min())
    note = {
        "source": f"python -m playground.trained {shipped.FOLDER}",
        "script": __name__,
        "seed": SEED,
        "model": MULTILINGUAL_ENCODER,
        "figures": {"least cosine with the vector before it was rounded to bytes": least},
    }
    write_json(folder / METADATA, note)
    seal(folder)


def kept_vectors(folder: Path, n: int, tell: Callable[[str], None]) -> tuple[Vectors, Vectors]:
    """Vectors of the first `n` chunks and of the questions, from `folder` or computed and kept there.

    Returns:
        Shapes [n, 384] and [N_QUESTIONS, 384].
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts, asked = chunks(n), questions()
    digest = hashlib.sha256("\n".join([*texts, *asked]).encode()).hexdigest()[:16]
    path = folder / f"chunks-{n}-{digest}.npz"
    if not path.exists():
        np.savez(path, base=read(texts, "passage: ", tell), queries=read(asked, "query: "))
    with np.load(path) as file:
        return file["base"], file["queries"]


def _sentences() -> list[str]:
    samples = site_root() / "assets" / "samples"
    lines = (trained_assets() / "e5-masked-head" / "sentences.txt").read_text("utf-8").splitlines()
    for language in ("en", "ko"):
        text = (samples / f"corpus_{language}.txt").read_text("utf-8")
        lines += re.split(r"(?<=[.!?])\s+", text)
        for passage in json.loads((samples / language / "passages.json").read_text("utf-8")):
            lines += re.split(r"(?<=[.!?])\s+", str(passage))
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


def _words() -> list[str]:
    return " ".join(text for text in _sentences() if not is_held_out(text)).split()


def _windows(words: Sequence[str]) -> list[str]:
    every = [" ".join(words[at : at + n]) for n in WINDOWS for at in range(len(words) - n + 1)]
    return list(dict.fromkeys(every))

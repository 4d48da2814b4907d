"""Row 11: training byte pair encoding on 100 kB, against minbpe's algorithm as it is written."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from playground.core import bpe
from playground.paths import site_root

SIZE_BYTES = 100_000
N_MERGES = 500
ROUNDS = 15


def text() -> str:
    """100,000 bytes of English and Korean: the words of our sample texts, drawn until it is long enough."""
    folder = site_root() / "assets" / "samples"
    words = " ".join((folder / f"corpus_{code}.txt").read_text("utf-8") for code in ("en", "ko")).split()
    drawn = random.Random(0)
    found: list[str] = []
    size = 0
    while size < SIZE_BYTES:
        word = drawn.choice(words)
        if drawn.random() < 0.2:  # rare words, as every real text has them
            word += drawn.choice(words)
        found.append(word)
        size += len(word.encode()) + 1
    return " ".join(found).encode()[:SIZE_BYTES].decode("utf-8", "ignore")


def minbpe(chunks: list[str], n_merges: int) -> list[tuple[int, int]]:
    """Count every pair of the whole text, merge the most frequent one everywhere, begin again.

    Source:
        Sennrich et al. 2016, arXiv:1508.07909, algorithm 1; in the form of github.com/karpathy/minbpe,
        `RegexTokenizer.train` (`get_stats`, `merge`), with the tie rule of `core.bpe`.
    """
    ids = [bpe.byte_ids(chunk) for chunk in chunks]
    merges = []
    for i in range(n_merges):
        counts: dict[tuple[int, int], int] = {}
        for chunk in ids:
            for pair in zip(chunk, chunk[1:], strict=False):  # noqa: RUF007  (as written there)
                counts[pair] = counts.get(pair, 0) + 1
        if not counts:
            break
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        ids = [_merge(chunk, pair, 256 + i) for chunk in ids]
        merges.append(pair)
    return merges


def _merge(ids: list[int], pair: tuple[int, int], new: int) -> list[int]:
    merged = []
    i = 0
    while i < len(ids):
        if ids[i] == pair[0] and i < len(ids) - 1 and ids[i + 1] == pair[1]:
            merged.append(new)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


def run() -> list[dict[str, Any]]:
    """Seconds for the same merges; the peer's rounds are few because each takes that long."""
    sample = text()
    chunks = bpe.words(sample)
    assert [step.pair for step in bpe.train(sample, N_MERGES).steps] == minbpe(chunks, N_MERGES)
    mine = [_seconds(lambda: bpe.train(sample, N_MERGES)) for _ in range(ROUNDS)]
    peer = [_seconds(lambda: minbpe(chunks, N_MERGES)) for _ in range(2)]
    ratio = min(peer) / min(mine)
    return [
        {
            "row": 11,
            "metric": f"BPE training, {SIZE_BYTES // 1000} kB, {N_MERGES} merges",
            "ours": min(mine),
            "peer": min(peer),
            "peer_name": "minbpe's algorithm, same words, same merges",
            "unit": "s",
            "ratio": ratio,
            "target": 10.0,
            "limit": 2.0,
            "median": median(mine),
            "ok": ratio >= 10 and median(mine) <= 2,
        }
    ]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started

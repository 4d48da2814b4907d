"""Row 16: recall@10 of our IVF, LSH, PQ and HNSW beside faiss's at the same settings, 10,000 real chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import faiss
import numpy as np

from playground.core.indexes.flat import Flat
from playground.core.indexes.found import Found, Places, Vectors, recall
from playground.core.indexes.hnsw import Hnsw
from playground.core.indexes.ivf import Ivf
from playground.core.indexes.lsh import LshCodes
from playground.core.indexes.pq import Pq
from playground.paths import site_root
from playground.trained.chunk_vectors import kept_vectors

N, K = 10_000, 10
POINTS = 0.03  # of recall
# Training and layers are drawn: one draw alone moves recall by up to 5 points.
N_DRAWS = {"ivf": 4, "lsh": 4, "pq": 2, "hnsw": 2}
Both = Callable[..., tuple[float, float]]


def run() -> list[dict[str, Any]]:
    """Recall of each case, and of faiss."""
    faiss.omp_set_num_threads(1)
    real = real_of(*kept_vectors(site_root() / "build" / "chunk_vectors", N, print))
    return [_figure(real, both, settings) for both, settings in CASES]


def _figure(real: Real, both: Both, settings: Sequence[int]) -> dict[str, Any]:
    own, theirs = compared(real, both, settings, N_DRAWS[both.__name__])
    return {
        "row": 16,
        "metric": f"{both.__name__}{tuple(settings)} over {N:,} chunks",
        "ours": own,
        "peer": theirs,
        "peer_name": "faiss at the same settings",
        "unit": "recall@10",
        "ratio": own / theirs,
        "target": (theirs - POINTS) / theirs,
        "ok": abs(own - theirs) <= POINTS,
    }


def compared(real: Real, both: Both, settings: Sequence[int], n_draws: int) -> tuple[float, float]:
    """Mean recall of ours and of faiss over some seeds."""
    own, theirs = np.mean([both(real, seed, *settings) for seed in range(n_draws)], axis=0)
    return float(own), float(theirs)


@dataclass(frozen=True)
class Real:
    """Chunks' vectors [n, d], questions' vectors [question, d], the exact answers [question, K]."""

    vectors: Vectors
    questions: Vectors
    exact: Places

    def recall(self, search: Callable[[Vectors], Found]) -> float:
        """Mean recall@10 of a search over the questions."""
        found = [search(question).places for question in self.questions]
        return self.recall_of(found)

    def recall_of(self, found: list[Places] | Places) -> float:
        """Mean recall@10 of answers. Shape [question, K]."""
        return float(np.mean([recall(own, exact) for own, exact in zip(found, self.exact, strict=True)]))


def real_of(vectors: Vectors, questions: Vectors) -> Real:
    """The vectors with their exact answers. Shapes [n, d] and [question, d]."""
    flat = Flat(vectors)
    return Real(vectors, questions, np.stack([flat.search(one, K).places for one in questions]))


def ivf(real: Real, seed: int, n_cells: int, n_probe: int) -> tuple[float, float]:
    """Recall of IVF: ours and faiss's."""
    own = Ivf.build(real.vectors, n_cells, seed)
    d = real.vectors.shape[1]
    theirs = faiss.IndexIVFFlat(faiss.IndexFlatL2(d), d, n_cells)
    theirs.cp.seed, theirs.cp.min_points_per_centroid, theirs.nprobe = seed, 1, n_probe
    return real.recall(lambda one: own.search(one, K, n_probe)), found_by(theirs, real, real.vectors)


def lsh(real: Real, seed: int, n_bits: int) -> tuple[float, float]:
    """Recall of codes of signs: ours and faiss's."""
    own = LshCodes.build(real.vectors, n_bits, seed)
    theirs = faiss.IndexLSH(real.vectors.shape[1], n_bits)
    theirs.rrot.init(seed)
    theirs.is_trained = True  # its planes are drawn
    middle = real.vectors.mean(axis=0)
    return real.recall(lambda one: own.search(one, K)), found_by(theirs, real, real.vectors - middle, middle)


def pq(real: Real, seed: int, n_parts: int, n_bits: int) -> tuple[float, float]:
    """Recall of PQ: ours and faiss's."""
    own = Pq.build(real.vectors, n_parts, n_bits, 100 * seed)
    theirs = faiss.IndexPQ(real.vectors.shape[1], n_parts, n_bits)
    theirs.pq.cp.seed, theirs.pq.cp.min_points_per_centroid = seed + 1, 1
    return real.recall(lambda one: own.search(one, K)), found_by(theirs, real, real.vectors)


def hnsw(real: Real, seed: int, m: int, ef_construction: int, ef: int) -> tuple[float, float]:
    """Recall of HNSW: ours and faiss's."""
    own = Hnsw.build(real.vectors, m, ef_construction, seed)
    theirs: Any = faiss.IndexHNSWFlat(real.vectors.shape[1], m)
    theirs.hnsw.rng = cast("Any", faiss).RandomGenerator(seed + 1)
    theirs.hnsw.efConstruction, theirs.hnsw.efSearch = ef_construction, ef
    return real.recall(lambda one: own.search(one, K, ef)), found_by(theirs, real, real.vectors)


def found_by(index: faiss.Index, real: Real, vectors: Vectors, middle: Vectors | float = 0.0) -> float:
    """Recall of an index of faiss over vectors [n, d], after `middle` is taken off the questions."""
    if not index.is_trained:
        index.train(vectors)
    index.add(vectors)
    return real.recall_of(index.search(np.ascontiguousarray(real.questions - middle), K)[1])


CASES: Sequence[tuple[Both, Sequence[int]]] = [
    (ivf, (400, 4)),
    (ivf, (400, 32)),
    (lsh, (128,)),
    (lsh, (384,)),
    (pq, (16, 8)),
    (pq, (48, 8)),
    (hnsw, (16, 40, 16)),
    (hnsw, (16, 40, 64)),
    (hnsw, (32, 40, 32)),
]

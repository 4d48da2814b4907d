"""Recall and time of two indexes of faiss over vectors, against exact search."""

import time
from pathlib import Path

import faiss
import numpy as np

file = "~/Downloads/vectors.npz"  # the button "Vectors" below the picture of the index
n_questions = 20  # of the vectors themselves, which are then left out
bits = 4
k = 10

with np.load(Path(file).expanduser()) as kept:
    vectors = np.random.default_rng(0).permutation(kept["vectors"])
questions, vectors = vectors[:n_questions], vectors[n_questions:]
d = vectors.shape[1]
faiss.omp_set_num_threads(1)

exact = faiss.IndexFlatL2(d)
hnsw = faiss.IndexHNSWFlat(d, 16)
hnsw.hnsw.efSearch = 32
pq = faiss.IndexPQ(d, 16, bits)
answer = None
for name, index in {"exact": exact, "HNSW M 16, ef 32": hnsw, f"PQ m 16, bits {bits}": pq}.items():
    index.train(vectors)
    index.add(vectors)
    started = time.perf_counter()
    found = [index.search(question[None], k)[1][0] for question in questions]
    us = 1e6 * (time.perf_counter() - started) / n_questions
    answer = found if answer is None else answer
    recall = np.mean([np.isin(own, other).mean() for own, other in zip(answer, found, strict=True)])
    print(f"{name}: recall@{k} {recall:.3f}, {us:.0f} microseconds a question")

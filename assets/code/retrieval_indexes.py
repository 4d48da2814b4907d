"""The chunks nearest to a question: exactly, and by an index of faiss with the page's settings.

faiss draws its own cells, planes and layers, so what it misses can differ from the page; the exact answer is
the page's.
"""

from pathlib import Path

import faiss
import numpy as np

file = "~/Downloads/vectors.npz"  # the button "Vectors" below the picture
kind = "hnsw"
settings = {"M": 8, "efConstruction": 40, "ef": 10}
k = 10

with np.load(Path(file).expanduser()) as kept:
    vectors, query = kept["vectors"], kept["query"]
d = vectors.shape[1]
distances = ((vectors - query) ** 2).sum(axis=1)
exact = distances.argsort(kind="stable")[:k]
for rank, place in enumerate(exact, 1):
    print(f"{rank}. chunk {place + 1}, squared distance {distances[place]:.4f}")

middle = np.zeros(d, dtype=np.float32)
if kind == "hnsw":
    index = faiss.IndexHNSWFlat(d, settings["M"])
    index.hnsw.efConstruction, index.hnsw.efSearch = settings["efConstruction"], settings["ef"]
elif kind == "ivf":
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(d), d, settings["cells"])
    index.nprobe = settings["nprobe"]
elif kind == "pq":
    index = faiss.IndexPQ(d, settings["m"], settings["bits"])
elif kind == "lsh":  # faiss compares the bits themselves, without buckets
    index, middle = faiss.IndexLSH(d, settings["bits"]), vectors.mean(axis=0)
else:
    index = faiss.IndexFlatL2(d)
index.train(vectors - middle)
index.add(vectors - middle)
found = index.search((query - middle)[None], k)[1][0]
print(
    f"faiss {kind} {settings} found {len(set(found) & set(exact))} of {k}:",
    [int(place) + 1 for place in found],
)

"""Indexes of vectors in readable NumPy, a file an index: flat, IVF, LSH, PQ, HNSW.

All but the flat one order by squared Euclidean distance; for vectors of length 1 that is the order of cosine
and dot product. The same seed gives the same index.
"""

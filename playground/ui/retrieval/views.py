"""An index and its search for one query, as the theatre draws them."""

from __future__ import annotations

import numpy as np

from playground.core.chunk_map import Plane
from playground.core.indexes.found import Places, Vectors, nearest, squared_l2
from playground.core.indexes.hnsw import Hnsw, Step
from playground.core.indexes.ivf import Ivf
from playground.core.indexes.lsh import LshTables
from playground.core.indexes.pq import Pq, squared_error
from playground.ui.components.index_theatre import View

N_PROBES = 32  # buckets of a table that the slider reaches
_BINS = 48  # of the histogram of a plane, as hashing.js has them
_SHOWN_CANDIDATES, _SHOWN_BEST = 12, 10
_FLOAT_BYTES = 4


def ivf_view(index: Ivf, query: Vectors, on: Plane) -> View:
    """The cells by their distance. Shape of the query [d]."""
    order, distances = index.cell_order(query)
    head = {"order": order.tolist(), "centroid_distances": distances.tolist()}
    middles = on.place(index.centroids).astype(np.float32)
    return View("ivf", head, {"cells": index.cells.astype(np.uint16), "middles": middles})


def lsh_view(index: LshTables, query: Vectors) -> View:
    """The planes of every table, and the buckets that a search reads. Shape of the query [d]."""
    n_tables, n_bits, _d = index.planes.shape
    signed = index.signed_distances(query)
    sides = (index.vectors - index.middle) @ index.planes.reshape(n_tables * n_bits, -1).T
    reach = 1.02 * np.maximum(np.abs(sides).max(axis=0), np.abs(signed).ravel())
    histograms = [
        np.histogram(own, _BINS, (-most, most))[0] for own, most in zip(sides.T, reach.tolist(), strict=True)
    ]
    head = {
        "n_tables": n_tables,
        "n_bits": n_bits,
        "probes": index.probed(query, min(N_PROBES, 2**n_bits)),
        "signed": signed.tolist(),
        "reach": reach.reshape(n_tables, n_bits).tolist(),
    }
    arrays = {"keys": index.keys.astype(np.int32), "histograms": np.stack(histograms).astype(np.int32)}
    return View("lsh", head, arrays)


def pq_view(index: Pq, vectors: Vectors, query: Vectors, exact: Places) -> View:
    """Codes, what they stand for, and the distances looked up. Shapes [n, d], [d] and [k]."""
    n, n_parts = index.codes.shape
    table = index.table(query)
    rebuilt = index.reconstructed()
    coded = squared_l2(rebuilt, query)
    found = nearest(np.arange(n), coded, len(exact), 0).places
    shown = np.unique(np.concatenate([exact, found]))
    entries = table.shape[1]
    head = {
        "n_parts": n_parts,
        "n_entries": entries,
        "found": found.tolist(),
        "shown": shown.tolist(),
        "code_bytes": int(np.ceil(n_parts * np.ceil(np.log2(max(2, entries))) / 8)),
        "whole_bytes": _FLOAT_BYTES * vectors.shape[1],
    }
    arrays = {
        "table": table.astype(np.float32),
        "coded": coded,
        "errors": squared_error(vectors, rebuilt),
        "originals": vectors[shown],
        "rebuilt": rebuilt[shown],
        "codes": index.codes,
    }
    return View("pq", head, arrays)


def hnsw_view(index: Hnsw, path: list[Step]) -> View:
    """The steps of a search."""
    steps = [
        {
            "layer": step.layer,
            "node": step.node,
            "distance": step.distance,
            "neighbours": step.neighbours,
            "new": [node for _distance, node in step.new],
            "candidates": step.candidates[:_SHOWN_CANDIDATES],
            "n_candidates": len(step.candidates),
            "found": step.found[:_SHOWN_BEST],
            "n_found": len(step.found),
        }
        for step in path
    ]
    layers = [int((index.levels >= layer).sum()) for layer in range(index.n_layers)]
    return View("hnsw", {"steps": steps, "layers": layers}, {"levels": index.levels.astype(np.uint8)})

"""The input embedding matrix as plain numbers, and what it was before training."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
import torch
from numpy.typing import NDArray

from playground.core.embeddings import EmbeddingTable
from playground.engine.models.loaded import LoadedModel

MAX_TABLES = 2  # on a GPU or in half precision a table is a copy: 113 MB for the default model

_lock = threading.Lock()
_tables: OrderedDict[tuple[str, str, int], EmbeddingTable] = OrderedDict()


def embedding_table(loaded: LoadedModel) -> EmbeddingTable:
    """The table of a model, one for the whole process: thirty readers hold the same memory.

    In fp32 on the CPU it is the model's own memory, read-only; elsewhere one copy.
    """
    weight = loaded.model.get_input_embeddings().weight
    key = (loaded.info.model_id, loaded.info.revision, id(weight))
    with _lock:
        table = _tables.get(key)
        if table is None:
            table = _tables[key] = EmbeddingTable(
                model_id=loaded.info.model_id,
                revision=loaded.info.revision,
                dtype=loaded.info.dtype,
                device=loaded.info.device,
                vectors=weight.detach().float().cpu().numpy(),
            )
        _tables.move_to_end(key)
        while len(_tables) > MAX_TABLES:
            _tables.popitem(last=False)
        return table


def untrained_vectors(n_vectors: int, d_model: int, seed: int) -> NDArray[np.float32]:
    """The weights a new `torch.nn.Embedding` starts with: every number drawn from N(0, 1).

    The seed is this call's own; torch's process-wide one is neither read nor changed.

    Returns:
        Shape [n_vectors, d_model].
    """
    weight = torch.empty(n_vectors, d_model)
    torch.nn.init.normal_(weight, generator=torch.Generator().manual_seed(seed))
    found: NDArray[np.float32] = weight.numpy()
    return found

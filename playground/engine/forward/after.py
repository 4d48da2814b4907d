"""The next token after a text that has been read, and a few tokens more: only those are read."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from transformers.cache_utils import DynamicCache

from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.engine.forward.head import logits_of
from playground.engine.forward.traces import InputRow, pad
from playground.engine.models.finite import check_finite
from playground.engine.models.loaded import LoadedModel

NEXT_TOKEN = Capture(logits="last")


def goes_on(loaded: LoadedModel, row: InputRow, capture: Capture, read: Trace | None) -> bool:
    """True if a row can be read on from the end of a trace of the same model: it begins with that text.

    Args:
        loaded: The model.
        row: The row to be read.
        capture: The values wanted of it.
        read: The trace.
    """
    info = loaded.info
    if read is None or read.keys is None or read.values is None or info.kind != "decoder":
        return False
    n, named = len(read.input_ids), (info.model_id, info.revision, info.dtype)
    return (
        capture == NEXT_TOKEN
        and row == InputRow(row.input_ids)
        and (read.model_id, read.revision, read.dtype) == named
        and 0 < n < len(row.input_ids)
        and row.input_ids[:n] == tuple(read.input_ids.tolist())
    )


def run_after(loaded: LoadedModel, rows: Sequence[tuple[InputRow, Trace]]) -> list[Trace]:
    """Read the rest of all rows in one forward.

    Args:
        loaded: The model; called only from the engine's thread.
        rows: Each with the trace it goes on from, as `goes_on` allows.

    Returns:
        Traces as `run_traces` gives them, with the logits of the last position.

    Raises:
        NotFinite: A row gives no numbers.
    """
    started = time.perf_counter()
    read = [len(trace.input_ids) for _row, trace in rows]
    rest = [row.input_ids[n:] for (row, _trace), n in zip(rows, read, strict=True)]
    ids, mask = pad(rest, loaded.device)
    places = torch.tensor(read, device=loaded.device)[:, None]
    longest = max(read)
    before = torch.arange(longest, device=loaded.device)[None] >= longest - places  # padded on the left
    seen = torch.ones_like(ids) if mask is None else mask
    output = loaded.model.base_model(
        input_ids=ids,
        position_ids=places + torch.arange(ids.shape[1], device=loaded.device)[None],
        attention_mask=torch.cat([before.to(seen.dtype), seen], dim=1),
        past_key_values=_cache(loaded, [trace for _row, trace in rows], longest),
        use_cache=True,
    )
    ends = torch.tensor([len(one) - 1 for one in rest], device=loaded.device)
    states = output.last_hidden_state[torch.arange(len(rows), device=loaded.device), ends]
    computed = logits_of(loaded.model, states)
    check_finite(loaded, computed)
    logits = computed.cpu().numpy()
    elapsed_ms = (time.perf_counter() - started) * 1e3
    return [
        Trace(
            model_id=loaded.info.model_id,
            revision=loaded.info.revision,
            adapter=loaded.info.adapter or None,
            dtype=loaded.info.dtype,
            device=loaded.info.device,
            input_ids=np.array(row.input_ids, dtype=np.int64),
            logits=logits[[at]],
            logit_positions=np.array([len(row.input_ids) - 1], dtype=np.int64),
            elapsed_ms=elapsed_ms,
        )
        for at, (row, _trace) in enumerate(rows)
    ]


def _cache(loaded: LoadedModel, read: Sequence[Trace], longest: int) -> DynamicCache:
    """Keys and values of these texts, padded on the left."""
    cache = DynamicCache(config=loaded.model.config)
    parts = []
    for name in ("keys", "values"):
        first = getattr(read[0], name)
        n_layer, n_head, _n, d_head = first.shape
        filled = np.zeros((n_layer, len(read), n_head, longest, d_head), dtype=np.float32)
        for at, trace in enumerate(read):
            own = getattr(trace, name)
            filled[:, at, :, longest - own.shape[2] :] = own
        parts.append(torch.from_numpy(filled).to(loaded.device, loaded.dtype))
    for layer, (keys, values) in enumerate(zip(*parts, strict=True)):
        cache.update(keys, values, layer)
    return cache

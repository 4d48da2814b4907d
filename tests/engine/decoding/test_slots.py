"""Slots of a decode batch: a row that takes a slot again finds nothing of the row before."""

from __future__ import annotations

import torch
from transformers import DynamicCache

from playground.engine.decoding.slots import SlotCache


def read(n_rows: int, length: int, number: float) -> DynamicCache:
    """A cache of one layer, as a forward leaves it: keys and values all of one number."""
    cache = DynamicCache()
    states = torch.full((n_rows, 1, length, 2), number)
    cache.update(states, states.clone(), 0)
    return cache


def test_what_a_broken_row_left_in_its_slot_reaches_nobody() -> None:
    slots = SlotCache(1)
    slots.join(read(1, 9, 1.0), [0], [9])
    slots.join(read(1, 12, torch.nan), [0], [12])
    slots.leave(1)
    slots.join(read(1, 3, 2.0), [0], [3])
    step = slots.prepare_step(torch.device("cpu"))
    new = torch.full((2, 1, 1, 2), 3.0)
    keys, values = slots.layers[0].update(new, new)
    assert torch.isfinite(keys).all()
    assert torch.isfinite(values).all()
    query = torch.ones(2, 1, 1, 2)
    out = torch.nn.functional.scaled_dot_product_attention(
        query, keys, values, attn_mask=step["attention_mask"]
    )
    assert torch.isfinite(out).all()
    assert 2 <= out[1].min() <= out[1].max() <= 3, "the short row sees its own three, and the new one"

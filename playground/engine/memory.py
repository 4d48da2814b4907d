"""Whether an error means that there was no room."""

from __future__ import annotations

import gc

import torch


def is_out_of_memory(error: Exception) -> bool:
    """Whether the device, or the CPU's allocator, had no room."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    found = isinstance(error, RuntimeError) and "not enough memory" in str(error)
    if found:
        gc.collect()
    return found

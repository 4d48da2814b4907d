"""Memory of this process: the collector while much is made, and errors that mean there was no room."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

NO_ROOM = (  # in the RuntimeErrors of torch's allocator on Linux, macOS and Windows, Metal, cuBLAS, C++
    "can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED", "bad_alloc",
)  # fmt: skip


def is_out_of_memory(error: BaseException) -> bool:
    """True if the device, or the CPU's allocator, had no room."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    found = isinstance(error, RuntimeError) and any(words in str(error) for words in NO_ROOM)
    if found:
        gc.collect()
    return found


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection while hundreds of thousands of lasting objects are made (imports: 15 % less)."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def freeze_heap() -> None:
    """Take everything alive now out of the garbage collector's sight.

    Modules, models and tokenizers stay until the end: 431,000 objects that every full collection would walk
    (250 ms with the interpreter's lock held). Called after the warm-up and after each model loaded later.
    """
    gc.collect()
    gc.freeze()

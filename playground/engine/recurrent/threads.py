"""One thread for small networks: their products are so short that a second one costs more than it brings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch


@contextmanager
def threads(n: int) -> Iterator[int]:
    """So many threads for each operation of torch in the calling thread; gives their number before.

    Args:
        n: Number of threads.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield before
    finally:
        torch.set_num_threads(before)


def lending(give_way: Callable[[], None], n: int) -> Callable[[], None]:
    """The same, with `n` threads for those who are let in.

    Args:
        give_way: Lets others use the engine.
        n: Number of threads.
    """

    def lent() -> None:
        with threads(n):
            give_way()

    return lent

"""The cache never holds more bytes than its budget, and what was used last stays."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from playground.core.byte_cache import ByteCache

BUDGET = 100


@dataclass
class Value:
    size_bytes: int


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 130)), max_size=60))
def test_budget_holds_and_the_last_used_stays(puts: list[tuple[int, int]]) -> None:
    cache: ByteCache[Value] = ByteCache(BUDGET)
    order: list[tuple[int, int]] = []
    for key, size in puts:
        cache.put(key, Value(size))
        if size <= BUDGET:
            order = [kept for kept in order if kept[0] != key] + [(key, size)]
            while sum(kept_size for _, kept_size in order) > BUDGET:
                order.pop(0)
        assert cache.size_bytes == sum(kept_size for _, kept_size in order) <= BUDGET
    held = dict(order)
    for key in range(10):
        found = cache.get(key)
        assert (found.size_bytes if found else None) == held.get(key)


def test_a_value_that_was_read_outlives_one_that_was_not() -> None:
    cache: ByteCache[Value] = ByteCache(BUDGET)
    cache.put("old", Value(40))
    cache.put("new", Value(40))
    cache.get("old")
    cache.put("newest", Value(40))
    assert (cache.get("old"), cache.get("new")) == (Value(40), None)


def test_many_threads_leave_the_count_right() -> None:
    cache: ByteCache[Value] = ByteCache(BUDGET)

    def work(seed: int) -> None:
        for i in range(300):
            cache.put((seed * i) % 17, Value((seed + i) % 50))
            cache.get(i % 17)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [value.size_bytes for key in range(17) if (value := cache.get(key)) is not None]
    assert cache.size_bytes == sum(held) <= BUDGET

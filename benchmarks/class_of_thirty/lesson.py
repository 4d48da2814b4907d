"""A lesson: all students at once for some minutes."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Mapping

from benchmarks.class_of_thirty.actions import Book
from benchmarks.class_of_thirty.records import Class
from benchmarks.class_of_thirty.student import Plan, Student

GRACE_S = 30.0  # what was begun before the end may come until then
SLOW_S = 0.02  # between two messages of the student on a slow line
TOGETHER_S = 10.0  # within which all come in


def plans(
    url: str, books: Mapping[str, Book], *, readers: int, lasts_s: float, think_s: float, seed: int
) -> list[Plan]:
    """Each student's plan: five reload, five close a tab, a quarter trains, a sixth sweeps, one is slow."""
    draw = random.Random(seed)
    deeds: dict[int, dict[float, str]] = defaultdict(dict)

    def give(deed: str, n: int, low: float, high: float) -> None:
        able = deed in ("reload", "close") or any(
            one.kind == deed for book in books.values() for one in book.actions
        )
        for student in draw.sample(range(readers), min(n, readers)) if able else ():
            deeds[student][draw.uniform(low, high) * lasts_s] = deed

    give("training", max(1, readers // 4), 0.05, 0.45)
    give("sweep", max(1, readers // 6), 0.05, 0.5)
    give("reload", min(5, readers), 0.2, 0.9)
    give("close", min(5, readers), 0.2, 0.8)
    return [
        Plan(number, seed, url, books, deeds[number], think_s, SLOW_S if number == readers - 1 else 0.0)
        for number in range(readers)
    ]


async def lesson(todo: list[Plan], lasts_s: float, grace_s: float = GRACE_S) -> Class:
    """All of them together; what has not ended after the grace is cut."""
    of = Class(slow=next((plan.student for plan in todo if plan.pause_s), -1))
    began = time.perf_counter()
    ends = began + lasts_s

    async def one(number: int, plan: Plan) -> None:
        await asyncio.sleep(TOGETHER_S * number / len(todo) * min(1.0, lasts_s / 60))
        await Student(plan, of, began).live(ends)

    tasks = [asyncio.create_task(one(*each)) for each in enumerate(todo)]
    _done, late = await asyncio.wait(tasks, timeout=lasts_s + grace_s)
    for task in late:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    of.lasted_s = time.perf_counter() - began
    for result in results:
        if isinstance(result, Exception):
            raise result
    return of

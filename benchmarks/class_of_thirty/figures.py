"""Statistics of a class."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.class_of_thirty.records import Record


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of them lies, between two values by their distance, as NumPy's default.

    Args:
        values: At least one, in any order.
        share: 0 to 1.
    """
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


def jain(values: Sequence[float]) -> float:
    """Jain's index of fairness, (sum x)^2 / (n sum x^2): 1 = all have the same, 1/n = one has everything."""
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 1.0


def service(records: Iterable[Record]) -> dict[int, float]:
    """How well each student was served: the wait that all have on average for what she did, by her own.

    1 = as everybody.
    """
    seen = [(one, wait) for one in records if (wait := one.wait_s) is not None and one.kind != "rest"]
    of_action: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one, wait in seen:
        of_action[one.page, one.action].append(wait)
    usual: dict[int, float] = defaultdict(float)
    own: dict[int, float] = defaultdict(float)
    for one, wait in seen:
        waits = of_action[one.page, one.action]
        usual[one.student] += sum(waits) / len(waits)
        own[one.student] += wait
    return {student: usual[student] / own[student] for student in own if own[student]}


def table(records: Iterable[Record]) -> list[dict[str, Any]]:
    """One row for each page and action: how often, p50, p95 and worst of first picture and of end, queue."""
    groups: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for one in records:
        groups[one.page, one.action].append(one)
    return [row(page, action, ones) for (page, action), ones in sorted(groups.items())]


def row(page: str, action: str, records: Sequence[Record]) -> dict[str, Any]:
    """The row of these records."""
    first = [wait for one in records if (wait := one.wait_s) is not None]
    done = [one.done_s for one in records if not one.cut]
    queued = [one.queued_s for one in records]
    return {
        "page": page,
        "action": action,
        "n": len(records),
        "n_cut": sum(bool(one.cut) for one in records),
        "n_errors": sum(bool(one.error) for one in records),
        "first": three(first),
        "done": three(done),
        "queued": three(queued),
        "place": max((one.place for one in records), default=0),
    }


def three(values: Sequence[float]) -> tuple[float, float, float] | None:
    """p50, p95 and worst, None of nothing."""
    return (percentile(values, 0.5), percentile(values, 0.95), max(values)) if values else None

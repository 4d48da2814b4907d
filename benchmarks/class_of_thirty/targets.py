"""The targets of a class and of its memory, as rows of the table of the benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.class_of_thirty import figures
from benchmarks.class_of_thirty.measure import Found
from benchmarks.class_of_thirty.records import Record

MB = 2**20


def waits(records: Sequence[Record], wanted: Callable[[Record], bool]) -> list[float]:
    """Seconds waited for the picture in the actions that are wanted."""
    found = [one.wait_s for one in records if one.kind != "rest" and wanted(one)]
    return [wait for wait in found if wait is not None]


def rows(found: Found) -> list[dict[str, Any]]:
    """One figure each."""
    ours = found.ours.of
    every = waits(ours.timed, lambda one: True)
    made = [_figure(3, "class: p95 over all actions", _p95(every), "s")]
    if found.peer is not None:
        theirs = _p95(waits(found.peer.of.timed, lambda one: True))
        made = [_figure(3, "class: p95 over all actions", _p95(every), "s", peer=theirs, target=10.0)]
    elsewhere = waits(ours.timed, lambda one: one.kind == "sentence" and one.page != "inside")
    made += [
        _most("class: new sentence, p95", elsewhere, 3.0),
        _most("class: Inside, p95", waits(ours.timed, lambda one: one.page == "inside"), 8.0),
        _most("class: Positions, p95", waits(ours.timed, lambda one: one.page == "positions"), 3.0),
        _most("class: training done, p95", training_s(ours.timed), 150.0),
        _none("errors", len(ours.errors) + found.ours.n_tracebacks),
        _none("lost texts", len(ours.lost)),
        _none("cross-talk", len(ours.strayed)),
        _figure(3, "class: Jain of service", figures.jain([*figures.service(ours.timed).values()]), ""),
    ]
    for page in sorted({page for page, _seconds in found.ours.person}):
        seen = [seconds for name, seconds in found.ours.person if name == page and seconds is not None]
        if seen:
            made.append(
                _figure(
                    3,
                    f"a person in Chromium in the class: {page}, median",
                    figures.percentile(seen, 0.5),
                    "s",
                )
            )
    return made + _memory(found)


def training_s(records: Sequence[Record]) -> list[float]:
    """Seconds from the click to the end of each training; what was cut lasted at least that long."""
    return [one.done_s for one in records if one.kind == "training" and one.cut != "closed"]


def _memory(found: Found) -> list[dict[str, Any]]:
    side = found.ours
    made = []
    if side.idle_bytes is not None:
        made.append(_at_most(10, "an idle session", side.idle_bytes / MB, "MB", 2.0))
    if side.looks and side.after:
        grown = side.after.rss_bytes / side.looks[0].rss_bytes
        made.append(_at_most(10, "RSS after the class by RSS before", grown, "ratio", 1.3))
        used = max(one.cache_bytes for one in side.looks)
        if used >= 0:
            share = used / side.after.cache_limit_bytes
            made.append(_at_most(10, "largest cache by its budget", share, "ratio", 1.0))
    return made


def _p95(values: Sequence[float]) -> float | None:
    return figures.percentile(values, 0.95) if values else None


def _most(metric: str, values: Sequence[float], limit_s: float) -> dict[str, Any]:
    p95 = _p95(values)
    if p95 is None:  # nothing of the kind happened: not proven
        return _figure(3, metric, None, "s") | {"target": 1.0, "limit": limit_s, "ok": False}
    return _at_most(3, metric, p95, "s", limit_s)


def _at_most(row: int, metric: str, value: float, unit: str, limit: float) -> dict[str, Any]:
    ratio = limit / value if value > 0 else None
    return _figure(row, metric, value, unit) | {
        "ratio": ratio, "target": 1.0, "limit": limit, "ok": value <= limit,
    }  # fmt: skip


def _none(metric: str, n: int) -> dict[str, Any]:
    return _figure(3, f"class: {metric}", n, "") | {"limit": 0, "ok": n == 0}


def _figure(
    row: int,
    metric: str,
    ours: float | None,
    unit: str,
    *,
    peer: float | None = None,
    target: float | None = None,
) -> dict[str, Any]:
    ratio = peer / ours if peer is not None and ours else None
    is_ok = ratio is not None and ratio >= target if target is not None else True
    return {
        "row": row, "metric": metric, "ours": ours, "peer": peer, "unit": unit, "ratio": ratio,
        "target": target, "limit": None, "ok": is_ok,
    }  # fmt: skip

"""The report of a class, in words and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.class_of_thirty import figures
from benchmarks.class_of_thirty.measure import Found, Side
from benchmarks.class_of_thirty.records import Record

REPORTS = Path(__file__).resolve().parents[1] / "reports"
MB = 2**20


def in_words(found: Found) -> str:
    """Markdown."""
    lines = ["# A class", "", *_facts(found.ours), "", *_table(found.ours.of.records)]
    if found.peer is not None:
        lines += ["", "## The stock peer", "", *_facts(found.peer), "", *_table(found.peer.of.records)]
    return "\n".join(lines) + "\n"


def as_json(found: Found) -> dict[str, Any]:
    """Figures of both sides."""
    return {"ours": _data(found.ours), "peer": _data(found.peer) if found.peer else None}


def _data(side: Side) -> dict[str, Any]:
    return {"rows": figures.table(side.of.records), "lost": side.of.lost, "strayed": side.of.strayed}


def acts(records: list[Record]) -> list[Record]:
    """The students' own actions."""
    return [one for one in records if one.kind != "rest"]


def _facts(side: Side) -> list[str]:
    of, records = side.of, acts(side.of.records)
    first = [one.first_s for one in records if one.first_s is not None]
    trained = [one for one in records if one.kind == "training"]
    done = [one.done_s for one in trained if not one.cut]
    shares = list(figures.service(records).values())
    lines = [
        f"- {len(records)} actions in {of.lasted_s:.0f} s, {of.n_messages:,} messages, "
        f"{of.n_bytes / 1e6:.0f} MB",
        f"- errors {len(of.errors)}, tracebacks {side.n_tracebacks}, lost texts {len(of.lost)}, cross-talk "
        f"{len(of.strayed)}; tabs closed {of.n_closed}, loaded anew {of.n_reloaded} {side.failure}",
        f"- first picture, all actions: {_three(figures.three(first))}; Jain {figures.jain(shares):.3f}",
        f"- trainings: {len(done)} of {len(trained)} done, {_three(figures.three(done))}",
        f"- the students' own processor time {side.client_cpu_s:.0f} s",
    ]
    if side.killed:
        lines.append(f"- killed: {side.killed}")
    if side.looks and side.after:
        begin, peak, end = side.looks[0], max(one.rss_bytes for one in side.looks), side.after
        lines += [
            f"- RSS {begin.rss_bytes / MB:.0f} MB before, {peak / MB:.0f} at most, "
            f"{end.rss_bytes / MB:.0f} after ({end.rss_bytes / begin.rss_bytes:.2f}x); with all it started at most "
            f"{max(one.all_bytes for one in side.looks) / MB:.0f}",
            f"- threads {begin.n_threads} / {max(one.n_threads for one in side.looks)} / {end.n_threads}, "
            f"descriptors {begin.n_files} / {max(one.n_files for one in side.looks)} / {end.n_files}",
            f"- processor {end.cpu_s - begin.cpu_s:.0f} s; cache at most "
            f"{max(one.cache_bytes for one in side.looks) / MB:.0f} of {end.cache_limit_bytes / MB:.0f} MB",
        ]
    if side.idle_bytes is not None:
        lines.append(f"- an idle session {side.idle_bytes / MB:.2f} MB")
    lines += [
        f"- error: {one.page}, {one.action}, student {one.student}: {one.error}" for one in of.errors[:40]
    ]
    return [
        *lines,
        *(f"- lost: {one}" for one in of.lost[:20]),
        *(f"- strayed: {one}" for one in of.strayed[:20]),
    ]


def _table(records: list[Record]) -> list[str]:
    lines = [
        "| page | action | n | first picture p50 / p95 / worst | done p50 / p95 / worst "
        "| queued p95 | place | cut |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in figures.table(records):
        queued: Any = one["queued"]
        lines.append(
            f"| {one['page']} | {one['action']} | {one['n']} | {_three(one['first'])} | "
            f"{_three(one['done'])} | {queued[1]:.1f} | {one['place']} | {one['n_cut']} |"
        )
    return lines


def _three(values: Any) -> str:  # noqa: ANN401 - a tuple or None
    return " / ".join(f"{value:.2f}" for value in values) if values else "-"

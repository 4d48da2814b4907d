"""The report of a class, in words and as JSON."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from benchmarks.class_of_thirty import figures, targets
from benchmarks.class_of_thirty.measure import Found, Options, Side
from benchmarks.class_of_thirty.records import Record

REPORTS = Path(__file__).resolve().parents[1] / "reports"
MB = 2**20
N_WORST, N_SAID = 12, 40
HALF = 0.5  # of a wait spent in the queue makes the queue its limit


def write(found: Found, name: str) -> None:
    """Put `name.md` and `name.json` into `benchmarks/reports/`."""
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / f"{name}.md").write_text(in_words(found), "utf-8")
    data = json.dumps(as_json(found), indent=1, ensure_ascii=False)
    (REPORTS / f"{name}.json").write_text(data + "\n", "utf-8")


def in_words(found: Found) -> str:
    """The report in Markdown."""
    lines = [
        f"# A class of {found.options.readers}, {found.options.minutes:g} minutes",
        "",
        f"`{command(found.options)}`",
        "",
        f"{processor()}; {psutil.cpu_count()} cores, load before {found.load_before:.1f}. Times in seconds.",
        "",
        *_targets(found),
        "",
        "## Our server",
        "",
        *_facts(found.ours),
        "",
        *_person(found.ours),
        *_worst(found.ours.of.timed),
        "",
        *_table(found.ours.of.timed),
    ]
    if found.peer is not None:
        lines += [
            "",
            "## The stock peer",
            "",
            "A Streamlit app with plain transformers and peft under one lock (`stock_app.py`): one page, the "
            "same students, think time and seed. Its trainings read no held-out rows and write no samples.",
            "",
            *_facts(found.peer),
            "",
            *_table(found.peer.of.timed),
        ]
    return "\n".join(lines) + "\n"


def as_json(found: Found) -> dict[str, Any]:
    """The figures, the rows of the tables, and every look at the processes."""
    return {
        "command": command(found.options),
        "processor": processor(),
        "targets": targets.rows(found),
        "ours": _data(found.ours),
        "peer": _data(found.peer) if found.peer else None,
    }


def command(options: Options) -> str:
    """The command that measures the same."""
    words = ["python", "-m", "benchmarks.class_of_thirty", f"--minutes={options.minutes:g}"]
    words += [f"--readers={options.readers}", f"--seed={options.seed}"]
    words += [f"--server-args={' '.join(options.server_args)}"] if options.server_args else []
    if options.kill_after_s:
        words += [f"--kill-after={options.kill_after_s:g}", f"--kill-pattern={options.kill_pattern}"]
    words += [word for word, on in (("--peer", options.with_peer), ("--person", options.with_person)) if on]
    return shlex.join(words)


def processor() -> str:
    """The processor's name, as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return os.uname().machine
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else os.uname().machine


def _data(side: Side) -> dict[str, Any]:
    return {
        "rows": figures.table(side.of.timed),
        "records": [asdict(one) for one in side.of.records],
        "lost": side.of.lost,
        "strayed": side.of.strayed,
        "n_tracebacks": side.n_tracebacks,
        "failure": side.failure,
        "killed": side.killed,
        "person": side.person,
        "idle_bytes": side.idle_bytes,
        "after": asdict(side.after) if side.after else None,
        "looks": [asdict(one) for one in side.looks],
    }


def _targets(found: Found) -> list[str]:
    lines = ["| figure | ours | peer | ratio | target | |", "|---|---|---|---|---|---|"]
    for one in targets.rows(found):
        wanted = f"≤ {one['limit']:g}" if one["limit"] is not None else ""
        wanted = wanted or (f"≥ {one['target']:g}x" if one["target"] else "")
        ratio = f"{one['ratio']:.1f}" if one["peer"] and one["ratio"] else ""
        cells = [one["metric"], _number(one["ours"], one["unit"]), _number(one["peer"], one["unit"])]
        lines.append(f"| {' | '.join(cells)} | {ratio} | {wanted} | {'' if one['ok'] else 'missed'} |")
    return lines


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.0f} {unit}" if value >= 100 or value == int(value) else f"{value:.2f} {unit}"


def _facts(side: Side) -> list[str]:
    of, records = side.of, [one for one in side.of.timed if one.kind != "rest"]
    waits = targets.waits(records, lambda one: True)
    trained = [one for one in records if one.kind == "training"]
    done = [one.done_s for one in trained if not one.cut]
    lines = [
        f"- {len(records)} actions in {of.lasted_s:.0f} s, {of.n_messages:,} messages, "
        f"{of.n_bytes / 1e6:.0f} MB sent",
        f"- errors {len(of.errors)}, tracebacks {side.n_tracebacks}, lost texts {len(of.lost)}, cross-talk "
        f"{len(of.strayed)}; tabs closed {of.n_closed}, loaded anew {of.n_reloaded}",
        f"- the wait for a picture, all actions, p50 / p95 / worst: {_three(figures.three(waits))}",
        f"- trainings: {len(done)} of {len(trained)} done: {_three(figures.three(done))}",
        f"- Jain of service {figures.jain([*figures.service(records).values()]):.3f}",
        *_processes(side),
    ]
    if not side.is_warm:
        lines.append("- not every page could be opened before the class: it paid for the rest")
    if side.failure:
        lines.append(f"- **did not come to its end**: {side.failure}")
    if side.killed:
        lines.append(f"- killed in the middle: {side.killed}")
    for one in of.errors[:N_SAID]:
        lines.append(f"- error: {one.page}, {one.action}, student {one.student}: {one.error}")
    lines += [f"- lost: {one}" for one in of.lost[:N_SAID]]
    return lines + [f"- strayed: {one}" for one in of.strayed[:N_SAID]]


def _processes(side: Side) -> list[str]:
    lines = [f"- processor time: the students {side.client_cpu_s:.0f} s"]
    if side.looks and side.after:
        looks, begin, end = side.looks, side.looks[0], side.after
        cores = (end.cpu_s - begin.cpu_s) / max(1.0, end.at_s - begin.at_s)
        lines = [
            f"{lines[0]}, the server {end.cpu_s - begin.cpu_s:.0f} s, {cores:.2f} cores on average",
            "- before / at most / after: RSS "
            f"{begin.rss_bytes / MB:.0f} / {max(one.rss_bytes for one in looks) / MB:.0f} / "
            f"{end.rss_bytes / MB:.0f} MB (with all that the server started "
            f"{max(one.all_bytes for one in looks) / MB:.0f} at most), threads {begin.n_threads} / "
            f"{max(one.n_threads for one in looks)} / {end.n_threads}, descriptors {begin.n_files} / "
            f"{max(one.n_files for one in looks)} / {end.n_files}",
        ]
        if end.cache_limit_bytes > 0:
            most = max(one.cache_bytes for one in looks)
            lines.append(f"- cache {most / MB:.0f} MB at most, of {end.cache_limit_bytes / MB:.0f}")
    if side.idle_bytes is not None:
        lines.append(f"- an idle session {side.idle_bytes / MB:.2f} MB")
    return lines


def _person(side: Side) -> list[str]:
    if not side.person:
        return []
    lines = [
        "A person in Chromium on the same machine, in the same class held once more, from the key that "
        "hands in a sentence to the picture seen:",
        "",
    ]
    lines += ["| page | n | p50 / p95 / worst | never |", "|---|---|---|---|"]
    for page in sorted({page for page, _seconds in side.person}):
        every = [seconds for name, seconds in side.person if name == page]
        seen = [seconds for seconds in every if seconds is not None]
        lines.append(f"| {page} | {len(every)} | {_three(figures.three(seen))} | {len(every) - len(seen)} |")
    return [*lines, ""]


def _worst(records: Sequence[Record]) -> list[str]:
    rows = [one for one in figures.table(records) if one["first"] is not None]
    rows.sort(key=lambda one: -one["first"][1])
    lines = [f"The {N_WORST} slowest by p95 of the wait, and what limits them:", ""]
    for one in rows[:N_WORST]:
        p95, queued = one["first"][1], one["queued"][1]
        limit = "the queue for the model" if queued > HALF * p95 else "computing and drawing"
        lines.append(f"1. {one['page']}, {one['action']}: {p95:.1f}, in the queue {queued:.1f}: {limit}")
    return lines


def _table(records: Sequence[Record]) -> list[str]:
    lines = [
        "| page | action | n | picture p50 / p95 / worst | all done p50 / p95 / worst "
        "| queue p95 | place | cut |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in figures.table(records):
        lines.append(
            f"| {one['page']} | {one['action']} | {one['n']} | {_three(one['first'])} | "
            f"{_three(one['done'])} | {one['queued'][1]:.1f} | {one['place']} | {one['n_cut'] or ''} |"
        )
    return lines


def _three(values: Any) -> str:  # noqa: ANN401 - a tuple or None
    return " / ".join(f"{value:.2f}" for value in values) if values else "-"

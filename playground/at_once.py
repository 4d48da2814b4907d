"""Commands at once, each with a log: `make check` runs three processes of pytest so.

Only the standard library is used. What a command writes goes to its log; on the terminal stands how far each
is, one line for each that passed, and the failures of each that did not.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from playground.installation import ROOT, say

LOGS = ROOT / "build" / "tests"
PROGRESS_EVERY_S = 60
GRACE_S = 30  # after Ctrl+C, for a process to stop what it started
LEAST_TAIL = 100  # lines of a log without a report: pytest did not start, or was killed


def run_at_once(commands: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Run commands in the project's folder, wait for all, say how each ended.

    Ctrl+C, a SIGTERM and a closed terminal end them all.

    Args:
        commands: By a name, which is also that of its log. The first has precedence: the others share the
            processors that it leaves.

    Returns:
        The exit code of each.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    began = told = time.monotonic()
    codes: dict[str, int] = {}
    with _all_ended() as running:
        for name, command in commands.items():
            running[name] = _start(command, log_of(name), nice=5 if running else 0)
        say(f"At once: {', '.join(commands)}. Logs: {LOGS}")
        while running:
            time.sleep(0.1)
            for name in [name for name, process in running.items() if process.poll() is not None]:
                codes[name] = running.pop(name).returncode
                say(result(name, codes[name], log_of(name).read_text("utf-8", errors="replace")))
            if time.monotonic() - told > PROGRESS_EVERY_S:
                told = time.monotonic()
                say(f"{(told - began) / 60:.0f} min: " + ", ".join(map(progress, running)))
    return codes


def log_of(name: str) -> Path:
    """The log file of a command."""
    return LOGS / f"{name.replace(' ', '-')}.log"


def progress(name: str) -> str:
    """Progress of a pytest process, from its last line."""
    shares = re.findall(r"\[ *(\d+)%\]", log_of(name).read_text("utf-8", errors="replace"))
    return f"{name} {shares[-1] if shares else 0} %"


def result(name: str, code: int, log: str) -> str:
    """A line on a process that has ended.

    Example:
        >>> result("server", 0, "....  [100%]\\n4 passed in 1.20s\\n")
        'server: 4 passed in 1.20s'
    """
    lines = log.rstrip().splitlines() or ["nothing was written"]
    if code == 0:
        return f"{name}: {lines[-1]}"
    report = re.search(r"^=+ (ERRORS|FAILURES) =+$", log, re.MULTILINE)
    told = log[report.start() :].rstrip() if report else "\n".join(lines[-LEAST_TAIL:])
    return f"\n{told}\n{name}: failed with code {code}; all of it: {log_of(name)}"


@contextmanager
def _all_ended() -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Processes by name; those that still run at the end are stopped as by Ctrl+C, then killed."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    ends = [
        signal.SIGINT,
        signal.SIGTERM,
    ]  # a shell's background command ignores the first, and so would these
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # by nohup
        ends.append(signal.SIGHUP)
    before = {end: signal.signal(end, signal.default_int_handler) for end in ends}
    try:
        yield running
    finally:
        try:
            _interrupt(running)
        finally:
            for process in running.values():
                _kill(process)
            for end, handler in before.items():
                signal.signal(end, handler)


def _start(command: Sequence[str], log: Path, nice: int) -> subprocess.Popen[bytes]:
    """In a session of its own, so that Ctrl+C reaches it once, through us."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            list(command),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    if sys.platform != "win32":
        os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + nice)
        with suppress(OSError):  # Linux weighs sessions first; a lighter one than 0 needs the right to it
            Path(f"/proc/{process.pid}/autogroup").write_text(str(nice or -5), "ascii")
    return process


def _interrupt(running: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Ctrl+C to each; on Windows the console has sent it already."""
    ends_at = time.monotonic() + GRACE_S
    for process in running.values():
        if sys.platform != "win32":
            process.send_signal(signal.SIGINT)
    for process in running.values():
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0, ends_at - time.monotonic()))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The process and what it started, if it is still there."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

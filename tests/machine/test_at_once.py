"""Commands at once: each its log, one result, and none of them outlives the one who started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from playground import at_once

ROOT = Path(__file__).parents[2]


FAILS = """
print("F.  [100%]")
print("=" * 20 + " FAILURES " + "=" * 20)
print("E   assert 1 == 2")
print("1 failed, 1 passed in 0.10s")
raise SystemExit(1)
"""


# Says that it runs, waits, and says when it was interrupted; a process of its own waits with it.
WAITS = """
import os, subprocess, sys, time
from pathlib import Path

own = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
try:
    Path(sys.argv[1] + ".pids").write_text(f"{os.getpid()} {own.pid}")
    time.sleep(600)
except KeyboardInterrupt:
    own.kill()
    own.wait()
    Path(sys.argv[1] + ".ended").touch()
"""


DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + WAITS


STARTER = """
import signal, sys
from pathlib import Path
from playground import at_once

signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a shell's background
signal.signal(signal.SIGHUP, signal.SIG_DFL)
folder, code = Path(sys.argv[1]), sys.argv[2]
at_once.LOGS, at_once.GRACE_S = folder, float(sys.argv[3])
names = ("one", "two")
try:
    at_once.run_at_once({name: [sys.executable, "-c", code, str(folder / name)] for name in names})
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(at_once, "LOGS", tmp_path / "logs")
    return tmp_path / "logs"


def until(holds: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return b") Z" not in Path(f"/proc/{pid}/stat").read_bytes() if Path("/proc/self").exists() else True


def test_each_writes_to_its_log_and_only_failures_are_told_whole(
    logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "print('many words'); print('3 passed in 0.10s')"
    commands = {name: [sys.executable, "-c", code] for name in ("in process", "browser")}
    codes = at_once.run_at_once(commands | {"server": [sys.executable, "-c", FAILS]})
    assert codes == {"in process": 0, "browser": 0, "server": 1}
    assert (logs / "in-process.log").read_text("utf-8") == "many words\n3 passed in 0.10s\n"
    told = capsys.readouterr().err
    assert "many words" not in told
    assert told.count(": 3 passed in 0.10s\n") == 2
    assert "E   assert 1 == 2\n1 failed, 1 passed in 0.10s\nserver: failed with code 1" in told
    assert "[100%]" not in told


def test_what_dies_without_a_report_shows_its_last_lines(
    logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dies = "import os; print('began', flush=True); os.kill(os.getpid(), 9)"
    assert at_once.run_at_once({"server": [sys.executable, "-c", dies]}) == {"server": -signal.SIGKILL}
    assert "began\nserver: failed with code -9" in capsys.readouterr().err


def test_they_run_at_the_same_time_and_the_first_has_precedence(logs: Path, tmp_path: Path) -> None:
    """Each waits for the other's file."""
    code = """
import os, sys, time
from pathlib import Path

mine, others = map(Path, sys.argv[1:])
mine.touch()
while not others.exists():
    time.sleep(0.01)
print(os.getpriority(os.PRIO_PROCESS, 0))
"""
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    commands = {"one": [sys.executable, "-c", code, one, two], "two": [sys.executable, "-c", code, two, one]}
    assert at_once.run_at_once(commands) == {"one": 0, "two": 0}
    first, second = (int((logs / f"{name}.log").read_text("utf-8")) for name in ("one", "two"))
    assert first < second


SESSIONS_WEIGHT = Path("/proc/self/autogroup")


@pytest.mark.skipif(not SESSIONS_WEIGHT.exists(), reason="this system does not weigh sessions")
def test_the_session_of_the_first_weighs_more(logs: Path) -> None:
    code = f"import time; time.sleep(1); print(open({str(SESSIONS_WEIGHT)!r}).read().split()[-1])"
    at_once.run_at_once({name: [sys.executable, "-c", code] for name in ("one", "two")})
    first, other = (int((logs / f"{name}.log").read_text("utf-8")) for name in ("one", "two"))
    assert first < other == 5


def test_progress_is_the_last_share_in_the_log(logs: Path) -> None:
    logs.mkdir()
    (logs / "in-process.log").write_text("...... [  9%]\n...... [ 71%]\n...", "utf-8")
    assert at_once.progress("in process") == "in process 71 %"
    (logs / "server.log").touch()
    assert at_once.progress("server") == "server 0 %"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(("code", "grace_s"), [(WAITS, 60), (DEAF, 0.5)], ids=["cleans up", "is deaf"])
def test_whatever_ends_the_starter_ends_all_of_them(
    code: str, grace_s: float, end: signal.Signals, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", STARTER, str(tmp_path), code, str(grace_s)]
    starter = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        notes = [tmp_path / f"{name}.pids" for name in ("one", "two")]
        until(lambda: all(note.exists() and len(note.read_text("utf-8").split()) == 2 for note in notes))
        pids = [int(pid) for note in notes for pid in note.read_text("utf-8").split()]
        starter.send_signal(end)
        assert starter.wait(60) == 130
    finally:
        starter.kill()
        starter.wait()
    until(lambda: not any(map(is_running, pids)))
    assert len(list(tmp_path.glob("*.ended"))) == (2 if code == WAITS else 0)

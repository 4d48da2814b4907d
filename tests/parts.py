"""A plugin: with `-n 3` each worker collects and runs one part of the tests, and imports what that needs.

What shares an engine or a server stays together; all parts take about as long. The marks of xdist 3.8 that
are meant for this do nothing under pytest 9.2, and its other schedulers have every worker collect everything.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

IN_PROCESS = (
    "playground",
    *(f"tests/{name}" for name in ("charts", "core", "engine", "pages", "tiny", "ui")),
)
# Chromium beside the tests of the server, which start the same servers.
WITH_SERVER = (
    "attention_components",
    "bertviz",
    "prompting",
    "sampler",
    "server_in_chromium",
    "tokenization",
)
PARTS = ("in process", "server", "browser")


def part_of(path: str) -> str | None:
    """The part of a file or folder; None for a folder with files of several parts.

    >>> part_of("tests/core/test_bpe.py"), part_of("tests/test_gate.py"), part_of("tests/browser")
    ('in process', 'server', None)
    >>> part_of("tests/browser/test_sampler.py"), part_of("tests/browser/test_frame.py")
    ('server', 'browser')
    """
    if path.startswith(IN_PROCESS):
        return "in process"
    if not path.endswith(".py"):
        return None
    is_browser = path.startswith("tests/browser/") and not path.endswith(
        tuple(f"test_{name}.py" for name in WITH_SERVER)
    )
    return "browser" if is_browser or path == "tests/test_messages.py" else "server"


def is_elsewhere(path: Path, config: pytest.Config) -> bool:
    """Whether another worker has this file or folder; never without workers."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None or not path.is_relative_to(config.rootpath):
        return False
    part = part_of(path.relative_to(config.rootpath).as_posix())
    if part is None:
        return False
    n_workers = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    return PARTS.index(part) % n_workers != int(worker.removeprefix("gw"))


def pytest_sessionstart() -> None:
    """The part in process goes first: the others, with their servers and Chromium, can use all processors."""
    if os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0" and hasattr(os, "nice"):
        os.nice(5)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import nothing of the other workers' parts."""
    return is_elsewhere(collection_path, config) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the other workers the files named on the command line too; what needs Chromium comes last."""
    items[:] = [item for item in items if not is_elsewhere(item.path, config)]
    items.sort(key=lambda item: "tests/browser/" in item.nodeid)


def pytest_collection_finish() -> None:
    """What was imported stays: the collector need not look through it between the tests."""
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Every worker runs what it has collected, as soon as it has."""
    from xdist.scheduler.each import EachScheduling

    class Own(EachScheduling):
        def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
            super().add_node_collection(node, collection)
            self.node2pending[node][:] = range(len(collection))
            node.send_runtest_all()
            node.shutdown()
            self._started.append(node)
            session = config.pluginmanager.getplugin("session")
            session.testscollected = sum(map(len, self.node2collection.values()))

    return Own(config, log)

"""What every test shares: tiny models, the two embedded ones, and no internet."""

from __future__ import annotations

import gc
import ipaddress
import os
import socket
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from benchmarks.live_server import LiveServer
    from playground.settings import Settings

# One thread in each of the three processes and their servers: more would fight for the same two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("PLAYGROUND_TORCH_THREADS", "1")

if find_spec("hypothesis"):  # GPU machines may come without it
    from hypothesis import settings as hypothesis_settings

    # a deadline fails tests only because the machine is busy
    hypothesis_settings.register_profile("shared machine", deadline=None)
    hypothesis_settings.load_profile("shared machine")

_attempts: list[str] = []


def _is_local(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs Ray comes late: its processes work also while nobody asks. What needs Chromium comes last:
    from then on its event loop allows no other.
    """
    items.sort(key=lambda item: ("tests/browser/" in item.nodeid, _needs_ray(item)))


def _needs_ray(item: pytest.Item) -> bool:
    chosen = getattr(item, "callspec", None)
    fixtures = getattr(item, "fixturenames", ())
    return "ray_engine" in fixtures or (chosen is not None and chosen.params.get("engine") == "ray_engine")


def pytest_collection_finish() -> None:
    """What was imported stays: the collector need not look through it between the tests."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _no_internet() -> Iterator[None]:
    """Refuse and remember every connection and name look-up that leaves this machine."""
    patch = pytest.MonkeyPatch()
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def refuse(host: object) -> None:
        _attempts.append(str(host))
        raise ConnectionRefusedError(f"a test tried to reach {host}")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
            refuse(address[0])
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
            refuse(address[0])
        return connect_ex(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_local(host):
            refuse(host)
        return look_up(host, *args, **kwargs)

    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    patch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _stays_on_this_machine(_no_internet: None) -> Iterator[None]:
    """Fail the test that tried to leave, even where the code under test swallowed the refusal."""
    _attempts.clear()
    yield
    assert not _attempts, f"connections off this machine: {_attempts}"


@pytest.fixture(scope="session", autouse=True)
def _components_scanned_once() -> Iterator[None]:
    """AppTest reads the metadata of every installed package before each run: 0.2 s, each time the same."""
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests)
        )
        yield


@pytest.fixture(scope="session")
def tiny_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose models are the four tiny ones of tests/tiny.py, default the tiny llama."""
    from tests import tiny

    return tiny.make(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def real_settings() -> Settings:
    """Settings with the two embedded models, converted in the user's cache folder (once, about 10 s).

    Tests that use it are marked `real`.
    """
    from playground.engine.models.catalogue import catalogue
    from playground.engine.models.loading import pull
    from playground.settings import DEFAULT_DECODER, DEFAULT_ENCODER, Settings

    settings = Settings(device="cpu", HF_HUB_OFFLINE=True)
    for model_id in (DEFAULT_DECODER, DEFAULT_ENCODER):
        pull(catalogue(settings)[model_id], settings, lambda message, fraction: None)
    return settings


@pytest.fixture(scope="session")
def with_e5(real_settings: Settings) -> Settings:
    """Settings with multilingual-e5-small too. Tests that use it are marked `real`."""
    from playground.engine.models.catalogue import catalogue
    from playground.engine.models.loading import pull
    from playground.settings import MULTILINGUAL_ENCODER

    pull(catalogue(real_settings)[MULTILINGUAL_ENCODER], real_settings, lambda message, fraction: None)
    return real_settings


@pytest.fixture(scope="session")
def live() -> Iterator[LiveServer]:
    """The playground on a free port, its default model ready."""
    from benchmarks.live_server import LiveServer

    with LiveServer.playground(env={"PLAYGROUND_MAX_NEW_TOKENS": "1500"}) as live:
        live.wait_ready()
        yield live


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server behind the class password of tests/server/test_gate.py, whose default model is not there."""
    from benchmarks.live_server import LiveServer
    from tests.server.test_gate import PASSWORD

    folder = tmp_path_factory.mktemp("locked")
    (folder / "password.txt").write_text(PASSWORD + "\n", "utf-8")
    env = {"PLAYGROUND_CACHE_DIR": str(folder), "PLAYGROUND_DEFAULT_MODEL": "gpt2", "HF_HUB_OFFLINE": "1"}
    with LiveServer.playground("--password-file", str(folder / "password.txt"), env=env) as live:
        yield live


@pytest.fixture
def empty_settings(tmp_path: Path) -> Settings:
    """Settings with an empty cache folder."""
    from playground.settings import Settings

    return Settings(cache_dir=tmp_path / "cache", device="cpu", HF_HUB_OFFLINE=True)

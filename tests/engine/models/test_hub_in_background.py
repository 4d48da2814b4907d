"""Downloads in the background: how far they are, stopped, gone on."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playground.engine.contract.models import ModelInfo
from playground.engine.models.loading import pull
from playground.engine.models.table import DownloadSpeed, ModelTable
from playground.errors import (
    Cancelled,
    DiskFull,
)
from playground.settings import Settings
from tests.engine.models.hub_server import (
    MODEL_ID,
    Hub,
    entry,
    make_settings,
    silent,
)


@pytest.fixture
def settings(tmp_path: Path, server: Hub) -> Settings:
    return make_settings(tmp_path, server.endpoint)


# ---------------------------------------------------------------- in the background


@pytest.fixture
def table(settings: Settings, server: Hub) -> Iterator[ModelTable]:
    """The table of an engine, with a hub that holds the second half of the weights back."""
    server.held = threading.Event()
    made = ModelTable(settings)
    yield made
    server.held.set()
    made.close()


def info_of(table: ModelTable) -> ModelInfo:
    return next(info for info in table.infos() if info.model_id == MODEL_ID)


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def half_is_here(table: ModelTable) -> bool:
    download = info_of(table).download
    return download is not None and download.share > 0.4


def test_a_download_says_its_bytes_share_and_expected_time(table: ModelTable, server: Hub) -> None:
    future = table.load(MODEL_ID)
    assert info_of(table).download is not None, "from the first moment on"
    wait_for(lambda: half_is_here(table))
    info = info_of(table)
    assert info.state == "loading"
    assert re.fullmatch(r"\d+ / \d+ MB \(\d+ %\)", str(info.message))
    assert info.download is not None
    assert 0.4 < info.download.share < 1
    assert info.download.seconds_left is not None
    assert server.held is not None
    server.held.set()
    assert future.result(timeout=60).info.state == "ready"
    assert info_of(table).download is None


def test_a_stopped_download_ends_at_once_and_goes_on_where_it_was(table: ModelTable, server: Hub) -> None:
    future = table.load(MODEL_ID)
    wait_for(lambda: half_is_here(table))
    table.stop_download(MODEL_ID)
    with pytest.raises(Cancelled):  # although the hub still holds the rest back
        future.result(timeout=0)
    assert (info_of(table).state, info_of(table).download) == ("remote", None)
    assert server.held is not None
    server.held.set()
    server.asked.clear()
    assert table.load(MODEL_ID).result(timeout=60).info.state == "ready"
    assert next(wanted for name, wanted in server.asked if name == "model.safetensors").startswith("bytes=")


def test_what_is_no_download_cannot_be_stopped(table: ModelTable, server: Hub) -> None:
    table.stop_download(MODEL_ID)
    assert server.held is not None
    server.held.set()
    future = table.load(MODEL_ID)
    assert future.result(timeout=60)
    table.stop_download(MODEL_ID)
    assert info_of(table).state == "ready"


@pytest.mark.parametrize("began_at", [0.0, 0.6])
def test_the_expected_time_counts_from_where_a_download_began(began_at: float) -> None:
    """A tenth took 5 s: what is left takes 50 s a whole, whatever an older attempt had brought."""
    pace = DownloadSpeed()
    assert pace.at(began_at, 100.0).seconds_left is None
    told = pace.at(began_at + 0.1, 105.0).seconds_left
    assert told == pytest.approx(50 * (1 - began_at - 0.1))


def test_a_full_disk_is_said_before_the_download(
    settings: Settings, server: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(settings.cache_dir)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    with pytest.raises(DiskFull, match="1 MB free"):
        pull(entry(settings), settings, silent)
    assert "model.safetensors" not in [name for name, _ in server.asked]

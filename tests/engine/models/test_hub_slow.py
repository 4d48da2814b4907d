"""A hub that is asked for a model and does not answer, or drop by drop: one sentence within its time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models import hub
from playground.engine.models.loading import pull
from playground.errors import HubUnreachable, ModelNotFound, PlaygroundError
from playground.settings import Settings
from tests import tiny
from tests.engine.models.hub_server import MODEL_ID, Hub, entry, leftovers, make_settings, silent

TIMEOUT_S = 0.4
PATIENCE_S = 20.0  # on a machine that does much else


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_TIMEOUT_S", TIMEOUT_S)
    monkeypatch.setattr(hub, "_SLOW_S", TIMEOUT_S)


@pytest.fixture
def mute() -> Iterator[str]:
    """The address of a hub that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def full() -> Iterator[str]:
    """The address of a machine that does not even take the connection: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, socket.socket() as first:
        first.setblocking(False)
        first.connect_ex(listener.getsockname())
        with socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(listener.getsockname())
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("silence", ["mute", "full"])
def test_a_hub_that_says_nothing_is_one_sentence_in_time(
    tmp_path: Path, request: pytest.FixtureRequest, silence: str
) -> None:
    settings, started = make_settings(tmp_path, request.getfixturevalue(silence)), time.monotonic()
    with pytest.raises(HubUnreachable, match="check the internet connection"):
        pull(entry(settings), settings, silent)
    assert time.monotonic() - started < PATIENCE_S
    assert leftovers(settings) == []


@pytest.mark.parametrize("where", ["/revision/main", "config.json", "tokenizer.json", "model.safetensors"])
def test_a_hub_that_drips_is_given_up_in_time(tmp_path: Path, server: Hub, where: str) -> None:
    """A byte each 20 ms would never be silence; half a minute on, not even this config would be here."""
    server.drips_at = where
    settings, started = make_settings(tmp_path, server.endpoint), time.monotonic()
    with pytest.raises(HubUnreachable):
        pull(entry(settings), settings, silent)
    assert time.monotonic() - started < PATIENCE_S
    assert leftovers(settings) == []
    server.drips_at = ""
    pull(entry(settings), settings, silent)
    assert leftovers(settings)


def test_a_slow_line_that_goes_on_is_no_hub_that_drips(tmp_path: Path, server: Hub) -> None:
    server.held = threading.Event()
    threading.Timer(TIMEOUT_S / 2, server.held.set).start()
    settings = make_settings(tmp_path, server.endpoint)
    pull(entry(settings), settings, silent)
    assert leftovers(settings)


@pytest.mark.parametrize("offline", [False, True])
def test_the_default_model_answers_while_the_hub_does_not(
    tiny_settings: Settings, mute: str, offline: bool
) -> None:
    """All who load wait for the hub; whoever asks the model that is here waits for nobody."""
    others = (MODEL_ID, "some/other", "a/third")
    changes = {
        "hub_endpoint": mute,
        "offline": offline,
        "extra_models": (*tiny_settings.extra_models, *others),
    }
    engine = LocalEngine(tiny_settings.model_copy(update=changes))

    def asked(model: str) -> PlaygroundError | None:
        try:
            engine.trace(TraceRequest(model, "the cat sat", Capture(logits="last"), timeout_s=PATIENCE_S))
        except PlaygroundError as error:
            return error
        return None

    try:
        assert asked(tiny.LLAMA) is None
        with ThreadPoolExecutor(3) as pool:
            waiting = [pool.submit(asked, model) for model in others]
            assert asked(tiny.LLAMA) is None
            told = [one.result(PATIENCE_S) for one in waiting]
        assert all(isinstance(one, ModelNotFound if offline else HubUnreachable) for one in told), told
        assert asked(tiny.LLAMA) is None
    finally:
        engine.close()

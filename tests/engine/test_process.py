"""The one engine of a process: started once, honest about how far it is."""

from __future__ import annotations

import gc
import threading

import pytest

import playground.engine
from playground.engine.memory import freeze_heap
from playground.engine.process import SharedEngine
from playground.errors import ModelNotFound, SetUpError
from playground.settings import Settings


def _wait(shared: SharedEngine) -> None:
    shared.start()
    assert shared._thread is not None
    shared._thread.join(60)
    assert not shared._thread.is_alive()


def test_it_is_waiting_until_somebody_asks(tiny_settings: Settings) -> None:
    assert SharedEngine(tiny_settings).startup().state == "waiting"


def test_thirty_sessions_start_one_engine(tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    create = playground.engine.create_engine

    def counted(settings: Settings | None) -> object:
        made.append(settings)
        return create(settings)

    monkeypatch.setattr(playground.engine, "create_engine", counted)
    shared = SharedEngine(tiny_settings)
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(shared.get(60))) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _wait(shared)
    assert len(made) == 1
    assert len(set(map(id, got))) == 1
    assert shared.startup().state == "ready"
    assert shared.get().stats().n_forwards == 1  # the warm-up
    shared.close()


def test_the_engine_takes_requests_before_it_is_ready(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_done = threading.Event()
    create = playground.engine.create_engine

    def slow(settings: Settings | None) -> object:
        import_done.wait(30)
        return create(settings)

    monkeypatch.setattr(playground.engine, "create_engine", slow)
    shared = SharedEngine(tiny_settings)
    with pytest.raises(TimeoutError):
        shared.get(timeout_s=0)
    assert shared.startup().state == "importing"
    import_done.set()
    assert shared.get(60) is shared.get(0)
    _wait(shared)
    shared.close()


def test_a_missing_model_leaves_the_engine_and_says_so(empty_settings: Settings) -> None:
    settings = empty_settings.model_copy(update={"default_model": "gpt2"})
    shared = SharedEngine(settings)
    _wait(shared)
    startup = shared.startup()
    assert startup.state == "failed"
    assert "llm-playground pull gpt2" in str(startup.message)
    assert shared.get(0).models()
    shared.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_library_that_does_not_import_is_a_sentence_for_every_session(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(settings: Settings | None) -> object:
        raise ImportError("libtorch.so: cannot open")

    monkeypatch.setattr(playground.engine, "create_engine", broken)
    shared = SharedEngine(tiny_settings)
    _wait(shared)
    with pytest.raises(SetUpError, match=r"libtorch\.so.*llm-playground doctor"):
        shared.get(0)
    assert shared.startup().state == "failed"
    shared.close()


def test_an_error_of_ours_is_passed_on_as_it_is(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(settings: Settings | None) -> object:
        raise ModelNotFound(model_id="x", cure="")

    monkeypatch.setattr(playground.engine, "create_engine", refuses)
    shared = SharedEngine(tiny_settings)
    _wait(shared)
    with pytest.raises(ModelNotFound):
        shared.get(0)


def test_a_frozen_heap_is_not_walked_again() -> None:
    before = gc.get_freeze_count()
    keep = [[] for _ in range(10_000)]
    freeze_heap()
    try:
        assert gc.get_freeze_count() > before + len(keep)
        assert not any(item is keep for item in gc.get_objects())
    finally:
        gc.unfreeze()

"""The whole app under AppTest, on an engine with tiny models of four families."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from playground.engine import process
from playground.engine.local.engine import LocalEngine
from playground.paths import PACKAGE
from playground.settings import Settings
from playground.ui import frame, state

OpenApp = Callable[..., AppTest]


@pytest.fixture(scope="session")
def tiny_engine(tiny_settings: Settings) -> Iterator[process.SharedEngine]:
    """An engine with all tiny models in memory."""
    shared = process.SharedEngine(tiny_settings)
    engine = shared.get(timeout_s=180)
    for model_id in tiny_settings.extra_models:
        engine.load(model_id)
    deadline = time.monotonic() + 180
    while {info.state for info in engine.models() if info.model_id in tiny_settings.extra_models} != {
        "ready"
    }:
        assert time.monotonic() < deadline, engine.models()
        time.sleep(0.05)
    yield shared
    shared.close()


@pytest.fixture
def engine(tiny_engine: process.SharedEngine) -> LocalEngine:
    """The engine under the pages."""
    made = tiny_engine.get(timeout_s=180)
    assert isinstance(made, LocalEngine)
    return made


@pytest.fixture
def open_app(
    tiny_engine: process.SharedEngine, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OpenApp]:
    """`open_app("sampling", lang="ko", text="...")` runs that page as its link would."""
    monkeypatch.setattr(process, "_shared", tiny_engine)
    monkeypatch.setattr(state, "settings", lambda: tiny_settings)
    frame.models.cache_clear()

    def open_(page: str, **url: str) -> AppTest:
        app = AppTest.from_file(str(PACKAGE / "app.py"), default_timeout=180)
        for name, value in url.items():
            app.query_params[name] = value
        app.switch_page(f"../pages/{page}.py")
        return app.run()

    yield open_
    frame.models.cache_clear()

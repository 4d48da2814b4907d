"""A model that is not ready: the page says what it is doing, in the reader's language, or how to get it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from streamlit.testing.v1 import AppTest

from playground.engine.contract.models import CatalogueEntry, Download, ModelInfo
from playground.errors import HubUnreachable, Message, PlaygroundError, SetUpError
from playground.ui import compute, download

ENTRY = CatalogueEntry("a/b_c", "Tiny", "decoder", "llama", frozenset(), (), "", "main", "hub", 540_000_000)
INFO = ModelInfo(
    "a/b_c", "Tiny", "decoder", "llama", frozenset(), (), "", "1", "ready", n_parameters=2_000_000
)
MEGABYTES = Message("{here:,} / {total:,} MB", (("here", 12), ("total", 540)))
DOWNLOADING = Message("{doing} ({percent:.0f} %)", (("doing", MEGABYTES), ("percent", 2.2)))


@dataclass
class OneModelEngine:
    """An engine whose only model is in the state the test wants."""

    info: ModelInfo
    loads: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def models(self) -> list[ModelInfo]:
        return [self.info]

    def load(self, model_id: str) -> None:
        self.loads.append(model_id)

    def stop_download(self, model_id: str) -> None:
        self.stopped.append(model_id)


Run = Callable[..., AppTest]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def script(entry: object, language: str) -> None:
        import streamlit as st

        from playground.ui import warming

        st.session_state["lang"] = language
        ready = warming.model_when_ready(entry)
        st.text("ready" if ready else "not ready")
        st.caption(warming.state_words(entry))

    def start(
        engine: OneModelEngine | PlaygroundError | TimeoutError, language: str = "en", at_server: bool = True
    ) -> AppTest:
        def shared_engine(timeout_s: float | None = None) -> OneModelEngine:
            if isinstance(engine, Exception):
                raise engine
            return engine

        monkeypatch.setattr(compute, "shared_engine", shared_engine)
        monkeypatch.setattr(download, "is_at_server", lambda: at_server)
        monkeypatch.setattr(compute, "start_shared_engine", lambda: None)
        app = AppTest.from_function(script, args=(ENTRY, language), default_timeout=180).run()
        assert not app.exception
        return app

    return start


def test_a_ready_model_is_given_and_described(run: Run) -> None:
    app = run(OneModelEngine(replace(INFO, dtype="float32", device="cpu")))
    assert app.text[0].value == "ready"
    assert app.caption[0].value == "ready · 2 million parameters · float32 · cpu"


def test_a_model_on_this_machine_is_loaded_without_a_click(run: Run) -> None:
    engine = OneModelEngine(replace(INFO, state="waiting"))
    app = run(engine)
    assert engine.loads == ["a/b_c"]
    assert app.text[0].value == "not ready"
    assert "on this machine" in app.info[0].value


@pytest.mark.parametrize(("language", "words"), [("en", "Reading the weights"), ("ko", "가중치를 읽는 중")])
def test_a_loading_model_says_how_far_it_is(language: str, words: str, run: Run) -> None:
    how_far = (("doing", Message("Reading the weights")), ("percent", 95.0))
    doing = Message("{doing} ({percent:.0f} %)", how_far)
    app = run(OneModelEngine(replace(INFO, state="loading", message=doing)), language)
    assert f"{words} (95 %)" in app.info[0].value
    assert "Tiny" in app.info[0].value


def test_before_the_libraries_are_there_the_page_says_so(run: Run) -> None:
    app = run(TimeoutError())
    assert "libraries" in app.info[0].value
    assert app.caption[0].value == "starting"


def test_a_model_of_the_hub_is_offered_with_its_size(run: Run) -> None:
    engine = OneModelEngine(replace(INFO, state="remote"))
    app = run(engine)
    assert engine.loads == []
    (button,) = app.button
    assert button.label == "Download it (540 MB)"
    button.click().run()
    assert engine.loads == ["a/b_c"]


def test_a_student_is_told_who_downloads_it(run: Run) -> None:
    failed = replace(INFO, state="failed", message=HubUnreachable(model_id="a/b_c").message)
    for info in (replace(INFO, state="remote"), failed):
        app = run(OneModelEngine(info), at_server=False)
        assert not app.button
        assert "ask your teacher" in app.info[0].value


def test_what_is_on_this_machine_may_be_tried_again_by_a_student_too(run: Run) -> None:
    engine = OneModelEngine(replace(INFO, state="failed", message=Message("Ready"), n_layer=2))
    app = run(engine, at_server=False)
    app.button[0].click().run()
    assert engine.loads == ["a/b_c"]


@pytest.mark.parametrize("at_server", [True, False])
def test_a_download_can_be_stopped_by_who_may_start_it(at_server: bool, run: Run) -> None:
    loading = replace(INFO, state="loading", message=DOWNLOADING, download=Download(0.02, 40.0))
    engine = OneModelEngine(loading)
    app = run(engine, at_server=at_server)
    assert "12 / 540 MB (2 %) · about 40 s left" in app.info[0].value
    assert len(app.button) == at_server
    if at_server:
        app.button[0].click().run()
        assert engine.stopped == ["a/b_c"]


def test_a_failed_model_says_why_in_the_readers_language_and_can_be_tried_again(run: Run) -> None:
    engine = OneModelEngine(replace(INFO, state="failed", message=HubUnreachable(model_id="a/b_c").message))
    app = run(engine, "ko")
    assert "인터넷" in app.error[0].value
    assert r"a/b\_c" in app.error[0].value
    app.button[0].click().run()
    assert engine.loads == ["a/b_c"]


def test_a_model_that_cannot_be_fetched_comes_with_the_cure(run: Run) -> None:
    app = run(OneModelEngine(replace(INFO, state="absent")))
    assert r"pull a/b\_c" in app.error[0].value
    assert not app.button


def test_an_engine_that_cannot_start_is_one_sentence(run: Run) -> None:
    app = run(SetUpError(reason="No room.", cure="Run doctor."))
    assert [box.value for box in app.error] == [r"No room\. Run doctor\."]
    assert app.caption[0].value == "could not be loaded"

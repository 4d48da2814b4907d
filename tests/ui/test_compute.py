"""The only door to the engine: what the reader sees while waiting, and what becomes of unwanted work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from streamlit.runtime.scriptrunner_utils.exceptions import StopException
from streamlit.testing.v1 import AppTest

from playground.core.sampling import GREEDY
from playground.core.trace import Trace
from playground.engine.contract.generation import GenerateRequest, GenerateStep
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.traces import TraceRequest
from playground.engine.contract.waiting import OnWait, Waiting
from playground.errors import Message, QueueFull, Superseded
from playground.ui import compute, text
from playground.ui.state import PageContext

MODEL = ModelInfo("tiny/model", "Tiny", "decoder", "llama", frozenset(), (), "", "1", "ready")
CONTEXT = PageContext("sampling", MODEL, "The cat", "en", "me")
TRACE = Trace("tiny/model", "1", None, "float32", "cpu", np.array([1]), elapsed_ms=3.0)
STILL_WAITING = StopException()  # ends the run while the line stands there, as a rerun would
STEP = GenerateStep(
    0, 1, "a", "a", -1.0, 0.5, 0, 2, False, 1.0, 0.0, np.array([1]), np.array([0.0], np.float32)
)


class ScriptedEngine:
    """Tells the waiting caller what the test says, then gives or raises what the test says."""

    def __init__(self, outcome: Trace | BaseException = TRACE, waiting: tuple[Waiting, ...] = ()) -> None:
        self.outcome, self.waiting = outcome, waiting
        self.requests: list[TraceRequest | GenerateRequest] = []
        self.cancelled: list[str] = []

    def trace(self, request: TraceRequest, on_wait: OnWait) -> Trace:
        self.requests.append(request)
        for waiting in self.waiting:
            on_wait(waiting)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome

    def generate(self, request: GenerateRequest, on_wait: OnWait) -> Iterator[GenerateStep]:
        self.requests.append(request)
        for index in range(3):
            yield replace(STEP, index=index)

    def cancel(self, request_id: str) -> None:
        self.cancelled.append(request_id)


RunTrace = Callable[..., AppTest]


@pytest.fixture
def run_trace(monkeypatch: pytest.MonkeyPatch) -> RunTrace:
    def script(context: object) -> None:
        import streamlit as st

        from playground.engine.contract.traces import Capture
        from playground.ui import compute

        st.text(compute.trace(context, (5, 6), Capture(logits="last")).model_id)

    def run(engine: ScriptedEngine) -> AppTest:
        monkeypatch.setattr(compute, "shared_engine", lambda: engine)
        return AppTest.from_function(script, args=(CONTEXT,), default_timeout=180).run()

    return run


def test_trace_asks_for_what_the_page_shows_in_the_sessions_name(run_trace: RunTrace) -> None:
    engine = ScriptedEngine()
    app = run_trace(engine)
    (request,) = engine.requests
    assert app.text[0].value == "tiny/model"
    assert (request.model, request.input_ids, request.owner) == ("tiny/model", (5, 6), "me")
    assert engine.cancelled == []
    assert not app.caption, "a quick answer draws no waiting line"


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        (Waiting(3, 1.6, "ready"), ["place 3 in the queue", "2 s"]),
        (Waiting(0, 5.0, "ready"), ["computing", "5 s"]),
        (Waiting(3, 5.0, "ready", left_s=7.4), ["place 3 in the queue", "5 s", "about 7 s left"]),
        (Waiting(0, 5.0, "loading", Message("Reading the weights")), ["Reading the weights", "5 s"]),
        (Waiting(0, 5.0, "loading"), ["being loaded", "5 s"]),
    ],
)
def test_waiting_line_says_what_is_happening(waiting: Waiting, words: list[str], run_trace: RunTrace) -> None:
    app = run_trace(ScriptedEngine(STILL_WAITING, (waiting,)))
    (line,) = [caption.value for caption in app.caption]
    assert all(word in line for word in words)
    assert "last time" not in line


def test_waiting_line_says_it_in_korean_too(run_trace: RunTrace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "language", lambda: "ko")
    how_far = (("doing", Message("Reading the weights")), ("percent", 95.0))
    waiting = Waiting(0, 5.0, "loading", Message("{doing} ({percent:.0f} %)", how_far))
    app = run_trace(ScriptedEngine(STILL_WAITING, (waiting,)))
    assert app.caption[0].value.startswith("가중치를 읽는 중 (95 %) · ")


def test_waiting_line_goes_away_and_is_remembered(run_trace: RunTrace) -> None:
    engine = ScriptedEngine(waiting=(Waiting(0, 5.0, "ready"),))
    app = run_trace(engine)
    assert not app.caption
    assert app.text
    engine.outcome = STILL_WAITING
    assert "last time" in app.run().caption[0].value


def test_an_error_is_one_sentence_and_ends_the_page(run_trace: RunTrace) -> None:
    engine = ScriptedEngine(QueueFull(position=41))
    app = run_trace(engine)
    assert [box.value for box in app.error] == [
        "The server is busy, you would be number 41 in the queue: try again in a moment."
    ]
    assert not app.exception
    assert not app.text
    assert engine.cancelled == [engine.requests[0].request_id]


def test_a_superseded_request_ends_without_a_word(run_trace: RunTrace) -> None:
    app = run_trace(ScriptedEngine(Superseded()))
    assert not app.error
    assert not app.exception
    assert not app.text


def test_a_rerun_while_waiting_cancels_the_request(run_trace: RunTrace) -> None:
    engine = ScriptedEngine(STILL_WAITING)
    app = run_trace(engine)
    assert engine.cancelled == [engine.requests[0].request_id]
    assert not app.error
    assert not app.text


def test_a_defect_of_ours_stays_loud(run_trace: RunTrace) -> None:
    app = run_trace(ScriptedEngine(ZeroDivisionError("ours")))
    assert app.exception


def test_generate_gives_the_steps_and_cancels_when_left_early(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(context: object) -> None:
        import streamlit as st

        from playground.core.sampling import GREEDY
        from playground.ui import stepwise

        steps = stepwise.generate(context, {"sampling": GREEDY, "seed": 7, "max_new_tokens": 3})
        st.text(next(steps).index)
        st.text(next(steps).index)
        steps.close()

    engine = ScriptedEngine()
    monkeypatch.setattr(compute, "shared_engine", lambda: engine)
    app = AppTest.from_function(script, args=(CONTEXT,), default_timeout=180).run()
    assert not app.exception
    assert [text.value for text in app.text] == ["0", "1"]
    (request,) = engine.requests
    assert (request.sampling, request.seed, request.owner) == (GREEDY, 7, "me")
    assert engine.cancelled == [request.request_id]


def test_what_the_reader_did_before_a_run_ended_early_is_answered() -> None:
    def script() -> None:
        import streamlit as st
        from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

        from playground.ui import state

        if "clicked" not in st.session_state:
            st.session_state["clicked"] = True
            get_script_run_ctx().script_requests.request_rerun(RerunData())
            state.end_run()
        st.text("answered")

    app = AppTest.from_function(script, default_timeout=180).run()
    assert [one.value for one in app.text] == ["answered"]

"""What is refused in a sentence, odd texts, and what an engine never does."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from playground.core.penalties import Penalties
from playground.core.sampling import Sampling
from playground.engine import create_engine
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.errors import (
    BadValue,
    EmptyText,
    ModelNotFound,
    TextTooLong,
    TooManyTokens,
    Unsupported,
)
from playground.settings import Settings
from tests import tiny
from tests.engine.local.held import TEXT, until


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (TraceRequest(tiny.LLAMA, "", Capture(logits="last")), EmptyText),
        (TraceRequest(tiny.LLAMA, "x" * 100_000, Capture(logits="last")), TextTooLong),
        (TraceRequest(tiny.LLAMA, "가" * 150, Capture(logits="last")), TooManyTokens),
        (TraceRequest(tiny.LLAMA, "a b c d e f g h " * 5, Capture(attentions="uint8")), TooManyTokens),
        (TraceRequest(tiny.LLAMA, input_ids=(-1,), capture=Capture(logits="last")), BadValue),
        (TraceRequest(tiny.LLAMA, input_ids=(10**6,), capture=Capture(logits="last")), BadValue),
        (TraceRequest(tiny.LLAMA, "x", Capture(hidden_states=(99,))), BadValue),
        (TraceRequest(tiny.BERT, "x", Capture(logits="last")), Unsupported),
        (TraceRequest(tiny.BERT, "x", Capture(predictions=1)), Unsupported),
        (TraceRequest(tiny.LLAMA, "x", Capture(predictions=10_000)), BadValue),
        (TraceRequest("nobody/nothing", "x", Capture(logits="last")), ModelNotFound),
        (TraceRequest("../../etc/passwd", "x", Capture(logits="last")), ModelNotFound),
        (TraceRequest("gpt2", "x", Capture(logits="last")), ModelNotFound),
        (GenerateRequest(tiny.BERT, "x"), Unsupported),
        (TraceRequest(tiny.T5, "x", Capture(predictions=1)), Unsupported),
        (GenerateRequest(tiny.LLAMA, ""), EmptyText),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(temperature=-1.0)), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(temperature=float("nan"))), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(top_p=0.0)), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(typical_p=0.0)), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(typical_p=0.5, order="vllm")), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(order="alphabetical")), BadValue),  # type: ignore[arg-type]
        (GenerateRequest(tiny.LLAMA, "x", penalties=Penalties(repetition_penalty=0.0)), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", penalties=Penalties(presence_penalty=float("nan"))), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(top_k=-1)), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(min_p=1.5)), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", max_new_tokens=10**9), BadValue),
        (GenerateRequest(tiny.LLAMA, input_ids=(5,) * tiny.N_CTX), TooManyTokens),
    ],
)
def test_bad_requests_are_refused_with_a_sentence(
    tiny_engine: LocalEngine, ask: object, error: type[Exception]
) -> None:
    answer: dict[type, Callable[[Any], object]] = {
        TraceRequest: tiny_engine.trace,
        GenerateRequest: lambda request: list(tiny_engine.generate(request)),
    }
    with pytest.raises(error) as refused:
        answer[type(ask)](ask)
    assert "{" not in str(refused.value)


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.MASKED, tiny.T5])
def test_all_logits_are_bounded_in_bytes(tiny_settings: Settings, model: str) -> None:
    """Of a vocabulary of 250,037 each position is a megabyte."""
    engine = create_engine(tiny_settings.model_copy(update={"max_logits_bytes": 6_400}))
    most = 6_400 // (4 * next(one.d_vocab for one in engine.models() if one.model_id == model))

    def ask(n: int, capture: Capture) -> TraceRequest:
        return TraceRequest(model, input_ids=(9,) * n, capture=capture, decoder_ids=(9,) * (n - 1))

    logits = engine.trace(ask(most, Capture(logits="all"))).logits
    assert logits is not None
    assert len(logits) == most > 1
    with pytest.raises(TooManyTokens, match=f"limit here is {most}"):
        engine.trace(ask(most + 1, Capture(logits="all")))
    engine.trace(ask(most + 1, Capture(logits="last")))
    engine.close()


@pytest.mark.parametrize("text", ["\ud800", "</script><script>", "\x00\x01", "שלום", "🧑‍🚀" * 4])
def test_odd_texts_are_traced(tiny_engine: LocalEngine, text: str) -> None:
    trace = tiny_engine.trace(TraceRequest(tiny.LLAMA, text, Capture(attentions="uint8", logits="last")))
    assert trace.logits is not None
    assert np.isfinite(trace.logits).all()


def test_closed_engine_leaves_no_thread(tiny_settings: Settings) -> None:
    before = set(threading.enumerate())
    engine = LocalEngine(tiny_settings)
    engine.trace(TraceRequest(tiny.LLAMA, TEXT, Capture(logits="last")))
    engine.close()
    until(lambda: set(threading.enumerate()) <= before)


def test_engine_runs_without_streamlit_and_charts() -> None:
    code = (
        "import sys\n"
        "for name in ('streamlit', 'altair', 'bertviz', 'ray'): sys.modules[name] = None\n"
        "from playground.engine import create_engine\n"
        "import playground.engine.local.engine, playground.core.sampling\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_naming_the_engine_imports_nothing_that_draws() -> None:
    code = (
        "import sys\nfrom playground.engine import create_engine\n"
        "print([name for name in ('streamlit', 'altair', 'bertviz', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr

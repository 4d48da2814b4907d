"""The id of a run is its own, and a model that left is counted until its run has ended."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace

import pytest

from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.contract.generation import GenerateRequest
from playground.engine.local.engine import LocalEngine
from playground.errors import BadValue
from playground.settings import Settings
from tests import tiny
from tests.engine.training.failing import PROMPTS, known, until
from tests.engine.training.learning import run_of, wait


@pytest.fixture
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    made = create_engine(tiny_settings)
    assert isinstance(made, LocalEngine)
    yield made
    made.close()


# ---- one id, one run


def test_the_id_of_a_run_is_its_own(engine: LocalEngine) -> None:
    first = run_of(1, owner="first", n_steps=200)
    engine.training.runs.start(first)
    for owner in ("first", "second"):
        with pytest.raises(BadValue, match="request_id"):
            engine.training.runs.start(replace(first, owner=owner, settings=replace(first.settings, seed=2)))
    assert known(engine, first).settings is first.settings
    assert not engine.training.runs.of("second")
    engine.training.runs.cancel(first.request_id)
    wait(engine, first)
    with pytest.raises(BadValue, match="request_id"):
        engine.training.runs.start(first)


# ---- memory


def test_a_model_that_left_is_counted_until_its_run_has_ended_and_then_free(tiny_settings: Settings) -> None:
    """Without the garbage collector: what is alive when a model is loaded is frozen, and never collected."""
    limits = {"model_bytes": 1, "default_model": tiny.BERT}
    engine = create_engine(tiny_settings.model_copy(update=limits))
    assert isinstance(engine, LocalEngine)
    done, going_on = run_of(1, owner="me"), run_of(2, owner="me", n_steps=200)
    engine.training.runs.start(done)
    asked = GenerateRequest(
        wait(engine, done).adapter, sampling=GREEDY, input_ids=PROMPTS[0], max_new_tokens=4
    )
    written = [step.token_id for step in engine.generate(asked)]
    llama = weakref.ref(next(engine.adapters.load(tiny.LLAMA).result().model.parameters()))
    size_bytes = engine.stats().model_bytes
    gc.disable()
    try:
        engine.training.runs.start(going_on)
        until(lambda: known(engine, going_on).step > 0)
        engine.adapters.load(tiny.GPT2).result(timeout=60)  # which takes its place
        gpt2 = engine.adapters.load(tiny.GPT2).result()
        gpt2_bytes = sum(one.nbytes for one in gpt2.model.parameters()) + gpt2.tokenizer.size_bytes
        assert engine.adapters.state(tiny.LLAMA)[0] == "waiting"
        engine.training.runs.pause(going_on.request_id)
        until(lambda: not engine.stats().n_training)
        assert llama() is not None
        assert engine.stats().model_bytes == size_bytes + gpt2_bytes
        engine.training.runs.cancel(going_on.request_id)
        until(lambda: llama() is None)
        assert engine.stats().model_bytes == gpt2_bytes
    finally:
        gc.enable()
    assert len(engine.training.runs.of("me")) == 2
    assert [step.token_id for step in engine.generate(asked)] == written
    engine.close()

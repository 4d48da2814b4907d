"""An adapter whose numbers overflow: its reader gets a sentence, whatever is asked; nobody else notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from playground.core.lora import LoraConfig
from playground.core.penalties import Penalties
from playground.core.sampling import GREEDY, Sampling
from playground.engine.adapters.adapter import Adapter
from playground.engine.adapters.layers import Change, targets
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest
from playground.engine.contract.inside import AblationsRequest, LensRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.vectors import TracesRequest
from playground.engine.local.engine import LocalEngine
from playground.errors import NotFinite
from tests import tiny

TEXT = "the cat sat on the mat"
Asked = Callable[[LocalEngine, str], object]


def adapter_of(engine: LocalEngine, module: str, value: float) -> str:
    """One that adds B·A with every number of both the same; gives its model id."""
    loaded = engine.adapters.load(tiny.LLAMA).result(timeout=60)
    changes = {
        path: Change(torch.full((2, one.d_in), value), torch.full((one.d_out, 2), value))
        for path, one in targets(loaded.template, (module,), "lora").items()
    }
    made = Adapter(tiny.LLAMA, "too large", 1, LoraConfig(2, 4.0, 0.0, (module,)), "lora", changes)
    return engine.adapters.add(made, "me")


@pytest.fixture(params=[("q_proj", 1e25), ("v_proj", 1e25), ("down_proj", 1e25), ("gate_proj", np.nan)])
def adapter(tiny_engine: LocalEngine, request: pytest.FixtureRequest) -> Iterator[str]:
    model_id = adapter_of(tiny_engine, *request.param)
    yield model_id
    tiny_engine.adapters.remove(model_id, "me")


def trace_of(**wanted: Any) -> Asked:
    return lambda engine, model: engine.trace(TraceRequest(model, TEXT, Capture(**wanted)))


def write_of(**settings: Any) -> Asked:
    return lambda engine, model: list(
        engine.generate(GenerateRequest(model, TEXT, max_new_tokens=4, **settings))
    )


def many(engine: LocalEngine, model: str) -> object:
    one = GenerateRequest(model, TEXT, max_new_tokens=4)
    return list(engine.generate_many(GenerateManyRequest(model, (one, replace(one, seed=1)))))


ASKED: dict[str, Asked] = {
    "last logits": trace_of(logits="last"),
    "all logits": trace_of(logits="all"),
    "hidden states": trace_of(hidden_states="all"),
    "attentions": trace_of(attentions="uint8"),
    "predictions": trace_of(predictions=5),
    "queries and keys": trace_of(query_key=True),
    "greedy": write_of(sampling=GREEDY),
    "sampled": write_of(),
    "cut": write_of(sampling=Sampling(top_k=5, top_p=0.9, min_p=0.1)),
    "llama.cpp": write_of(sampling=Sampling(order="llama.cpp", typical_p=0.5)),
    "penalised": write_of(penalties=Penalties(repetition_penalty=1.2)),
    "many": many,
    "sentence vectors": lambda engine, model: list(
        engine.vectors.traces(TracesRequest(model, (TEXT, "the dog"), hidden_states="all"))
    ),
    "lens": lambda engine, model: engine.inside.lens(LensRequest(model, TEXT)),
    "ablations": lambda engine, model: list(
        engine.inside.ablations(AblationsRequest(model, TEXT, ablation="zero"))
    ),
    "scores": lambda engine, model: list(engine.score(ScoreRequest(model, (TEXT,), ((" a", " the cat"),)))),
    "beams": lambda engine, model: list(engine.beams(BeamsRequest(model, TEXT, max_new_tokens=4))),
}


@pytest.mark.parametrize("asked", ASKED)
def test_numbers_that_overflow_are_said_in_a_sentence(
    tiny_engine: LocalEngine, adapter: str, asked: str
) -> None:
    with pytest.raises(NotFinite, match="too large"):
        ASKED[asked](tiny_engine, adapter)
    ASKED[asked](tiny_engine, tiny.LLAMA)


def test_who_shares_the_batch_notices_nothing(tiny_engine: LocalEngine) -> None:
    broken = adapter_of(tiny_engine, "down_proj", 1e25)

    def written(model: str) -> list[int] | str:
        try:
            asked = GenerateRequest(model, TEXT, sampling=GREEDY, max_new_tokens=12)
            return [step.token_id for step in tiny_engine.generate(asked)]
        except NotFinite:
            return "a sentence"

    expected = written(tiny.LLAMA)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(written, [tiny.LLAMA, broken] * 3))
    assert found == [expected, "a sentence"] * 3
    tiny_engine.adapters.remove(broken, "me")


def test_a_large_adapter_that_still_gives_numbers_is_used(tiny_engine: LocalEngine) -> None:
    large = adapter_of(tiny_engine, "v_proj", 1e3)
    for asked in ASKED.values():
        asked(tiny_engine, large)
    tiny_engine.adapters.remove(large, "me")


def test_an_encoder_decoder_that_overflows_is_said_in_a_sentence(
    tiny_engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_engine.adapters.load(tiny.T5).result(timeout=60).model
    request = TraceRequest(tiny.T5, "an overflow", Capture(hidden_states="all"), decoder_text="a")
    weights = model.decoder.block[0].layer[0].SelfAttention.v.weight
    before = weights.clone()
    weights.fill_(torch.inf)
    try:
        with pytest.raises(NotFinite):
            tiny_engine.trace(request)
    finally:
        weights.copy_(before)
    assert tiny_engine.trace(request).hidden_states is not None

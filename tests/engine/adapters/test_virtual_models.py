"""A model with a soft prompt, a prefix or a bottleneck is a model of every page: each answer against peft."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from playground.core.byte_cache import ByteCache
from playground.core.sampling import GREEDY
from playground.core.trace import Trace
from playground.engine import create_engine
from playground.engine.contract.adapters import Method
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.forward.scoring import ScoringWork, score_key
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.local.engine import LocalEngine
from playground.engine.scheduling.jobs import More
from playground.errors import BadValue, TooManyTokens, Unsupported
from playground.settings import Settings
from tests import tiny
from tests.engine.adapters.other_ways import by_peft, made
from tests.engine.conftest import same_to_rounding

MODELS, VIRTUAL = [tiny.LLAMA, tiny.GPT2], ["prompt", "prefix"]
IDS, OTHER = (5, 6, 7, 8, 9, 10), (11, 12, 13)
ALL = Capture(logits="all", attentions="float32", query_key=True, hidden_states="all", block_outputs=True)


@pytest.fixture(scope="module")
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    engine = create_engine(tiny_settings.model_copy(update={"max_adapters_per_session": 60}))
    assert isinstance(engine, LocalEngine)
    yield engine
    engine.close()


def traced(engine: LocalEngine, model: str, ids: tuple[int, ...] = IDS, capture: Capture = ALL) -> Trace:
    return engine.trace(TraceRequest(model, input_ids=ids, capture=capture))


def logits(engine: LocalEngine, model: str, ids: tuple[int, ...]) -> np.ndarray:
    found = traced(engine, model, ids, Capture(logits="last")).logits
    assert found is not None
    return found[-1]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("method", VIRTUAL)
def test_logits_and_attention_are_pefts(
    tiny_settings: Settings, engine: LocalEngine, method: Method, model: str
) -> None:
    adapter = made(engine, model, method)
    theirs = by_peft(tiny_settings, engine, adapter)
    ids = torch.tensor([IDS])
    with torch.no_grad():
        expected = theirs(input_ids=ids, attention_mask=torch.ones_like(ids), output_attentions=True)
    found = traced(engine, adapter)
    same_to_rounding(found.logits, expected.logits[0, -len(IDS) :])
    weights = torch.stack(expected.attentions)[:, 0, :, -len(IDS) :, 4:]
    np.testing.assert_allclose(found.attentions, weights, atol=1e-5)
    assert found.attentions is not None
    sums = found.attentions.sum(-1)
    assert (sums <= 1 + 1e-6).all()
    assert sums.mean() < 0.9, "virtual positions are looked at"
    seven = Capture(attentions="uint8", window=(2, 5))
    part = traced(engine, adapter, capture=seven).attentions
    np.testing.assert_array_equal(part, np.round(255 * np.sqrt(found.attentions[..., 2:5, 2:5])))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("method", [*VIRTUAL, "bottleneck"])
def test_every_way_of_reading_gives_the_same(engine: LocalEngine, method: Method, model: str) -> None:
    adapter = made(engine, model, method, seed=1)
    expected = traced(engine, adapter).logits
    assert expected is not None
    base = traced(engine, model).logits
    assert np.abs(expected - base).max() > 1e-2
    loaded = engine.adapters.load(adapter).result()
    padded = run_traces(loaded, [InputRow(OTHER), InputRow(IDS)], ALL)
    same_to_rounding(padded[1].logits, expected)
    logprobs = expected - np.logaddexp.reduce(expected, axis=-1, keepdims=True)
    text = (IDS[:3], ((8, 9, 10), (8, 9, 11)))
    work = ScoringWork(loaded, [text], [score_key(loaded, text)], ByteCache(2**20), piece=4)
    while isinstance(scored := work.run(), More):
        pass
    [scores] = scored
    want = [[logprobs[2, 8], logprobs[3, 9], logprobs[4, last]] for last in (10, 11)]
    np.testing.assert_allclose(scores.token_logprobs, want, atol=1e-4)
    read = traced(engine, adapter, IDS[:4], Capture(logits="last", query_key=True))
    after = engine.trace(TraceRequest(adapter, input_ids=IDS, capture=Capture(logits="last"), after=read))
    same_to_rounding(after.logits, expected[-1:])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("method", [*VIRTUAL, "bottleneck"])
def test_decoding_and_beams_are_its_forward(engine: LocalEngine, method: Method, model: str) -> None:
    adapter = made(engine, model, method, seed=2)
    ids = list(OTHER)
    for step in engine.generate(GenerateRequest(adapter, sampling=GREEDY, input_ids=OTHER, max_new_tokens=5)):
        own = logits(engine, adapter, tuple(ids))
        assert int(own.argmax()) == step.token_id
        same_to_rounding(step.top_logits, np.sort(own)[::-1][: len(step.top_logits)])
        ids.append(step.token_id)
    *_, last = engine.beams(BeamsRequest(adapter, input_ids=OTHER, n_beams=2, max_new_tokens=3))
    best = max(last.hypotheses, key=lambda one: one.logprob)
    way, total = list(OTHER), 0.0
    for token in best.token_ids:
        own = logits(engine, adapter, tuple(way))
        total += float(own[token] - np.logaddexp.reduce(own))
        way.append(token)
    assert best.logprob == pytest.approx(total, abs=1e-3)


@pytest.mark.parametrize("model", MODELS)
def test_rows_of_every_kind_share_a_batch(engine: LocalEngine, model: str) -> None:
    """Each writes what it writes alone, whatever joins and leaves beside it."""
    kinds: list[tuple[Method, int]] = [
        ("prompt", 3), ("prefix", 6), ("bottleneck", 4), ("last_block", 2), ("prefix", 2),
    ]  # fmt: skip
    models = [model, *(made(engine, model, method, n=n, seed=n) for method, n in kinds)]
    asked = [
        GenerateRequest(one, sampling=GREEDY, input_ids=IDS[: 2 + at % 4], max_new_tokens=3 + 2 * at)
        for at, one in enumerate(models)
    ]
    alone = [[step.token_id for step in engine.generate(one)] for one in asked]

    def write(one: GenerateRequest) -> list[int]:
        return [step.token_id for step in engine.generate(one)]

    with ThreadPoolExecutor(len(asked)) as pool:
        assert list(pool.map(write, asked)) == alone
    assert len({tuple(one[:3]) for one in alone}) > 3


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("method", [*VIRTUAL, "bottleneck"])
def test_lens_and_ablations_are_of_the_same_model(engine: LocalEngine, method: Method, model: str) -> None:
    adapter = made(engine, model, method, seed=3)
    found = traced(engine, adapter)
    assert found.logits is not None
    assert found.hidden_states is not None
    assert found.attn_out is not None
    assert found.mlp_out is not None
    streams = found.hidden_states[0] + found.attn_out.sum(0) + found.mlp_out.sum(0)
    same_to_rounding(found.hidden_states[-2] + found.attn_out[-1] + found.mlp_out[-1], streams)


def test_virtual_positions_are_there_or_not(engine: LocalEngine) -> None:
    for method in ("prompt", "prefix"):
        adapter = made(engine, tiny.LLAMA, method)
        np.testing.assert_array_equal(
            traced(engine, f"{adapter}@0").logits, traced(engine, tiny.LLAMA).logits
        )
        with pytest.raises(BadValue, match=r"strength is 0\.5, but only 0, 1"):
            traced(engine, f"{adapter}@50")
    half, whole = (traced(engine, f"{made(engine, tiny.LLAMA, 'bottleneck')}@{s}").logits for s in (50, 100))
    assert half is not None
    assert np.abs(half - whole).max() > 1e-3


@pytest.mark.parametrize("model", MODELS)
def test_a_prefix_takes_context(engine: LocalEngine, model: str) -> None:
    n_ctx = engine.adapters.load(model).result().info.n_ctx
    adapter = made(engine, model, "prefix", n=6)
    info = engine.adapters.load(adapter).result().info
    assert (info.n_virtual, info.n_ctx) == (6, n_ctx - 6)
    assert not info.gives_keys(3)
    limit = min(n_ctx - 6, engine.settings.max_tokens)
    if limit < engine.settings.max_tokens:
        with pytest.raises(TooManyTokens):
            traced(engine, adapter, (5,) * (limit + 1), Capture(logits="last"))
    found = traced(engine, adapter, (5,) * limit, Capture(logits="last")).logits
    assert found is not None
    assert np.isfinite(found).all()


def test_they_change_no_weight(engine: LocalEngine) -> None:
    lora = made(engine, tiny.LLAMA, "lora")
    for method in ("prompt", "prefix", "bottleneck"):
        adapter = made(engine, tiny.LLAMA, method)
        with pytest.raises(Unsupported, match="change of a weight by a matrix"):
            engine.adapters.changes(adapter)
        with pytest.raises(BadValue, match=f"method is {method}"):
            engine.adapters.added(lora, adapter, "me")

"""Predictions at every position are those of the library's forward, without its table of logits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from playground.core.predictions import Predictions
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.settings import DEFAULT_DECODER, Settings
from tests import tiny
from tests.engine.conftest import oracle

TEXT = "The capital of England is London, and the cat sat on the mat. " * 2


def read(engine: LocalEngine, model: str, text: str = TEXT, n: int = 5) -> Predictions:
    found = engine.trace(TraceRequest(model, text, Capture(predictions=n))).predictions
    assert found is not None
    return found


def assert_the_librarys(engine: LocalEngine, settings: Settings, model: str) -> None:
    found = read(engine, model)
    ids = torch.tensor([engine.tokenizers.tokenize(model, TEXT, add_special_tokens=True).input_ids])
    with torch.no_grad():
        output = oracle(settings, model)(input_ids=ids, labels=ids)
    logprobs = output.logits[0].double().log_softmax(-1)
    own = logprobs[:-1].gather(1, ids[0, 1:, None])[:, 0]
    np.testing.assert_allclose(found.logprobs, own, atol=1e-4)
    assert found.perplexity == pytest.approx(float(output.loss.exp()), rel=1e-4)
    entropy = torch.distributions.Categorical(logits=logprobs).entropy() / np.log(2)
    np.testing.assert_allclose(found.entropy_bits, entropy, atol=1e-3)
    np.testing.assert_allclose(found.top_logprobs, logprobs.topk(5).values, atol=1e-4)
    ranks = (logprobs[:-1] > own[:, None] + 1e-5).sum(-1).numpy()
    assert (found.ranks >= ranks).all()
    assert (found.ranks - ranks).max() <= 1, "no more than a near-tie apart"


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_predictions_equal_the_librarys_loss(
    tiny_engine: LocalEngine, tiny_settings: Settings, model: str
) -> None:
    assert_the_librarys(tiny_engine, tiny_settings, model)


@pytest.mark.real
def test_real_predictions_equal_the_librarys_loss(real_engine: LocalEngine, real_settings: Settings) -> None:
    assert_the_librarys(real_engine, real_settings, DEFAULT_DECODER)
    assert read(real_engine, DEFAULT_DECODER, "The capital of England is London").ranks[-1] == 0


def test_what_was_generated_has_the_log_probabilities_of_its_steps(tiny_engine: LocalEngine) -> None:
    ids = tiny_engine.tokenizers.tokenize(tiny.LLAMA, "the cat", add_special_tokens=True).input_ids
    steps = list(tiny_engine.generate(GenerateRequest(tiny.LLAMA, "the cat", seed=3, max_new_tokens=9)))
    whole = (*ids, *(step.token_id for step in steps))
    found = tiny_engine.trace(
        TraceRequest(tiny.LLAMA, input_ids=whole, capture=Capture(predictions=1))
    ).predictions
    assert found is not None
    np.testing.assert_allclose(found.logprobs[len(ids) - 1 :], [step.logprob for step in steps], atol=1e-4)
    assert found.ranks[len(ids) - 1 :].tolist() == [step.rank for step in steps]


def test_a_text_of_one_token_has_no_perplexity_and_the_trace_counts_its_bytes(
    tiny_engine: LocalEngine,
) -> None:
    trace = tiny_engine.trace(TraceRequest(tiny.LLAMA, input_ids=(5,), capture=Capture(predictions=3)))
    assert trace.predictions is not None
    assert trace.predictions.top_ids.shape == (1, 3)
    assert np.isnan(trace.predictions.perplexity)
    assert trace.size_bytes >= trace.input_ids.nbytes + trace.predictions.size_bytes > 36

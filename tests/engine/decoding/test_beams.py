"""Beam search is the library's `generate(num_beams=…)`, step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from playground.engine.contract.beams import BeamsRequest, BeamStep
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.errors import BadValue, TooManyTokens, Unsupported
from playground.settings import DEFAULT_DECODER, Settings
from tests import tiny
from tests.engine.conftest import oracle

TEXT = "The capital of England is"
SEARCHES = ((2, 1.0), (4, 1.0), (5, 2.0), (3, 0.0), (4, -0.5))  # beams, length penalty
MODELS = (tiny.LLAMA, tiny.GPT2, pytest.param(DEFAULT_DECODER, marks=pytest.mark.real))


@pytest.fixture
def engine(request: pytest.FixtureRequest, model: str) -> LocalEngine:
    name = "tiny_engine" if model.startswith("tiny/") else "real_engine"
    found: LocalEngine = request.getfixturevalue(name)
    return found


def librarys(
    engine: LocalEngine, settings: Settings, model: str, *, n_beams: int, length_penalty: float, n: int
) -> tuple[list[list[int]], list[float], Any]:
    """Tokens and scores of the best texts, and the sums of the library's own transition scores."""
    net = oracle(settings, model)
    ids = torch.tensor([engine.tokenizers.tokenize(model, TEXT, add_special_tokens=True).input_ids])
    ends = sorted(engine._table.tokenizer(model).eos_ids)
    with torch.no_grad():
        out = net.generate(
            ids, attention_mask=torch.ones_like(ids), num_beams=n_beams, num_return_sequences=n_beams,
            do_sample=False, length_penalty=length_penalty, max_new_tokens=n, eos_token_id=ends,
            pad_token_id=ends[0], output_scores=True, return_dict_in_generate=True,
            repetition_penalty=1.0, top_k=0,
        )  # fmt: skip
    sums = net.compute_transition_scores(
        out.sequences, out.scores, out.beam_indices, normalize_logits=False
    ).sum(1)
    lengths = (out.beam_indices >= 0).sum(1)
    tokens = [row[ids.shape[1] :][:n_new].tolist() for row, n_new in zip(out.sequences, lengths, strict=True)]
    return tokens, out.sequences_scores.tolist(), sums.tolist()


@pytest.mark.parametrize(
    ("model", "n_beams", "length_penalty"),
    [
        *((model, *how) for model in (tiny.LLAMA, tiny.GPT2) for how in SEARCHES),
        *(pytest.param(DEFAULT_DECODER, *how, marks=pytest.mark.real) for how in SEARCHES[-2:]),
    ],
)
def test_the_best_texts_and_their_scores_are_the_librarys(
    engine: LocalEngine, real_or_tiny: Settings, model: str, n_beams: int, length_penalty: float
) -> None:
    request = BeamsRequest(model, TEXT, n_beams=n_beams, length_penalty=length_penalty, max_new_tokens=10)
    steps = list(engine.beams(request))
    tokens, scores, sums = librarys(
        engine, real_or_tiny, model, n_beams=n_beams, length_penalty=length_penalty, n=10
    )
    found = steps[-1].hypotheses
    assert [list(one.token_ids) for one in found] == tokens
    np.testing.assert_allclose([one.score for one in found], scores, atol=2e-4)
    np.testing.assert_allclose([one.logprob for one in found], sums, atol=1e-3)
    assert [step.done for step in steps] == [*[False] * (len(steps) - 1), True]


@pytest.fixture
def real_or_tiny(request: pytest.FixtureRequest, model: str) -> Settings:
    found: Settings = request.getfixturevalue(
        "tiny_settings" if model.startswith("tiny/") else "real_settings"
    )
    return found


@pytest.mark.parametrize("model", [tiny.LLAMA])
def test_one_beam_takes_the_most_probable_token_at_every_step(engine: LocalEngine, model: str) -> None:
    steps = list(engine.beams(BeamsRequest(model, TEXT, n_beams=1, max_new_tokens=6)))
    ids = list(engine.tokenizers.tokenize(model, TEXT, add_special_tokens=True).input_ids)
    for step in steps:
        logits = engine.trace(
            TraceRequest(model, input_ids=tuple(ids), capture=Capture(logits="last"))
        ).logits
        assert logits is not None
        assert step.candidates[0].token_id == int(logits[-1].argmax())
        ids.append(step.candidates[0].token_id)


@pytest.mark.parametrize("model", [tiny.LLAMA])
def test_two_searches_at_once_do_not_mix(engine: LocalEngine, model: str) -> None:
    def ask(text: str) -> BeamsRequest:
        return BeamsRequest(model, text, n_beams=3, max_new_tokens=6)

    alone = [list(engine.beams(ask(text)))[-1].hypotheses for text in (TEXT, "the cat sat")]
    first, second = engine.beams(ask(TEXT)), engine.beams(ask("the cat sat"))
    last: list[BeamStep | None] = [None, None]
    for one, other in zip(first, second, strict=True):
        last = [one, other]
    assert [step.hypotheses for step in last if step] == alone


@pytest.mark.parametrize("model", [tiny.LLAMA])
def test_a_closed_search_costs_no_further_step(engine: LocalEngine, model: str) -> None:
    steps = engine.beams(BeamsRequest(model, TEXT, n_beams=2, max_new_tokens=20))
    next(steps)
    steps.close()
    engine.trace(TraceRequest(model, "a fence behind which its last step is over", Capture(logits="last")))
    before = engine.stats().n_forwards
    engine.trace(TraceRequest(model, "a fence behind which nothing of it is left", Capture(logits="last")))
    assert engine.stats().n_forwards == before + 1
    assert engine.stats().n_waiting == 0


@pytest.mark.parametrize("model", [tiny.LLAMA])
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"n_beams": 0}, BadValue),
        ({"n_beams": 9}, BadValue),
        ({"length_penalty": float("nan")}, BadValue),
        ({"max_new_tokens": 0}, BadValue),
        ({"max_new_tokens": 10_000}, BadValue),
        ({"text": "a " * 120, "max_new_tokens": 20}, TooManyTokens),
        ({"model": tiny.BERT}, Unsupported),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_computed(
    engine: LocalEngine, model: str, wrong: dict[str, Any], error: type[Exception]
) -> None:
    before = engine.stats().n_forwards
    with pytest.raises(error):
        next(engine.beams(BeamsRequest(**{"model": model, "text": TEXT} | wrong)))
    assert engine.stats().n_forwards == before


@pytest.mark.real
def test_a_search_that_would_keep_too_much_is_refused(real_engine: LocalEngine) -> None:
    n_text = Settings().max_beam_tokens // 8
    with pytest.raises(TooManyTokens):
        next(real_engine.beams(BeamsRequest(DEFAULT_DECODER, input_ids=(5,) * n_text, n_beams=8)))

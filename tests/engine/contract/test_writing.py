"""Continuations, searches and scores agree with the traces of the same texts, whoever computes them."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from playground.core.inside import log_probabilities
from playground.core.sampling import GREEDY, Sampling
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.engine import Engine
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest, GenerateStep
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.errors import BadValue, Cancelled, Unsupported
from tests import tiny

TEXT = "the cat sat on"
DECODERS = (tiny.LLAMA, tiny.GPT2)


def log_probs(engine: Engine, model: str, ids: Sequence[int]) -> np.ndarray:
    """log p of every token after each prefix. Shape [position, d_vocab]."""
    trace = engine.trace(TraceRequest(model, input_ids=tuple(ids), capture=Capture(logits="all")))
    return np.array([log_probabilities(row) for row in trace.logits])


def ids_of(engine: Engine, model: str, text: str) -> tuple[int, ...]:
    return engine.tokenizers.tokenize(model, text, add_special_tokens=True).input_ids


def tokens(steps: Iterator[GenerateStep]) -> list[int]:
    return [step.token_id for step in steps]


@pytest.mark.parametrize("model", DECODERS)
def test_greedy_tokens_are_the_most_probable_of_the_trace(engine: Engine, model: str) -> None:
    steps = list(engine.generate(GenerateRequest(model, TEXT, sampling=GREEDY, max_new_tokens=6)))
    ids = [*ids_of(engine, model, TEXT), *(step.token_id for step in steps)]
    known = log_probs(engine, model, ids)[-len(steps) - 1 : -1]
    assert known.argmax(-1).tolist() == [step.token_id for step in steps]
    np.testing.assert_allclose([step.logprob for step in steps], known.max(-1), atol=1e-4)
    assert [step.index for step in steps] == list(range(len(steps)))
    assert [step.finish_reason is None for step in steps] == [True] * (len(steps) - 1) + [False]


def test_a_seed_gives_the_same_text_and_a_run_can_go_on(engine: Engine) -> None:
    asked = GenerateRequest(tiny.LLAMA, TEXT, sampling=Sampling(temperature=1.5), seed=7, max_new_tokens=8)
    whole = tokens(engine.generate(asked))
    assert tokens(engine.generate(asked)) == whole
    rest = replace(asked, written=tuple(whole[:3]), n_drawn=3, max_new_tokens=5)
    assert tokens(engine.generate(rest)) == whole[3:]
    assert any(tokens(engine.generate(replace(asked, seed=seed))) != whole for seed in range(8, 12))


def test_several_texts_are_each_what_they_are_alone(engine: Engine) -> None:
    requests = tuple(
        GenerateRequest(tiny.LLAMA, text, sampling=Sampling(temperature=0.9), seed=seed, max_new_tokens=5)
        for seed, text in enumerate((TEXT, "the dog", "a mat on the cat"))
    )
    found: dict[int, list[int]] = {0: [], 1: [], 2: []}
    for which, step in engine.generate_many(GenerateManyRequest(tiny.LLAMA, requests)):
        found[which].append(step.token_id)
    assert list(found.values()) == [tokens(engine.generate(one)) for one in requests]


def test_a_stop_string_ends_the_text_before_it(engine: Engine) -> None:
    asked = GenerateRequest(tiny.LLAMA, TEXT, sampling=GREEDY, max_new_tokens=12)
    text = "".join(step.text for step in engine.generate(asked))
    stop = text[3:5]
    steps = list(engine.generate(replace(asked, stop=(stop,))))
    assert steps[-1].finish_reason == "stop"
    assert "".join(step.text for step in steps) == text[: text.index(stop)]


def test_a_search_of_one_beam_is_greedy(engine: Engine) -> None:
    greedy = tokens(engine.generate(GenerateRequest(tiny.GPT2, TEXT, sampling=GREEDY, max_new_tokens=5)))
    steps = list(engine.beams(BeamsRequest(tiny.GPT2, TEXT, n_beams=1, max_new_tokens=5)))
    assert [step.done for step in steps] == [False] * (len(steps) - 1) + [True]
    assert list(steps[-1].hypotheses[0].token_ids)[: len(greedy)] == greedy


@pytest.mark.parametrize("model", DECODERS)
def test_a_score_is_the_sum_of_the_log_probabilities_in_the_trace(engine: Engine, model: str) -> None:
    ids, candidates = ids_of(engine, model, TEXT), (" the mat", " a dog")
    ((place, scores),) = engine.score(ScoreRequest(model, (ids,), (candidates,)))
    assert place == 0
    for own, total in zip(scores.input_ids, scores.logprobs, strict=True):
        known = log_probs(engine, model, (*ids, *own))[len(ids) - 1 : -1]
        assert total == pytest.approx(known[range(len(own)), own].sum(), abs=1e-4)


def test_closing_a_text_stops_it_and_frees_its_place(engine: Engine) -> None:
    before = engine.stats()
    steps = engine.generate(GenerateRequest(tiny.LLAMA, TEXT, max_new_tokens=60))
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    engine.trace(TraceRequest(tiny.LLAMA, "behind it", Capture(logits="last")))
    until = time.monotonic() + 10
    while engine.stats().n_decoding:
        assert time.monotonic() < until
    assert engine.stats().n_decoded_tokens - before.n_decoded_tokens < 60


def test_a_request_that_is_cancelled_says_so(engine: Engine) -> None:
    engine.cancel("nobody's")
    for cancel in (lambda: engine.cancel("it"), lambda: engine.cancel_owner("ann")):
        request = GenerateRequest(tiny.LLAMA, TEXT, max_new_tokens=60, owner="ann", request_id="it")
        steps = engine.generate(request)
        next(steps)
        cancel()
        with pytest.raises(Cancelled):
            list(steps)


def test_what_cannot_be_is_refused(engine: Engine) -> None:
    with pytest.raises(BadValue):
        next(engine.generate(GenerateRequest(tiny.LLAMA, TEXT, max_new_tokens=0)))
    with pytest.raises(BadValue):
        next(engine.beams(BeamsRequest(tiny.LLAMA, TEXT, n_beams=0)))
    with pytest.raises(Unsupported):
        next(engine.generate(GenerateRequest(tiny.BERT, TEXT)))


def test_requests_and_steps_are_values_that_can_be_sent(engine: Engine) -> None:
    request = GenerateRequest(tiny.LLAMA, TEXT, sampling=GREEDY, max_new_tokens=1)
    assert pickle.loads(pickle.dumps(request)) == request
    (step,) = engine.generate(request)
    assert pickle.loads(pickle.dumps(step)).token_id == step.token_id

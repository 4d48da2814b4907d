"""Scores of many texts are those of a plain forward over each alone, and shared beginnings cost nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from playground.core.prefix_tree import PrefixTree
from playground.engine.contract.scores import ScoreRequest, Scores
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.errors import BadValue, EmptyText, TextTooLong, TooManyTokens, Unsupported
from playground.settings import DEFAULT_DECODER, Settings
from tests import tiny
from tests.engine.conftest import oracle

MODELS = (tiny.LLAMA, tiny.GPT2, pytest.param(DEFAULT_DECODER, marks=pytest.mark.real))
SHOTS = "the cat sat: good\n\nthe dog sat: bad\n\n"
TEXTS = (f"{SHOTS}the mat:", f"{SHOTS}the cat and the dog:", "the mat:", "the", f"{SHOTS}the mat:")
LABELS = (" good", " good cat", "!", " bad", "서울")


@pytest.fixture
def engine(request: pytest.FixtureRequest, model: str) -> LocalEngine:
    name = "tiny_engine" if model.startswith("tiny/") else "real_engine"
    found: LocalEngine = request.getfixturevalue(name)
    return found


def ask(engine: LocalEngine, model: str, texts: tuple[Any, ...], labels: tuple[str, ...]) -> list[Scores]:
    request = ScoreRequest(model, texts, (labels,) * len(texts))
    places, found = zip(*engine.score(request), strict=True)
    assert places == tuple(range(len(texts)))
    return list(found)


@pytest.mark.parametrize("model", MODELS)
def test_every_score_is_the_summed_log_softmax_of_a_plain_forward(
    engine: LocalEngine, model: str, request: pytest.FixtureRequest
) -> None:
    settings = request.getfixturevalue("tiny_settings") if model.startswith("tiny/") else Settings()
    net = oracle(settings, model)
    for text, scores in zip(TEXTS, ask(engine, model, TEXTS, LABELS), strict=True):
        text_ids = list(engine.tokenizers.tokenize(model, text, add_special_tokens=True).input_ids)
        for label, ids, parts, total in zip(
            LABELS, scores.input_ids, scores.token_logprobs, scores.logprobs, strict=True
        ):
            assert ids == engine.tokenizers.tokenize(model, label, add_special_tokens=True).input_ids
            with torch.no_grad():
                logits = net(input_ids=torch.tensor([text_ids + list(ids)])).logits[0]
            logprobs = torch.log_softmax(logits, -1)[len(text_ids) - 1 : -1]
            expected = [float(logprobs[place, token]) for place, token in enumerate(ids)]
            assert parts == pytest.approx(expected, abs=1e-4)
            assert total == pytest.approx(sum(expected), abs=1e-4)


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_a_tree_read_in_pieces_gives_the_same(engine: LocalEngine, model: str) -> None:
    words = [f"{one} {other}" for one in ("cat", "dog", "mat", "on") for other in ("cat", "dog", "a", "the")]
    texts = tuple(f"{SHOTS}{word}: good\n\nthe {word} sat:" for word in words)
    before = engine.stats().n_prefill_tokens
    together = ask(engine, model, texts, LABELS)
    assert engine.stats().n_prefill_tokens - before > 256, "several pieces"
    for text, scores in zip(texts, together, strict=True):
        (alone,) = ask(engine, model, (text,), (*LABELS, " other labels, so that nothing is known"))
        assert scores.logprobs == pytest.approx(alone.logprobs[:-1], abs=1e-4)


@pytest.mark.parametrize("model", [tiny.LLAMA])
def test_what_texts_begin_with_alike_is_read_once(engine: LocalEngine, model: str) -> None:
    texts = tuple(f"{SHOTS}number {i}:" for i in range(10))
    tree = PrefixTree()
    for text in texts:
        for label in LABELS:
            tree.add(
                [
                    *engine.tokenizers.tokenize(model, text, add_special_tokens=True).input_ids,
                    *engine.tokenizers.tokenize(model, label, add_special_tokens=True).input_ids[:-1],
                ]
            )
    before = engine.stats()
    ask(engine, model, texts, LABELS)
    after = engine.stats()
    piece = Settings().prefill_chunk_tokens
    assert after.n_prefill_tokens - before.n_prefill_tokens == len(tree)
    assert after.n_forwards - before.n_forwards == -(-len(tree) // piece)
    assert (
        len(tree)
        < sum(len(engine.tokenizers.tokenize(model, text, add_special_tokens=True)) for text in texts) / 2
    )


@pytest.mark.parametrize("model", [tiny.LLAMA])
def test_thirty_who_ask_the_same_cost_one_forward_and_later_none(engine: LocalEngine, model: str) -> None:
    before = engine.stats().n_forwards
    texts = tuple(
        f"thirty students look at page {i} of {i * 7} and {i * 13} then {i * 31}:" for i in range(24)
    )
    with ThreadPoolExecutor(30) as pool:
        found = list(pool.map(lambda _student: ask(engine, model, texts, LABELS), range(30)))
    n_pieces = engine.stats().n_forwards - before
    assert 1 < n_pieces < 6, "those of one student"
    assert all(one == found[0] for one in found)
    between = engine.stats().n_forwards
    assert ask(engine, model, texts, LABELS) == found[0]
    assert engine.stats().n_forwards == between


@pytest.mark.parametrize("model", [tiny.LLAMA])
def test_token_ids_are_taken_as_they_are(engine: LocalEngine, model: str) -> None:
    ids = engine.tokenizers.tokenize(model, TEXTS[0], add_special_tokens=True).input_ids
    assert ask(engine, model, (ids,), LABELS) == ask(engine, model, (TEXTS[0],), LABELS)


@pytest.mark.parametrize("model", [tiny.LLAMA])
def test_a_closed_scoring_costs_no_further_forward(engine: LocalEngine, model: str) -> None:
    texts = tuple(f"{SHOTS}word {i} of {i * 7} and {i * 13} then {i * 31}:" for i in range(60))
    steps = engine.score(ScoreRequest(model, texts, (LABELS,) * len(texts)))
    next(steps)
    steps.close()
    engine.trace(TraceRequest(model, "a fence behind which its last piece is over", Capture(logits="last")))
    before = engine.stats().n_forwards
    engine.trace(
        TraceRequest(model, "a fence behind which nothing of the scoring is left", Capture(logits="last"))
    )
    assert engine.stats().n_forwards == before + 1
    assert engine.stats().n_waiting == 0


@pytest.mark.parametrize("model", [tiny.LLAMA])
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"texts": ()}, BadValue),
        ({"texts": ("",)}, EmptyText),
        ({"texts": ((),)}, EmptyText),
        ({"texts": ((-1,),)}, BadValue),
        ({"texts": ("a",) * 2_000}, BadValue),
        ({"texts": ("a" * 100_000,)}, TextTooLong),
        ({"texts": ("a " * 127,)}, TooManyTokens),
        ({"labels": ()}, BadValue),
        ({"labels": ("",)}, EmptyText),
        ({"labels": tuple(map(str, range(100)))}, BadValue),
        ({"labels": (" a", "b " * 1_500_000)}, TextTooLong),
        ({"labels": tuple(map(str, range(100))), "texts": ("the cat", "a")}, BadValue),
        ({"model": tiny.BERT}, Unsupported),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_computed(
    engine: LocalEngine, model: str, wrong: dict[str, Any], error: type[Exception]
) -> None:
    before = engine.stats().n_forwards
    values = {"model": model, "texts": ("the cat",), "labels": (" a",)} | wrong
    texts = values["texts"]
    with pytest.raises(error):
        next(engine.score(ScoreRequest(values["model"], texts, (values["labels"],) * len(texts))))
    assert engine.stats().n_forwards == before

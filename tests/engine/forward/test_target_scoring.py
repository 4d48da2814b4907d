"""Scores of candidates as targets are those of a plain forward over each source and target alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from playground.engine.contract.scores import ScoreRequest, Scores
from playground.engine.local.engine import LocalEngine
from playground.errors import BadValue, EmptyText, TooManyTokens
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import oracle

TEXTS = ("the cat sat on the mat", "the dog", "The capital of England is London.", "the dog", "서울은")
LABELS = ("good", "a good cat sat", "!", "bad", "서울")


def ask(
    engine: LocalEngine, texts: tuple[str, ...], labels: tuple[str, ...] = LABELS, following: str = ""
) -> list[Scores]:
    request = ScoreRequest(tiny.T5, texts, (labels,) * len(texts), (following,) * len(texts))
    places, found = zip(*engine.score(request), strict=True)
    assert places == tuple(range(len(texts)))
    return list(found)


@pytest.mark.parametrize("following", ["", " and"])
def test_every_score_is_the_summed_log_softmax_of_a_plain_forward(
    tiny_engine: LocalEngine, tiny_settings: Settings, following: str
) -> None:
    net, tokenize = oracle(tiny_settings, tiny.T5), tiny_engine.tokenizers.tokenize
    for text, scores in zip(TEXTS, ask(tiny_engine, TEXTS, following=following), strict=True):
        source = tokenize(tiny.T5, text, add_special_tokens=True).input_ids
        for label, ids, parts, total in zip(
            LABELS, scores.input_ids, scores.token_logprobs, scores.logprobs, strict=True
        ):
            assert tiny_engine.tokenizers.text_of(tiny.T5, ids).strip() == label
            with torch.no_grad():
                logits = net(
                    input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([[0, *ids[:-1]]])
                ).logits[0]
            logprobs = torch.log_softmax(logits, -1)
            expected = [float(logprobs[place, token]) for place, token in enumerate(ids)]
            assert parts == pytest.approx(expected, abs=1e-4)
            assert total == pytest.approx(sum(expected), abs=1e-4)


def test_thirty_who_ask_the_same_cost_the_turns_of_one_and_later_none(tiny_engine: LocalEngine) -> None:
    texts = tuple(f"thirty students look at page {i} of {i * 7} and {i * 13}" for i in range(12))
    before = tiny_engine.stats().n_forwards
    with ThreadPoolExecutor(30) as pool:
        found = list(pool.map(lambda _student: ask(tiny_engine, texts), range(30)))
    n_turns = tiny_engine.stats().n_forwards - before
    assert 1 < n_turns <= len(texts) * len(LABELS)
    assert all(one == found[0] for one in found)
    for text, scores in zip(texts, found[0], strict=True):
        (alone,) = ask(tiny_engine, (text,), (*LABELS, "another, so that nothing is known"))
        assert scores.logprobs == pytest.approx(alone.logprobs[:-1], abs=1e-4)
    between = tiny_engine.stats().n_forwards
    assert ask(tiny_engine, texts) == found[0]
    assert tiny_engine.stats().n_forwards == between


@pytest.mark.parametrize(
    ("texts", "candidates", "error"),
    [
        (("a",), ((),), BadValue),
        (("a",), (("",),), EmptyText),
        ((),  (), BadValue),
        (((5,) * 2_000,), (("b",),), TooManyTokens),
        (((10**6,),), (("b",),), BadValue),
    ],
)  # fmt: skip
def test_what_cannot_be_scored_is_refused(
    tiny_engine: LocalEngine,
    texts: tuple[str | tuple[int, ...], ...],
    candidates: tuple[tuple[str, ...], ...],
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        list(tiny_engine.score(ScoreRequest(tiny.T5, texts, candidates)))

"""Completions: the client gets the tokens and log-probabilities that the engine gives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from openai.types import Completion

from playground.core.penalties import Penalties
from playground.core.sampling import Sampling
from playground.engine.contract.generation import GenerateRequest, GenerateStep
from playground.engine.contract.scores import ScoreRequest
from playground.engine.local.engine import LocalEngine
from tests import tiny
from tests.v1.conftest import Served

TEXT = "The capital of England is"
KOREAN = "서울은 한국의"


def steps(engine: LocalEngine, text: str, **settings: Any) -> list[GenerateStep]:
    return list(engine.generate(GenerateRequest(tiny.LLAMA, text=text, **settings)))


def spelled(found: list[GenerateStep]) -> str:
    return "".join(step.text for step in found)


def ids_of(served: Served, text: str) -> list[int]:
    cut = served.engine.tokenizers.tokenize(tiny.LLAMA, text, add_special_tokens=True)
    return list(cut.input_ids)


DRAWS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"temperature": 0}, {"sampling": Sampling(temperature=0)}),
    ({"temperature": 0.7, "top_p": 0.9}, {"sampling": Sampling(temperature=0.7, top_p=0.9)}),
    (
        {"presence_penalty": 1.5, "frequency_penalty": 0.5, "extra_body": {"top_k": 40, "min_p": 0.01}},
        {"sampling": Sampling(top_k=40, min_p=0.01), "penalties": Penalties(1.0, 1.5, 0.5)},
    ),
]


@pytest.mark.parametrize("text", [TEXT, KOREAN])
@pytest.mark.parametrize(("given", "same"), DRAWS)
def test_a_completion_is_the_engines_own(
    served: Served, local: LocalEngine, text: str, given: dict[str, Any], same: dict[str, Any]
) -> None:
    expected = steps(local, text, seed=5, max_new_tokens=12, **same)
    found = served.client().completions.create(
        model=tiny.LLAMA, prompt=text, seed=5, max_tokens=12, logprobs=3, **given
    )
    (choice,) = found.choices
    assert choice.text == spelled(expected)
    assert choice.logprobs is not None
    np.testing.assert_allclose(choice.logprobs.token_logprobs, [one.logprob for one in expected], atol=1e-5)
    for step, top in zip(expected, choice.logprobs.top_logprobs or [], strict=True):
        np.testing.assert_allclose(list(top.values()), step.top_logits[:3] - step.log_sum_exp, atol=1e-5)
    assert found.usage is not None
    assert found.usage.completion_tokens == len(expected)
    assert found.usage.prompt_tokens == len(ids_of(served, text))


def test_token_ids_are_read_as_the_text_they_spell(served: Served) -> None:
    client = served.client()
    wanted = {"model": tiny.LLAMA, "max_tokens": 6, "temperature": 0}
    ids = ids_of(served, TEXT)
    by_text = client.completions.create(prompt=TEXT, **wanted)
    by_ids = client.completions.create(prompt=ids, **wanted)
    several = client.completions.create(prompt=[ids, ids[:3]], **wanted)
    assert by_ids.choices[0].text == by_text.choices[0].text == several.choices[0].text


def test_an_echo_holds_the_prompts_own_log_probabilities(served: Served, local: LocalEngine) -> None:
    """Against the engine's scores, which read the text another way: as a tree of candidates."""
    first, rest = "The capital", " of England is"
    found = served.client().completions.create(
        model=tiny.LLAMA, prompt=first + rest, max_tokens=0, echo=True, logprobs=2
    )
    (choice,) = found.choices
    ((_place, scores),) = local.score(ScoreRequest(tiny.LLAMA, texts=(first,), candidates=((rest,),)))
    assert choice.logprobs is not None
    assert choice.logprobs.token_logprobs is not None
    assert choice.logprobs.token_logprobs[0] is None
    told = choice.logprobs.token_logprobs[-len(scores.token_logprobs[0]) :]
    np.testing.assert_allclose(told, scores.token_logprobs[0], atol=1e-5)
    assert choice.text == first + rest
    assert choice.finish_reason == "length"
    offsets, tokens = choice.logprobs.text_offset or [], choice.logprobs.tokens or []
    assert [choice.text[at : at + len(token)] for at, token in zip(offsets, tokens, strict=True)] == tokens


def test_a_token_that_is_the_most_probable_has_one_number(served: Served, local: LocalEngine) -> None:
    """lm-evaluation-harness compares both to know what greedy would have written."""
    written = steps(local, TEXT, sampling=Sampling(temperature=0), max_new_tokens=8)
    read = ids_of(served, TEXT)
    ids = [*read, *(step.token_id for step in written)]
    found = served.client().completions.create(
        model=tiny.LLAMA, prompt=ids, max_tokens=1, echo=True, logprobs=1, temperature=0
    )
    told = found.choices[0].logprobs
    assert told is not None
    rows = zip(told.token_logprobs or [], told.top_logprobs or [], strict=True)
    same = [top is not None and logprob == max(top.values()) for logprob, top in rows]
    assert same[len(read) :] == [True] * 9
    assert not any(same[: len(read)])


def test_several_texts_of_several_prompts_are_those_of_their_seeds(
    served: Served, local: LocalEngine
) -> None:
    found = served.client().completions.create(
        model=tiny.LLAMA, prompt=[TEXT, KOREAN], n=2, seed=3, max_tokens=6
    )
    expected = [
        spelled(steps(local, text, seed=seed, max_new_tokens=6)) for text in (TEXT, KOREAN) for seed in (3, 4)
    ]
    assert [choice.text for choice in found.choices] == expected
    assert [choice.index for choice in found.choices] == [0, 1, 2, 3]


def joined(parts: Any) -> tuple[dict[int, str], dict[int, str], list[float], Any]:
    texts: dict[int, str] = {}
    reasons: dict[int, str] = {}
    logprobs: list[float] = []
    counts = None
    for part in parts:
        assert isinstance(part, Completion)
        counts = part.usage or counts
        for choice in part.choices:
            texts[choice.index] = texts.get(choice.index, "") + choice.text
            if choice.logprobs is not None:
                logprobs += [one for one in choice.logprobs.token_logprobs or [] if one is not None]
            if choice.finish_reason:
                reasons[choice.index] = choice.finish_reason
    return texts, reasons, logprobs, counts


@pytest.mark.parametrize("echo", [False, True])
def test_a_stream_gives_what_the_whole_answer_gives(served: Served, echo: bool) -> None:
    wanted: dict[str, Any] = {
        "model": tiny.LLAMA, "prompt": [TEXT, KOREAN], "max_tokens": 9, "seed": 2, "logprobs": 1,
        "echo": echo, "temperature": 0.8,
    }  # fmt: skip
    whole = served.client().completions.create(**wanted)
    parts = served.client().completions.create(**wanted, stream=True, stream_options={"include_usage": True})
    texts, reasons, logprobs, counts = joined(parts)
    assert texts == {choice.index: choice.text for choice in whole.choices}
    assert reasons == {choice.index: choice.finish_reason for choice in whole.choices}
    assert counts == whole.usage
    expected = [
        one
        for choice in whole.choices
        for one in (choice.logprobs.token_logprobs if choice.logprobs else None) or []
        if one is not None
    ]
    np.testing.assert_allclose(sorted(logprobs), sorted(expected), atol=1e-5)


def test_a_stop_string_ends_before_itself(served: Served) -> None:
    client = served.client()
    wanted: dict[str, Any] = {"model": tiny.LLAMA, "prompt": TEXT, "max_tokens": 12, "seed": 11}
    free = client.completions.create(**wanted).choices[0].text
    stop = free[3:5]
    ended = client.completions.create(**wanted, stop=stop).choices[0]
    assert ended.text == free[: free.index(stop)]
    assert ended.finish_reason == "stop"
    streamed, _reasons, _logprobs, _counts = joined(
        client.completions.create(**wanted, stop=[stop], stream=True)
    )
    assert streamed[0] == ended.text


def test_without_a_seed_answers_differ_and_with_one_they_are_equal(served: Served) -> None:
    client = served.client()
    wanted: dict[str, Any] = {"model": tiny.LLAMA, "prompt": TEXT, "max_tokens": 20, "temperature": 2.0}
    free = {client.completions.create(**wanted).choices[0].text for _time in range(4)}
    assert len(free) > 1
    assert len({client.completions.create(**wanted, seed=1).choices[0].text for _time in range(2)}) == 1


def test_a_probability_of_zero_is_a_number_of_json(served: Served) -> None:
    response = served.post(
        "/completions",
        {"model": tiny.LLAMA, "prompt": TEXT, "max_tokens": 2, "logprobs": 20, "temperature": 0},
    )
    told = response.json()["choices"][0]["logprobs"]
    assert all(math.isfinite(one) for top in told["top_logprobs"] for one in top.values())

"""Stop strings: the tokens are those of the library's generate, the text ends before the string."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from transformers import AutoTokenizer

from playground.core.sampling import GREEDY, Sampling
from playground.engine.contract.generation import GenerateRequest, GenerateStep
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import model_folder
from playground.errors import BadValue
from playground.settings import DEFAULT_DECODER, Settings
from tests import tiny
from tests.engine.conftest import oracle

N_TOKENS = 24


def text_of(steps: list[GenerateStep]) -> str:
    return "".join(step.text for step in steps)


def written(engine: LocalEngine, asked: GenerateRequest) -> list[GenerateStep]:
    return list(engine.generate(asked))


@pytest.mark.real
@pytest.mark.parametrize("text", ["The capital of England is", "def add(a, b):", "1, 2, 3,"])
def test_the_tokens_are_those_of_the_librarys_stop_strings(
    text: str, real_engine: LocalEngine, real_settings: Settings
) -> None:
    asked = GenerateRequest(DEFAULT_DECODER, text, sampling=GREEDY, max_new_tokens=N_TOKENS)
    whole = text_of(written(real_engine, asked))
    model = oracle(real_settings, DEFAULT_DECODER)
    tokenizer = AutoTokenizer.from_pretrained(model_folder(DEFAULT_DECODER, real_settings))
    ids = torch.tensor(
        [real_engine.tokenizers.tokenize(DEFAULT_DECODER, text, add_special_tokens=True).input_ids]
    )
    for start in range(4, len(whole) - 4, 9):
        stop = whole[start : start + 4]  # over the borders of tokens, and in the middle of one
        steps = written(real_engine, replace(asked, stop=(stop, "never written")))
        expected = model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=N_TOKENS,
            stop_strings=[stop], tokenizer=tokenizer,
        )  # fmt: skip
        assert [step.token_id for step in steps] == expected[0, ids.shape[1] :].tolist()
        assert text_of(steps) == whole[: whole.index(stop)]
        assert steps[-1].finish_reason == "stop"


@pytest.mark.real
def test_a_stop_string_of_many_bytes_ends_the_same_draws(real_engine: LocalEngine) -> None:
    asked = GenerateRequest(
        DEFAULT_DECODER, "서울은 한국의", sampling=Sampling(0.7), seed=3, max_new_tokens=N_TOKENS
    )
    steps = written(real_engine, asked)
    whole = text_of(steps)
    characters = [at for at, one in enumerate(whole) if len(one.encode()) == 3 and one != "\ufffd"]
    assert characters
    for at in characters[:6]:
        found = written(real_engine, replace(asked, stop=(whole[at],)))
        assert text_of(found) == whole[: whole.index(whole[at])]
        assert [step.token_id for step in found] == [step.token_id for step in steps[: len(found)]]
        assert found[-1].finish_reason == "stop"


@pytest.mark.parametrize("n_before", range(1, 8))
def test_a_run_taken_up_again_ends_at_a_stop_string_that_was_begun_before(
    tiny_engine: LocalEngine, n_before: int
) -> None:
    asked = GenerateRequest(tiny.LLAMA, "the cat", seed=1, max_new_tokens=N_TOKENS)
    plain = written(tiny_engine, asked)
    whole = text_of(plain)
    stop = whole[len(text_of(plain[:n_before])) - 1 :][:6]
    assert len(stop) == 6
    steps = written(tiny_engine, replace(asked, stop=(stop,)))
    assert steps[-1].finish_reason == "stop"
    assert len(steps) > n_before
    ids = tuple(step.token_id for step in steps)
    rest = replace(asked, stop=(stop,), written=ids[:n_before], n_drawn=n_before)
    assert [step.token_id for step in written(tiny_engine, rest)] == list(ids[n_before:])


def test_what_only_begins_a_stop_string_comes_with_the_last_token(tiny_engine: LocalEngine) -> None:
    asked = GenerateRequest(tiny.LLAMA, "the cat", seed=1, max_new_tokens=N_TOKENS)
    whole = text_of(written(tiny_engine, asked))
    steps = written(tiny_engine, replace(asked, stop=(whole[-5:] + "never",)))
    assert text_of(steps) == whole
    assert steps[-1].finish_reason == "length"
    assert len(steps[-1].text) >= 5


@pytest.mark.parametrize("stop", [("",), ("a", "x" * 65), tuple("123456789")])
def test_stop_strings_that_are_empty_too_long_or_too_many_are_refused(
    tiny_engine: LocalEngine, stop: tuple[str, ...]
) -> None:
    with pytest.raises(BadValue, match="stop"):
        written(tiny_engine, GenerateRequest(tiny.LLAMA, "a", stop=stop))

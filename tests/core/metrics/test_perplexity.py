"""Perplexity in windows against the library's loop; bits per byte against every way to cut a text."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from playground.core.count_model import CountModel
from playground.core.metrics.perplexity import cost, exp2, joined, regrouped, running_perplexity, windows
from playground.core.predictions import perplexity

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
N = 37


@pytest.fixture(scope="module")
def library() -> Any:
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=50, max_position_embeddings=64, **sizes)).eval()
    drawn = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in model.parameters():
            value.normal_(std=0.3, generator=drawn)
    return model


@pytest.fixture(scope="module")
def ids() -> torch.Tensor:
    return torch.randint(0, 50, (1, N), generator=torch.Generator().manual_seed(1))


def logprobs_from(library: Any, ids: torch.Tensor, begin: int) -> np.ndarray[Any, Any]:
    """What a model that begins to read here gives each token after the first."""
    with torch.no_grad():
        scores = library(ids[:, begin:]).logits[0, :-1].double().log_softmax(-1)
    found: np.ndarray[Any, Any] = scores.gather(1, ids[0, begin + 1 :, None])[:, 0].numpy()
    return found


def loop_of_the_documentation(library: Any, ids: torch.Tensor, max_length: int, stride: int) -> float:
    """Hugging Face, "Perplexity of fixed-length models", the mean taken over the tokens it asked about."""
    nll_sum, n_tokens, prev_end_loc = 0.0, 0, 0
    for begin_loc in range(0, ids.shape[1], stride):
        end_loc = min(begin_loc + max_length, ids.shape[1])
        trg_len = end_loc - prev_end_loc
        input_ids = ids[:, begin_loc:end_loc]
        target_ids = input_ids.clone()
        target_ids[:, :-trg_len] = -100
        with torch.no_grad():
            loss = library(input_ids, labels=target_ids).loss
        n_asked = int((target_ids[:, 1:] != -100).sum())
        nll_sum += float(loss) * n_asked
        n_tokens += n_asked
        prev_end_loc = end_loc
        if end_loc == ids.shape[1]:
            break
    assert n_tokens == ids.shape[1] - 1
    return math.exp(nll_sum / n_tokens)


@pytest.mark.parametrize(
    ("context", "stride"), [(1, 1), (4, 4), (4, 2), (8, 1), (8, 3), (8, 8), (16, 5), (N - 1, N - 1), (60, 7)]
)
def test_perplexity_in_windows_is_that_of_the_librarys_loop(
    context: int, stride: int, library: Any, ids: torch.Tensor
) -> None:
    parts = windows(N, context, stride)
    read = {one.begin: logprobs_from(library, ids, one.begin) for one in parts}
    expected = loop_of_the_documentation(library, ids, context + 1, stride)
    assert perplexity(joined(parts, read)) == pytest.approx(expected, rel=1e-5)


@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 20))
def test_windows_ask_about_every_token_once_with_context_as_far_as_there_is(
    n_tokens: int, context: int, stride: int
) -> None:
    stride = min(stride, context)
    parts = windows(n_tokens, context, stride)
    asked = [(one, at) for one in parts for at in range(one.first, one.end)]
    assert [at for _one, at in asked] == list(range(1, n_tokens))
    for one, at in asked:
        assert min(at, context - stride + 1) <= at - one.begin <= context


@pytest.mark.parametrize("stride", [0, -1, 5])
def test_a_stride_that_would_leave_tokens_out_is_refused(stride: int) -> None:
    with pytest.raises(ValueError, match=str(stride)):
        windows(10, 4, stride)


@given(TEXTS, st.data())
def test_bits_per_byte_do_not_depend_on_the_pieces(text: str, data: st.DataObject) -> None:
    """One distribution over strings, cut in any way: the pieces' probabilities are products of its bytes'."""
    raw = text.encode()
    by_bytes = CountModel("a story and 이야기 하나".encode(), 3).logprobs(raw)
    cuts = data.draw(st.sets(st.integers(1, len(raw)), max_size=len(raw)))
    edges = sorted({0, *cuts, len(raw)})
    sizes = [end - begin for begin, end in pairwise(edges)]
    small, large = cost(by_bytes, raw), cost(regrouped(by_bytes, sizes), raw)
    assert large.bits_per_byte == pytest.approx(small.bits_per_byte, rel=1e-9)
    assert large.bits_per_character == pytest.approx(small.bits_per_character, rel=1e-9)
    assert large.n_pieces == len(sizes)
    if len(sizes) < len(raw):  # perplexity does depend on them
        assert large.perplexity > small.perplexity
    assert large.perplexity == pytest.approx(small.perplexity ** (len(raw) / len(sizes)), rel=1e-6)


@given(TEXTS)
def test_bytes_and_characters_are_pythons(text: str) -> None:
    one = cost(np.zeros(3), text.encode())
    assert (one.n_bytes, one.n_characters) == (len(text.encode()), len(text))


@given(st.lists(st.floats(-30, 0), min_size=1, max_size=30))
def test_the_last_running_perplexity_is_that_of_the_text(nats: list[float]) -> None:
    running = running_perplexity(nats)
    np.testing.assert_allclose(running, [perplexity(nats[: n + 1]) for n in range(len(nats))], rtol=1e-9)
    assert cost(nats, b"x").perplexity == pytest.approx(float(running[-1]), rel=1e-9)


def test_a_byte_in_the_middle_of_a_character_begins_none() -> None:
    assert cost([0.0], "한국".encode()[1:]).n_characters == 1


@pytest.mark.parametrize("sizes", [[1, 2], [1, 1], [0, 3, 1], []])
def test_pieces_that_do_not_make_the_text_are_refused(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="pieces"):
        regrouped([-1.0] * 4, sizes)


def test_nothing_to_divide_by_is_no_number_and_too_much_is_infinity() -> None:
    assert math.isnan(cost([], b"").bits_per_byte)
    assert exp2(2_000.0) == math.inf

"""`core.sampling` against transformers' own processors and llama.cpp's order."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from playground.core.ranking import rank
from playground.core.sampling import Distribution, Order, Sampling, distribution
from tests.core.logits import ORDERS

N_CASES = 3_400  # for each of three orders


N_ROWS = 5  # cases that share their settings: the library takes a batch


def reference(
    logits: NDArray[np.floating],
    temperature: float,
    top_k: int,
    top_p: float,
    min_p: float,
    typical_p: float,
    order: Order,
) -> NDArray[np.float64]:
    """Probability of each token id after transformers' processors, in double precision. Shape [row, size]."""
    made = {"T": TemperatureLogitsWarper(temperature)}
    if top_k:
        made["K"] = TopKLogitsWarper(top_k)
    if top_p < 1:
        made["P"] = TopPLogitsWarper(top_p)
    if min_p:
        made["M"] = MinPLogitsWarper(min_p)
    if typical_p < 1:
        made["Y"] = TypicalLogitsWarper(typical_p)
    scores = torch.from_numpy(logits.astype(np.float64))
    for name in ORDERS[order]:
        scores = made[name](None, scores) if name in made else scores
    return np.where(torch.isfinite(scores), torch.softmax(scores, dim=-1), np.nan).astype(np.float64)


def random_logits(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Flat or peaked, sometimes with ties or banned tokens."""
    logits = rng.normal(scale=rng.choice([0.1, 1, 3, 10]), size=size).astype(np.float32)
    if rng.random() < 0.3:
        logits = np.round(logits)
    if rng.random() < 0.2:
        logits[rng.random(size) < 0.5] = -np.inf
        logits[rng.integers(size)] = 1.0
    return logits


def random_cases(rng: np.random.Generator, order: Order) -> tuple[NDArray[np.float32], dict[str, float]]:
    """A few rows of logits, and settings from the whole range."""
    size = int(rng.choice([1, 2, 3, 10, 100, 1_000, 9_000]))
    return np.stack([random_logits(rng, size) for _ in range(N_ROWS)]), {
        "temperature": float(rng.choice([1.0, rng.uniform(0.02, 3)])),
        "top_k": int(rng.choice([0, 1, rng.integers(1, 2 * size + 1)])),
        "top_p": float(rng.choice([1.0, rng.uniform(0.001, 1)])),
        "min_p": float(rng.choice([0.0, rng.uniform(0, 1)])),
        "typical_p": 1.0 if order == "vllm" else float(rng.choice([1.0, rng.uniform(0.01, 0.99)])),
    }


def assert_same(found: Distribution, expected: NDArray[np.float64], logits: NDArray[np.floating]) -> None:
    """Same support and probabilities; tied tokens may stand in for each other where a cut runs through a tie.

    torch's vectorised sort leaves ties in no fixed order, so which of them its top-p drops is arbitrary.
    """
    support = np.flatnonzero(~np.isnan(expected))
    assert found.n_kept == len(found.token_ids) == len(support)
    assert np.array_equal(np.sort(logits[found.token_ids]), np.sort(logits[support]))
    if len(np.unique(logits)) == len(logits):
        assert set(found.token_ids.tolist()) == set(support.tolist())
    probs = expected[support]
    assert np.abs(found.probs - np.sort(probs)[::-1]).max() <= 1e-6
    positive = probs[probs > 0]
    assert found.entropy_bits == pytest.approx(-float(positive @ np.log2(positive)), abs=1e-6)


@pytest.mark.parametrize("order", ORDERS)
def test_distribution_equals_transformers_processors(order: Order) -> None:
    rng = np.random.default_rng([7, len(order)])
    n_cut = 0
    for _ in range(N_CASES // N_ROWS):
        rows, chosen = random_cases(rng, order)
        for logits, expected in zip(rows, reference(rows, order=order, **chosen), strict=True):
            found = distribution(rank(logits), Sampling(order=order, **chosen))
            assert_same(found, expected, logits)
            n_cut += found.n_kept < np.isfinite(logits).sum()
    assert n_cut > N_CASES / 2  # most cases do cut something


def test_transformers_order_is_the_order_of_generate() -> None:
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=8, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
        )
    )
    config = GenerationConfig(
        do_sample=True, temperature=0.5, top_k=3, top_p=0.9, min_p=0.1, typical_p=0.8, repetition_penalty=1.2
    )
    used = model._get_logits_processor(config, input_ids_seq_length=1)
    expected = [
        RepetitionPenaltyLogitsProcessor,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
        MinPLogitsWarper,
        TypicalLogitsWarper,
    ]
    assert [type(processor) for processor in used] == expected


def test_temperature_first_keeps_more_tokens_than_temperature_last() -> None:
    ranked = rank(np.random.default_rng(0).normal(scale=3, size=5_000))
    kept = {
        order: distribution(ranked, Sampling(temperature=1.5, top_p=0.9, order=order)).n_kept
        for order in ("transformers", "llama.cpp")
    }
    assert kept["transformers"] > 3 * kept["llama.cpp"]


def test_typical_leaves_out_the_most_probable_token_of_an_uneven_distribution() -> None:
    """Entropy 2.17 bits; surprisals 0.74 and 4.32, in the flat one 2.32 and 4.32 around 3.92."""
    kept = distribution(rank(np.log([0.6, *[0.05] * 8])), Sampling(typical_p=0.5))
    assert kept.token_ids.tolist() == [0]
    flat = distribution(rank(np.log([0.2, *[0.05] * 16])), Sampling(typical_p=0.5))
    assert (flat.n_kept, 0 in flat.token_ids) == (16, False)


def test_typical_is_refused_in_the_order_that_has_none() -> None:
    with pytest.raises(ValueError, match=r"typical_p is 0\.5"):
        distribution(rank([1.0, 2.0]), Sampling(typical_p=0.5, order="vllm"))


def test_textbook_nucleus_keeps_the_token_that_crosses() -> None:
    kept = distribution(rank(np.log([0.5, 0.3, 0.15, 0.05])), Sampling(top_p=0.81))
    assert kept.token_ids.tolist() == [0, 1, 2]
    np.testing.assert_allclose(kept.probs, np.array([0.5, 0.3, 0.15]) / 0.95)


def test_uniform_distribution_is_cut_at_exact_mass() -> None:
    ranked = rank(np.zeros(4, dtype=np.float32))
    assert [distribution(ranked, Sampling(top_p=p)).n_kept for p in (0.25, 0.5, 0.500001, 0.75, 1.0)] == [
        1,
        2,
        3,
        3,
        4,
    ]
    assert distribution(ranked).entropy_bits == pytest.approx(2.0)


@pytest.mark.parametrize("order", ORDERS)
def test_top_k_keeps_every_tie_with_the_kth(order: Order) -> None:
    ranked = rank([1.0, 3.0, 2.0, 2.0, 2.0, 0.0])
    kept = distribution(ranked, Sampling(top_k=2, order=order))
    assert kept.token_ids.tolist() == [1, 4, 3, 2]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("top_k", [0, 3, 4, 1_000_000])
def test_top_k_of_the_vocabulary_or_more_cuts_nothing(order: Order, top_k: int) -> None:
    assert distribution(rank([0.0, 1.0, 2.0]), Sampling(top_k=top_k, order=order)).n_kept == 3


@pytest.mark.parametrize("order", ORDERS)
def test_temperature_zero_is_argmax_whatever_the_cuts(order: Order) -> None:
    logits = np.array([1.0, 5.0, 2.0, 5.0, 5.0], dtype=np.float32)
    for top_k, top_p, min_p in itertools.product((0, 2), (1.0, 0.1), (0.0, 1.0)):
        kept = distribution(
            rank(logits), Sampling(temperature=0, top_k=top_k, top_p=top_p, min_p=min_p, order=order)
        )
        assert kept.token_ids.tolist() == [int(np.argmax(logits))] == [int(torch.tensor(logits).argmax())]
        assert (kept.probs.tolist(), kept.n_kept, kept.entropy_bits) == ([1.0], 1, 0.0)


def llama_cpp_greedy(logits: NDArray[np.float64], top_k: int, typical_p: float, top_p: float) -> int:
    """llama.cpp's chain at temperature 0, a token list from step to step, as in `llama-sampling.cpp`."""
    tokens = sorted(range(len(logits)), key=lambda token: -logits[token])[: top_k or None]
    p = np.exp(logits[tokens]) / np.exp(logits[tokens]).sum()
    if typical_p < 1:
        entropy = -float(p @ np.log(p))
        nearest = sorted(range(len(p)), key=lambda rank: abs(-np.log(p[rank]) - entropy))
        n = int(np.searchsorted(np.cumsum(p[nearest]), typical_p, side="right")) + 1
        tokens = [tokens[rank] for rank in nearest[:n]]
    tokens = sorted(tokens, key=lambda token: -logits[token])
    p = np.exp(logits[tokens]) / np.exp(logits[tokens]).sum()
    tokens = tokens[: int(np.searchsorted(np.cumsum(p), top_p)) + 1]
    return max(tokens, key=lambda token: logits[token])


def test_llama_cpps_greedy_choice_is_among_what_its_cuts_leave() -> None:
    rng, n_other = np.random.default_rng(3), 0
    for _case in range(600):
        logits = rng.normal(scale=rng.choice([0.3, 1, 3]), size=int(rng.choice([2, 5, 40, 9_000])))
        top_k, typical_p, top_p = int(rng.choice([0, 3])), float(rng.uniform(0.05, 0.99)), rng.uniform(0.1, 1)
        cuts: dict[str, Any] = {"top_k": top_k, "typical_p": typical_p, "top_p": float(top_p)}
        kept = distribution(rank(logits), Sampling(temperature=0, min_p=0.1, order="llama.cpp", **cuts))
        assert kept.token_ids.tolist() == [llama_cpp_greedy(logits, **cuts)]
        cold = distribution(rank(logits), Sampling(temperature=1e-9, min_p=0.1, order="llama.cpp", **cuts))
        assert cold.token_ids[0] == kept.token_ids[0], "no jump between the smallest temperature and 0"
        assert (kept.probs.tolist(), kept.n_kept, kept.entropy_bits) == ([1.0], 1, 0.0)
        n_other += int(kept.token_ids[0]) != int(np.argmax(logits))
    assert n_other > 60


def test_greedy_takes_the_smallest_id_of_equals_that_typical_leaves() -> None:
    """Surprisals 2.32 bits and 4.32 around an entropy of 3.92: the first token is left out."""
    ranked = rank(np.log([0.2, *[0.05] * 16]))
    cuts: dict[str, Any] = {"temperature": 0, "typical_p": 0.5}
    assert distribution(ranked, Sampling(**cuts, order="llama.cpp")).token_ids.tolist() == [1]
    assert distribution(ranked, Sampling(**cuts, order="transformers")).token_ids.tolist() == [0]

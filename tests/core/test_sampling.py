"""`core.sampling` against transformers' own processors, and the laws a sampler obeys."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
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

from playground.core.ranking import NotRanked, RankedLogits, rank, rank_first
from playground.core.sampling import LIMITS, Distribution, Order, Sampling, distribution, draw, draw_index

ORDERS: dict[Order, str] = {"transformers": "TKPMY", "vllm": "TMKP", "llama.cpp": "KYPMT"}
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


@pytest.mark.parametrize("temperature", [1e-3, 1e-30, 1e-300, 5e-324])
def test_tiny_temperature_tends_to_argmax(temperature: float) -> None:
    kept = distribution(rank([-1e30, 3.0, 2.0, -np.inf, 1.0]), Sampling(temperature=temperature, top_p=0.999))
    assert kept.token_ids.tolist() == [1]
    whole = distribution(rank([-1e30, 3.0, 2.0, -np.inf, 1.0]), Sampling(temperature=temperature))
    assert whole.probs[0] == 1.0
    assert whole.entropy_bits == 0.0


def test_the_highest_temperature_is_nearly_uniform() -> None:
    hot = Sampling(temperature=LIMITS["temperature"][1])
    kept = distribution(rank([0.0, 10.0, -10.0, 5.0]), hot)
    np.testing.assert_allclose(kept.probs, 0.25, atol=0.03)
    assert kept.entropy_bits == pytest.approx(2.0, abs=0.01)


def test_one_token_vocabulary_has_one_answer() -> None:
    for temperature, top_k, top_p, min_p in itertools.product((0, 0.5, 3), (0, 1, 9), (0.01, 1), (0, 1)):
        kept = distribution(
            rank([-7.0]), Sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
        )
        assert (kept.token_ids.tolist(), kept.probs.tolist(), kept.n_kept) == ([0], [1.0], 1)


def test_banned_tokens_are_never_kept_and_never_drawn() -> None:
    ranked = rank([-np.inf, 0.0, -np.inf, 1.0])
    kept = distribution(ranked, Sampling(temperature=3.0))
    assert kept.token_ids.tolist() == [3, 1]
    assert {draw(kept, u) for u in np.linspace(0, 1, 100, endpoint=False)} == {1, 3}


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        ([1.0, np.nan], "NaN at token 1"),
        ([-np.nan, 1.0], "NaN at token 0"),
        ([1.0, np.inf], r"\+inf at token 1"),
        ([-np.inf, -np.inf], "no token is left"),
        ([], "at least one token"),
        ([[1.0, 2.0]], r"shape \(1, 2\)"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_unusable_logits_are_refused_with_the_reason(logits: list[float], message: str, dtype: type) -> None:
    with pytest.raises(ValueError, match=message):
        rank(np.array(logits, dtype=dtype))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1),
        ("temperature", 100.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("top_k", -1),
        ("top_p", 0.0),
        ("top_p", 1.01),
        ("top_p", math.nan),
        ("min_p", -0.1),
        ("min_p", 1.1),
        ("min_p", math.nan),
        ("order", "random"),
    ],
)
def test_settings_outside_their_range_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name} is"):
        distribution(rank([0.0, 1.0]), Sampling(**{name: value}))


def test_results_are_read_only() -> None:
    ranked = rank([1.0, 2.0])
    for array in (ranked.token_ids, ranked.logits, distribution(ranked).token_ids):
        assert not array.flags.writeable


def test_a_returned_distribution_is_not_changed_by_later_settings() -> None:
    ranked = rank(np.arange(6.0))
    first = distribution(ranked, Sampling(temperature=2.0))
    before = first.probs.copy()
    for temperature in (0.5, 1.0, 3.0):
        distribution(ranked, Sampling(temperature=temperature, top_k=2))
    assert np.array_equal(first.probs, before)


def test_rank_of_float32_and_float64_agree_on_order_and_negative_zero() -> None:
    row = np.array([0.0, -0.0, 1e-40, -1e-40, 3.5, -np.inf, -3.5], dtype=np.float32)
    single, double = rank(row), rank(row.astype(np.float64))
    assert single.token_ids.tolist() == double.token_ids.tolist() == [4, 2, 1, 0, 3, 6, 5]
    assert single.n_finite == double.n_finite == 6


def test_log_sum_exp_normalises_the_logits() -> None:
    row = np.random.default_rng(3).normal(scale=5, size=1_000)
    ranked = rank(row)
    assert ranked.log_sum_exp == pytest.approx(float(torch.logsumexp(torch.from_numpy(row), 0)))


def test_draws_follow_the_distribution() -> None:
    kept = distribution(rank(np.random.default_rng(5).normal(size=12)), Sampling(temperature=0.7, top_k=8))
    n = 40_000
    uniform = np.random.Generator(np.random.Philox(11)).random(n)
    drawn = np.array([draw(kept, float(u)) for u in uniform])
    counts = np.array([(drawn == token_id).sum() for token_id in kept.token_ids])
    chi_square = float(((counts - n * kept.probs) ** 2 / (n * kept.probs)).sum())
    assert counts.sum() == n
    assert chi_square < 24.3  # 0.1 % point of chi-square with 7 degrees of freedom


def test_draw_never_gives_a_token_of_probability_zero() -> None:
    kept = distribution(rank([0.0, -2_000.0, -3_000.0]))
    assert {draw(kept, u) for u in (0.0, 0.5, math.nextafter(1.0, 0.0))} == {0}


@pytest.mark.parametrize("u", [-0.1, 1.0, math.nan])
def test_draw_refuses_a_number_outside_zero_to_one(u: float) -> None:
    with pytest.raises(ValueError, match="u is"):
        draw(distribution(rank([1.0])), u)


def test_the_margin_of_a_draw_is_how_far_it_can_move_and_stay() -> None:
    kept = distribution(rank(np.log([0.5, 0.3, 0.15, 0.05])))
    for u in np.linspace(0.0013, 1, 200, endpoint=False):
        index, margin = draw_index(kept, float(u))
        for moved in (u - 0.999 * margin, u + 0.999 * margin):
            if 0 <= moved < 1:
                assert draw_index(kept, float(moved))[0] == index
        beyond = [
            draw_index(kept, float(v))[0] for v in (u - 1.001 * margin, u + 1.001 * margin) if 0 <= v < 1
        ]
        assert any(other != index for other in beyond)
    assert draw_index(distribution(rank([1.0])), 0.3) == (0, math.inf)


logit_rows = arrays(
    np.float32, st.integers(1, 60), elements=st.floats(-50, 50, width=32) | st.just(-math.inf)
).filter(lambda row: bool(np.isfinite(row).any()))


@settings(max_examples=300, deadline=None)
@given(
    logit_rows,
    st.floats(0, 5),
    st.integers(0, 80),
    st.floats(*LIMITS["top_p"]),
    st.floats(0, 1),
    st.sampled_from(list(ORDERS)),
    st.floats(0, 1, exclude_max=True),
)
def test_laws_of_a_distribution(
    row: NDArray[np.float32],
    temperature: float,
    top_k: int,
    top_p: float,
    min_p: float,
    order: Order,
    u: float,
) -> None:
    ranked = rank(row)
    cuts = {"top_k": top_k, "top_p": top_p, "min_p": min_p}
    kept = distribution(ranked, Sampling(temperature=temperature, order=order, **cuts))
    assert 1 <= kept.n_kept == len(kept.token_ids) == len(kept.probs) <= ranked.n_finite
    assert kept.probs.sum() == pytest.approx(1.0)
    assert (np.diff(kept.probs) <= 0).all()
    assert -1e-9 <= kept.entropy_bits <= math.log2(kept.n_kept) + 1e-9
    assert row[kept.token_ids[0]] == row.max()
    assert draw(kept, u) in kept.token_ids
    moved = row.astype(np.float64) + 3.0
    if not np.array_equal(moved - 3.0, row):
        return  # next to 3 the smallest logits are lost
    shifted = distribution(rank(moved), Sampling(temperature=temperature))
    assert shifted.probs == pytest.approx(
        distribution(ranked, Sampling(temperature=temperature)).probs, abs=1e-6
    )


@settings(max_examples=200, deadline=None)
@given(logit_rows, st.floats(0.05, 3), st.floats(0.05, 1), st.floats(0, 0.9))
def test_a_looser_cut_keeps_a_superset(
    row: NDArray[np.float32], temperature: float, top_p: float, min_p: float
) -> None:
    ranked: RankedLogits = rank(row)
    tight = distribution(ranked, Sampling(temperature=temperature, top_k=5, top_p=top_p, min_p=min_p))
    for looser in ({"top_k": 6}, {"top_p": min(1.0, top_p * 1.1)}, {"min_p": min_p * 0.9}):
        chosen = {"top_k": 5, "top_p": top_p, "min_p": min_p} | looser
        loose = distribution(ranked, Sampling(temperature=temperature, **chosen))
        assert set(tight.token_ids.tolist()) <= set(loose.token_ids.tolist())


# ---------------------------------------------------------------- the first ranks alone


@pytest.mark.parametrize("kind", ["smooth", "ties", "uniform", "banned", "in order"])
def test_the_first_ranks_give_what_all_ranks_give(kind: str) -> None:
    rng = np.random.default_rng(11)
    row = rng.normal(scale=3.5, size=20_000).astype(np.float32)
    if kind == "ties":
        row = np.round(row * 2) / 2
    if kind == "uniform":
        row[:] = 1.5
    if kind == "banned":
        row[rng.random(len(row)) < 0.9] = -np.inf
    if kind == "in order":
        row = np.sort(row)
    every, first = rank(row), rank_first(row)
    n_ranked = len(first)
    assert np.array_equal(first.token_ids, every.token_ids[:n_ranked])
    assert np.array_equal(first.logits, every.logits[:n_ranked])
    assert (first.n_finite, first.log_sum_exp) == (every.n_finite, pytest.approx(every.log_sum_exp))
    n_alike = 0
    for temperature, top_k, top_p, min_p, typical_p, order in itertools.product(
        (0.0, 0.4, 1.0, 2.5), (0, 1, 50, 6_000), (1.0, 0.95, 0.3), (0.0, 1e-6, 0.1), (1.0, 0.8), ORDERS
    ):
        chosen = Sampling(temperature, top_k, top_p, min_p, typical_p).in_order(order)
        expected = distribution(every, chosen)
        try:
            found = distribution(first, chosen)
        except NotRanked:
            assert n_ranked < len(row)
            if typical_p == 1 and order == "transformers":  # its last cut is min-p
                kept_before = distribution(every, replace(chosen, min_p=0.0))
                assert max(expected.n_kept, kept_before.n_kept, top_k) >= n_ranked, chosen
            continue
        n_alike += 1
        assert found.n_kept == expected.n_kept, chosen
        assert np.array_equal(found.token_ids, expected.token_ids)
        np.testing.assert_allclose(found.probs, expected.probs, rtol=1e-9)
        assert found.entropy_bits == pytest.approx(expected.entropy_bits, abs=1e-9)
    assert n_alike > 100


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_first_ranks_of_unusable_logits_are_refused(value: float) -> None:
    row = np.full(20_000, -math.inf if value == -math.inf else 0.0, np.float32)
    row[7] = value
    with pytest.raises(ValueError, match="logit"):
        rank_first(row)

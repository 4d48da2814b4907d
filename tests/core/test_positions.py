"""Four position schemes against independent implementations, and the laws they keep."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, Qwen3Config
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb
from transformers.models.qwen3.modeling_qwen3 import Qwen3Attention, Qwen3RMSNorm
from transformers.models.speech_to_text.modeling_speech_to_text import (
    Speech2TextSinusoidalPositionalEmbedding,
)

from playground.core.positions import (
    FirstHead,
    alibi_slopes,
    distance_profile,
    frequencies,
    rotate,
    similarity,
    sinusoidal,
)

EVEN = st.integers(1, 32).map(lambda half: 2 * half)
BASES = st.floats(1, 1e6)
PLACES = st.integers(0, 8191)


@pytest.mark.parametrize(("n_ctx", "d_model", "base"), [(1, 2, 10000), (50, 128, 10000), (300, 64, 5e5)])
def test_sinusoid_is_the_formula_of_the_paper(n_ctx: int, d_model: int, base: float) -> None:
    encoding = sinusoidal(n_ctx, d_model, base)
    for pos in range(n_ctx):
        for i in range(d_model // 2):
            angle = pos / base ** (2 * i / d_model)
            assert encoding[pos, 2 * i] == pytest.approx(math.sin(angle), abs=1e-12)
            assert encoding[pos, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-12)


def test_sinusoid_holds_the_same_numbers_as_the_library() -> None:
    """transformers lays all sines before all cosines and spaces the frequencies by d/2 - 1 steps."""
    theirs = Speech2TextSinusoidalPositionalEmbedding.get_embedding(20, 64).double().numpy()
    ours = sinusoidal(20, 64, 10000.0 ** (32 / 31))
    np.testing.assert_allclose(ours[:, 0::2], theirs[:, :32], atol=1e-5)
    np.testing.assert_allclose(ours[:, 1::2], theirs[:, 32:], atol=1e-5)


@pytest.mark.parametrize(("d_head", "base"), [(64, 100_000.0), (16, 10_000.0), (128, 1e6)])
def test_rotation_is_the_library_s(d_head: int, base: float) -> None:
    config = LlamaConfig(
        head_dim=d_head,
        rope_parameters={"rope_type": "default", "rope_theta": base},
        max_position_embeddings=8192,
    )
    generator = torch.Generator().manual_seed(0)
    q, k = (torch.randn(1, 3, 40, d_head, generator=generator) for _ in range(2))
    positions = torch.randint(0, 2000, (1, 40), generator=generator)
    cos, sin = LlamaRotaryEmbedding(config)(q, positions)
    for x, theirs in zip((q, k), apply_rotary_pos_emb(q, k, cos, sin), strict=True):
        ours = rotate(x[0].numpy(), positions[0].numpy(), base)
        np.testing.assert_allclose(
            ours, theirs[0].numpy(), atol=2e-3
        )  # float32 angles of thousands of radians
    near = torch.arange(40)[None]
    cos, sin = LlamaRotaryEmbedding(config)(q, near)
    np.testing.assert_allclose(
        rotate(q[0].numpy(), near[0].numpy(), base), apply_rotary_pos_emb(q, k, cos, sin)[0][0], atol=1e-5
    )


@given(
    EVEN, BASES, st.integers(0, 8191), st.integers(0, 8191), st.integers(0, 100_000), st.integers(0, 2**32)
)
def test_a_rotary_score_depends_on_the_distance_only(
    d_head: int, base: float, m: int, n: int, shift: int, seed: int
) -> None:
    q, k = np.random.default_rng(seed).normal(size=(2, d_head))
    here = rotate(q, m, base) @ rotate(k, n, base)
    there = rotate(q, m + shift, base) @ rotate(k, n + shift, base)
    assert there == pytest.approx(here, abs=1e-5)
    assert np.linalg.norm(rotate(q, m, base)) == pytest.approx(np.linalg.norm(q))


@given(EVEN, BASES, st.integers(0, 300), st.integers(0, 300))
def test_similarity_is_the_dot_product_of_sinusoids_and_of_equal_rotated_vectors(
    d_model: int, base: float, m: int, n: int
) -> None:
    expected = similarity(m - n, d_model, base)
    rows = sinusoidal(301, d_model, base)
    assert rows[m] @ rows[n] / (d_model / 2) == pytest.approx(float(expected), abs=1e-9)
    same = np.ones(d_model) / math.sqrt(d_model)
    assert rotate(same, m, base) @ rotate(same, n, base) == pytest.approx(float(expected), abs=1e-9)


def test_alibi_slopes_of_eight_heads_are_the_paper_s() -> None:
    assert alibi_slopes(8).tolist() == [1 / 2**i for i in range(1, 9)]
    np.testing.assert_allclose(alibi_slopes(16)[:4], [2**-0.5, 2**-1, 2**-1.5, 2**-2])


def _published(n: int) -> list[float]:
    """`get_slopes` of the authors' code, as printed in their repository."""

    def get_slopes_power_of_2(n: int) -> list[float]:
        start = 2 ** (-(2 ** -(math.log2(n) - 3)))
        return [start * start**i for i in range(n)]

    if math.log2(n).is_integer():
        return get_slopes_power_of_2(n)
    closest = 2 ** math.floor(math.log2(n))
    return get_slopes_power_of_2(closest) + _published(2 * closest)[0::2][: n - closest]


@pytest.mark.parametrize("n_head", range(1, 70))
def test_alibi_slopes_follow_the_published_rule(n_head: int) -> None:
    np.testing.assert_allclose(alibi_slopes(n_head), _published(n_head), rtol=1e-12)


@pytest.mark.parametrize("bad", [(0, 10.0), (3, 10.0), (4, 0.5), (4, math.nan), (4, math.inf), (-2, 10.0)])
def test_frequencies_refuse_what_has_none(bad: tuple[int, float]) -> None:
    with pytest.raises(ValueError, match=r"d_model|base"):
        frequencies(*bad)


def test_bad_shapes_and_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="n_ctx"):
        sinusoidal(-1, 4)
    with pytest.raises(ValueError, match="n_head"):
        alibi_slopes(0)
    with pytest.raises(ValueError, match="positions of shape"):
        rotate(np.ones(4), [1, 2, 3])
    with pytest.raises(ValueError, match="rows"):
        distance_profile(np.ones((5, 2)), 5)


def test_distance_profile_counts_every_pair() -> None:
    table = np.random.default_rng(1).normal(size=(30, 7))
    profile = distance_profile(table, 20, skip=2)
    for distance in range(20):
        pairs = [
            float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
            for a, b in zip(table[2:], table[2 + distance :], strict=False)
        ]
        assert profile.mean[distance] == pytest.approx(np.mean(pairs))
        assert profile.low[distance] <= np.median(pairs) <= profile.high[distance]


def test_query_and_key_with_further_norms_are_the_library_s() -> None:
    config = Qwen3Config(hidden_size=24, num_attention_heads=3, num_key_value_heads=1, head_dim=8)
    attention = Qwen3Attention(config, layer_idx=0)
    norm = Qwen3RMSNorm(24, eps=1e-5)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in (*attention.parameters(), *norm.parameters()):
            parameter.normal_(generator=generator)
        x = torch.randn(5, 24, generator=generator)
        query = attention.q_norm(attention.q_proj(norm(x)).view(5, 3, 8))[:, 0]
        key = attention.k_norm(attention.k_proj(norm(x)).view(5, 1, 8))[:, 0]
    head = FirstHead(
        norm=norm.weight.detach().numpy(),
        epsilon=1e-5,
        query=attention.q_proj.weight[:8].detach().numpy(),
        key=attention.k_proj.weight[:8].detach().numpy(),
        query_norm=attention.q_norm.weight.detach().numpy(),
        key_norm=attention.k_norm.weight.detach().numpy(),
    )
    ours = head.query_key(x.numpy())
    np.testing.assert_allclose(ours[0], query.numpy(), atol=1e-4)
    np.testing.assert_allclose(ours[1], key.numpy(), atol=1e-4)

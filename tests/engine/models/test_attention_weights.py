"""Weights worked out from what the layers were given: all at once, or one by one where their masks differ."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from playground.engine.models.traced_attention import Call, weights_of

N, D_HEAD = 7, 8
SLIDING = torch.ones(N, N, dtype=torch.bool).tril().triu(-2)
PADDED = torch.zeros(2, 1, N, N).masked_fill(torch.arange(N) > 4, -1e9)


def call(mask: torch.Tensor | None, causal: bool = False, seed: int = 0) -> Call:
    made = torch.Generator().manual_seed(seed)
    query = torch.randn(2, 6, N, D_HEAD, generator=made)
    key, value = torch.randn(2, 2, 2, N, D_HEAD, generator=made)
    return Call(query, key, value, mask, causal, D_HEAD**-0.5)


def the_librarys(given: Call) -> torch.Tensor:
    """Attention of torch itself over values that are the unit vectors: its outputs are the weights."""
    unit = torch.eye(N).expand(*given.key.shape[:-1], N)
    return scaled_dot_product_attention(
        given.query, given.key, unit, given.mask, is_causal=given.causal, enable_gqa=True
    )


@pytest.mark.parametrize(
    "calls",
    [
        [call(None, causal=True, seed=seed) for seed in range(3)],
        [call(None, seed=seed) for seed in range(3)],
        [call(PADDED, seed=seed) for seed in range(3)],
        [call(SLIDING, seed=0), call(None, causal=True, seed=1), call(PADDED, seed=2)],
    ],
    ids=["causal", "everything", "one mask", "a mask a layer"],
)
def test_weights_equal_torchs_attention(calls: list[Call]) -> None:
    weights = weights_of(calls)
    for layer, given in enumerate(calls):
        torch.testing.assert_close(weights[layer], the_librarys(given), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(weights_of(calls, (2, 5)), weights[..., 2:5, 2:5])

"""Predicted memory by hand: the course's rule, ZeRO's sixteen bytes, LoRA, caches of known models."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.core.memory import (
    METHODS,
    Bytes,
    ModelSizes,
    block_numbers,
    budget,
    cache_bytes,
    n_trained,
    precisions_of,
    rule_bytes,
)
from playground.core.tables import memory as frames

# a Llama of two layers: 4 heads of 8, 2 of keys; everything small enough for a pencil
SIZES = ModelSizes(
    kind="decoder", n_layer=2, n_head=4, n_kv_head=2, d_head=8, d_model=32, d_ff=48, d_vocab=100, n_ctx=64,
    n_parameters=20_000, n_trained=20_000, n_embedding=3_200, is_tied=True, has_logits=True, n_norms=2,
    norm="rms", has_head_norms=False, is_merged=False, mlp_kept=4.0, keeps_maps=False,
    linears=((32, 32), (32, 16), (32, 48)), number_bytes=4, weight_bytes=80_000,
)  # fmt: skip
ENCODER = replace(SIZES, kind="encoder", has_logits=False, is_tied=False)


def test_adam_in_float32_and_in_mixed_precision_has_sixteen_bytes_a_parameter() -> None:
    for precision, expected in (("float32", 16), ("mixed", 16), ("bfloat16", 8)):
        parts = budget(SIZES, "full", precision).parts
        fixed = [parts[name].fixed for name in ("weights", "gradients", "optimizer")]
        assert sum(fixed) == expected * SIZES.n_parameters
    assert rule_bytes(20_000, "full") == 6 * rule_bytes(20_000, "inference") == 480_000


def test_a_block_of_llama_keeps_what_the_paper_of_a_pencil_says() -> None:
    """Two RMS norms keep 3 states each, attention q, k, v and its output, the MLP four inner vectors."""
    by_hand = 2 * 3 * 32 + (32 + 16 + 16 + 32) + 4 * 48
    assert block_numbers(SIZES, is_frozen=False) == by_hand
    assert block_numbers(SIZES, is_frozen=True) == by_hand - 2 * 32


def test_lora_trains_its_own_numbers_and_keeps_most_activations() -> None:
    assert n_trained(SIZES, "lora", 8) == 8 * (64 + 48 + 80)
    full, lora = (budget(SIZES, method, "float32") for method in ("full", "lora"))
    assert lora.parts["optimizer"].fixed == 8 * n_trained(SIZES, "lora", 8)
    assert lora.parts["activations"].at(4, 32) > 0.8 * full.parts["activations"].at(4, 32)
    assert budget(SIZES, "head", "float32").n_trained == 2 * 33


@pytest.mark.parametrize("method", METHODS)
def test_the_peak_is_never_more_than_all_parts_and_what_the_loss_needs(method: str) -> None:
    for precision in precisions_of(method):
        found = budget(SIZES, method, precision)
        for batch, length in ((1, 2), (1, 64), (32, 64)):
            most = found.total(batch, length) + 4 * 100 * batch * length + 3 * 4 * 3_200
            assert found.peak(batch, length) <= most
            assert found.peak(batch, length) >= found.parts["weights"].fixed


def test_activations_grow_with_tokens_and_maps_with_their_pairs() -> None:
    plain, capped = (budget(one, "full", "float32") for one in (SIZES, replace(SIZES, keeps_maps=True)))
    activations = plain.parts["activations"]
    assert activations.at(2, 32) == activations.at(1, 64) == 64 * activations.at(1, 1)
    assert capped.parts["activations"].per_pair == 2 * 2 * 4 * 4
    assert Bytes(1, 2, 3) + Bytes(1, 1, 1) == Bytes(2, 3, 4)


def test_caches_of_known_models() -> None:
    """Llama 2 7B keeps 512 kB a token in 16 bits; 70B, with 8 of 64 heads, 320 kB."""
    seven = replace(SIZES, n_layer=32, n_head=32, n_kv_head=32, d_head=128)
    seventy = replace(SIZES, n_layer=80, n_head=64, n_kv_head=8, d_head=128)
    assert cache_bytes(seven, 2) == 512 * 1024
    assert cache_bytes(seventy, 2) == 320 * 1024
    assert cache_bytes(seventy, 2, 64) == 8 * cache_bytes(seventy, 2)
    assert cache_bytes(seven, 2, 1) == cache_bytes(seven, 2) / 32
    assert cache_bytes(ENCODER, 4) == 0
    assert budget(ENCODER, "inference", "float32").parts["cache"].at(8, 64) == 0


def test_an_error_is_a_share_of_what_was_measured() -> None:
    table = frames.compared({"weights": (105.0, 100.0), "nothing": (0.0, 0.0)})
    assert table["error"].iloc[0] == pytest.approx(0.05)
    assert table["error"].isna().iloc[1]
    total = frames.parts(budget(SIZES, "full", "float32"), 1, 8).set_index("part")["n_bytes"]
    assert total["total"] == pytest.approx(total.drop(["total", "peak"]).sum())

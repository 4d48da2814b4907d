"""T5: an encoder and a decoder with relative position biases; its attention stays the library's own."""

from __future__ import annotations

from playground.engine.models.config_rules import (
    ACTIVATION,
    ACTIVATIONS,
    COUNT,
    EVEN,
    INDEX,
    ON,
    POSITIVE,
    SWITCH,
    one_of,
)
from playground.engine.models.families.family import BlockPaths, Config, Family


def output_scale(config: Config) -> float:
    """1/√d_model where the vocabulary head was trained with it: in T5 1.0, whose head is the embedding."""
    return float(config["d_model"] ** -0.5) if config["scale_decoder_outputs"] else 1.0


T5 = Family(
    name="t5",
    kind="encoder-decoder",
    blocks="encoder.block",
    block=BlockPaths("layer.0", "layer.0.SelfAttention.o", "layer.1", "layer.1.DenseReluDense"),
    positions="relative",
    rules={
        "d_model": COUNT,
        "d_kv": COUNT,
        "d_ff": COUNT,
        "num_layers": COUNT,
        "num_decoder_layers": COUNT.or_null(),
        "num_heads": COUNT,
        "vocab_size": COUNT,
        "n_positions": COUNT,
        "relative_attention_num_buckets": EVEN,
        "relative_attention_max_distance": COUNT,
        "layer_norm_epsilon": POSITIVE,
        "feed_forward_proj": one_of(*ACTIVATIONS, *(f"gated-{name}" for name in ACTIVATIONS)),
        "dense_act_fn": ACTIVATION,
        "is_gated_act": SWITCH,
        "scale_decoder_outputs": SWITCH,
        "decoder_start_token_id": INDEX,
        "is_encoder_decoder": ON,
    },
    required=("d_model", "d_kv", "d_ff", "num_layers", "num_heads", "vocab_size", "decoder_start_token_id"),
    is_traced=False,
    output_scale=output_scale,
    target_blocks="decoder.block",
)

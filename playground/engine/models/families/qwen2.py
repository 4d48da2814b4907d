"""Qwen 2 and 2.5: Llama with biases of queries, keys and values, and windows in some layers."""

from __future__ import annotations

from playground.engine.models.config_rules import COUNT, INDEX, OFF, ROPES, SWITCH
from playground.engine.models.families.family import Family
from playground.engine.models.families.rotary import (
    BLOCK,
    LAYER_TYPES,
    RULES,
    SIZES,
    layer_types,
    shared_keys,
    whole_width,
    window_if_switched_on,
)

QWEN2 = Family(
    name="qwen2",
    kind="decoder",
    blocks="layers",
    block=BLOCK,
    positions="rotary",
    rules={key: rule for key, rule in RULES.items() if key != "attention_bias"}
    | {
        "use_sliding_window": SWITCH,
        "sliding_window": COUNT.or_null(),
        "max_window_layers": INDEX,
        "layer_types": LAYER_TYPES,
        "use_mrope": OFF,
    },
    required=(*SIZES, "num_key_value_heads"),
    dependent={
        "layer_types": layer_types, "num_attention_heads": whole_width, "num_key_value_heads": shared_keys,
    },
    final_norm="norm",
    has_clocks=True,
    ropes=tuple(ROPES),
    window=window_if_switched_on,
)  # fmt: skip

"""Qwen 3: Llama with a norm of every query and key, heads of their own size, windows in some layers."""

from __future__ import annotations

from playground.engine.models.config_rules import COUNT, EVEN, INDEX, ROPES, SWITCH
from playground.engine.models.families.family import Family
from playground.engine.models.families.rotary import (
    BLOCK,
    LAYER_TYPES,
    RULES,
    SIZES,
    layer_types,
    shared_keys,
    window_if_switched_on,
)

QWEN3 = Family(
    name="qwen3",
    kind="decoder",
    blocks="layers",
    block=BLOCK,
    positions="rotary",
    rules=RULES
    | {
        "head_dim": EVEN,
        "use_sliding_window": SWITCH,
        "sliding_window": COUNT.or_null(),
        "max_window_layers": INDEX,
        "layer_types": LAYER_TYPES,
    },
    required=(*SIZES, "head_dim", "num_key_value_heads"),
    dependent={"layer_types": layer_types, "num_key_value_heads": shared_keys},
    final_norm="norm",
    has_clocks=True,
    ropes=tuple(ROPES),
    window=window_if_switched_on,
)

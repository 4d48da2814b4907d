"""Phi 3 and 4 mini: Llama with one projection for queries, keys and values, and one for gate and up."""

from __future__ import annotations

from playground.engine.models.config_rules import COUNT, OFF, SHARE, one_of
from playground.engine.models.families.family import Config, Family
from playground.engine.models.families.rotary import BLOCK, RULES, SIZES, shared_keys, whole_width


def _window(config: Config) -> int:
    return int(config.get("sliding_window") or 0)


PHI3 = Family(
    name="phi3",
    kind="decoder",
    blocks="layers",
    block=BLOCK,
    positions="rotary",
    rules=RULES
    | {
        "sliding_window": COUNT.or_null(),
        "partial_rotary_factor": SHARE,
        "attention_bias": OFF,
        "mlp_bias": OFF,
        "lm_head_bias": OFF,
        "full_attn_mod": one_of(1),
        "interpolate_factor": one_of(1),
    },
    required=(*SIZES, "original_max_position_embeddings"),
    dependent={"num_attention_heads": whole_width, "num_key_value_heads": shared_keys},
    final_norm="norm",
    ropes=("default", "longrope"),
    is_partly_rotated=True,
    window=_window,
)

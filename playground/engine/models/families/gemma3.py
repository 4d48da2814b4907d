"""Gemma 3, its text models: norms before and after each part, two rotations, windows in most layers."""

from __future__ import annotations

from playground.engine.models.config_rules import ACTIVATION, COUNT, EVEN, POSITIVE, Rule, one_of
from playground.engine.models.families.family import BlockPaths, Config, Family
from playground.engine.models.families.rotary import (
    LAYER_TYPES,
    RULES,
    SIZES,
    either_type,
    shared_keys,
    whole_width,
)

BLOCK = BlockPaths(
    "self_attn", "self_attn.o_proj", "mlp", "mlp.down_proj",
    attention_norm="post_attention_layernorm", mlp_norm="post_feedforward_layernorm",
)  # fmt: skip
GEMMA_RULES = {key: rule for key, rule in RULES.items() if key != "hidden_act"} | {
    "hidden_activation": ACTIVATION,
    "head_dim": EVEN,
    "query_pre_attn_scalar": POSITIVE,
    "sliding_window": COUNT,
    "layer_types": LAYER_TYPES,
    "use_bidirectional_attention": one_of(False, None),
}
REQUIRED = (*SIZES, "head_dim", "num_key_value_heads", "query_pre_attn_scalar", "sliding_window")


def as_head(config: Config) -> Rule:
    """The size of a head: whatever a page computes from queries and keys divides by its root."""
    return one_of(config["head_dim"])


def window(config: Config) -> int:
    """The window, unless all layers are said to see everything."""
    kinds = config.get("layer_types")
    return 0 if kinds is not None and "sliding_attention" not in kinds else int(config["sliding_window"])


DEPENDENT = {
    "layer_types": either_type,
    "num_attention_heads": whole_width,  # the library's own check
    "num_key_value_heads": shared_keys,
    "query_pre_attn_scalar": as_head,
}
GEMMA3 = Family(
    name="gemma3_text",
    kind="decoder",
    blocks="layers",
    block=BLOCK,
    positions="rotary",
    rules=GEMMA_RULES
    | {
        "rope_local_base_freq": POSITIVE,
        "sliding_window_pattern": COUNT,
        "final_logit_softcapping": one_of(None),
        "attn_logit_softcapping": one_of(None),
    },
    required=REQUIRED,
    harmless=frozenset({"cache_implementation", "_sliding_window_pattern"}),
    dependent=DEPENDENT,
    final_norm="norm",
    has_clocks=True,
    ropes=("default", "linear"),
    has_ropes_by_layer=True,
    window=window,
    keeps_layer_types=True,
    norm_adds_one=True,
)

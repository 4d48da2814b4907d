"""OLMo 2: Llama with norms behind attention and MLP instead of before, and one of all queries and keys."""

from __future__ import annotations

from playground.engine.models.config_rules import ROPES
from playground.engine.models.families.family import BlockPaths, Family
from playground.engine.models.families.rotary import RULES, SIZES, shared_keys, whole_width

OLMO2 = Family(
    name="olmo2",
    kind="decoder",
    blocks="layers",
    block=BlockPaths(
        "self_attn", "self_attn.o_proj", "mlp", "mlp.down_proj",
        attention_norm="post_attention_layernorm", mlp_norm="post_feedforward_layernorm",
    ),
    positions="rotary",
    rules=RULES,
    required=SIZES,
    dependent={"num_attention_heads": whole_width, "num_key_value_heads": shared_keys},
    final_norm="norm",
    ropes=tuple(ROPES),
)  # fmt: skip

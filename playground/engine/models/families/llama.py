"""Llama, and all that share its code: SmolLM, TinyLlama."""

from __future__ import annotations

from playground.engine.models.config_rules import EVEN, ROPES, SWITCH
from playground.engine.models.families.family import Family
from playground.engine.models.families.rotary import BLOCK, RULES, SIZES, shared_keys, whole_width

LLAMA = Family(
    name="llama",
    kind="decoder",
    blocks="layers",
    block=BLOCK,
    positions="rotary",
    rules=RULES | {"head_dim": EVEN.or_null(), "mlp_bias": SWITCH},
    required=SIZES,
    harmless=frozenset({"pretraining_tp"}),  # how the products were shared out over devices
    dependent={"num_attention_heads": whole_width, "num_key_value_heads": shared_keys},
    final_norm="norm",
    has_clocks=True,
    ropes=tuple(ROPES),
)

"""Mistral: Llama whose layers may all have a window."""

from __future__ import annotations

from playground.engine.models.config_rules import COUNT, EVEN, ROPES
from playground.engine.models.families.family import Config, Family
from playground.engine.models.families.rotary import BLOCK, RULES, SIZES, shared_keys, whole_width


def _window(config: Config) -> int:
    return int(config.get("sliding_window", 4096) or 0)  # the library's default


MISTRAL = Family(
    name="mistral",
    kind="decoder",
    blocks="layers",
    block=BLOCK,
    positions="rotary",
    rules={key: rule for key, rule in RULES.items() if key != "attention_bias"}
    | {"head_dim": EVEN.or_null(), "sliding_window": COUNT.or_null()},
    required=(*SIZES, "num_key_value_heads"),
    dependent={"num_attention_heads": whole_width, "num_key_value_heads": shared_keys},
    final_norm="norm",
    has_clocks=True,
    ropes=tuple(ROPES),
    window=_window,
)

"""GPT-2, and all that share its code: DistilGPT-2, KoGPT2."""

from __future__ import annotations

from playground.engine.models.config_rules import ACTIVATION, COUNT, OFF, ON, POSITIVE, SWITCH, divisor_of
from playground.engine.models.families.family import BlockPaths, Family

GPT2 = Family(
    name="gpt2",
    kind="decoder",
    blocks="h",
    block=BlockPaths("attn", "attn.c_proj", "mlp", "mlp.c_proj"),
    positions="learned",
    rules={
        "n_embd": COUNT,
        "n_layer": COUNT,
        "n_head": COUNT,
        "n_inner": COUNT.or_null(),
        "n_positions": COUNT,
        "vocab_size": COUNT,
        "activation_function": ACTIVATION,
        "layer_norm_epsilon": POSITIVE,
        "scale_attn_weights": ON,  # the arithmetic of a row divides by the root of the head size
        "scale_attn_by_inverse_layer_idx": OFF,
        "reorder_and_upcast_attn": SWITCH,
    },
    required=("n_embd", "n_layer", "n_head", "n_positions", "vocab_size"),
    harmless=frozenset(
        {
            "n_ctx", "n_special", "predict_special_tokens", "summary_type", "summary_use_proj",
            "summary_activation", "summary_proj_to_labels", "summary_first_dropout", "summary_last_dropout",
        }
    ),
    dependent={"n_head": lambda config: divisor_of(config["n_embd"])},
    final_norm="ln_f",
    position_table="wpe",
    stores_in_out=True,
)  # fmt: skip

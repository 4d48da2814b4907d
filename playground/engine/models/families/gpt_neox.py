"""GPT-NeoX, Pythia, Polyglot-Ko: attention and MLP side by side, a rotation of a part of each head."""

from __future__ import annotations

from playground.engine.models.config_rules import ACTIVATION, COUNT, POSITIVE, SHARE, SWITCH
from playground.engine.models.families.family import BlockPaths, Family
from playground.engine.models.families.rotary import SIZES, whole_width

GPT_NEOX = Family(
    name="gpt_neox",
    kind="decoder",
    blocks="layers",
    block=BlockPaths("attention", "attention.dense", "mlp", "mlp.dense_4h_to_h"),
    positions="rotary",
    rules=dict.fromkeys(SIZES, COUNT)
    | {
        "hidden_act": ACTIVATION,
        "layer_norm_eps": POSITIVE,
        "use_parallel_residual": SWITCH,
        "attention_bias": SWITCH,
        "rotary_pct": SHARE,
        "rotary_emb_base": POSITIVE,
    },
    required=SIZES,
    harmless=frozenset({"hidden_dropout", "num_steps"}),
    dependent={"num_attention_heads": whole_width},
    final_norm="final_layer_norm",
    ropes=("default", "linear", "dynamic"),
    is_partly_rotated=True,
)

"""OPT: learned positions, whose table begins with two rows of no position."""

from __future__ import annotations

from playground.engine.models.config_rules import ACTIVATION, COUNT, OFF, ON, SWITCH, Rule, one_of
from playground.engine.models.families.family import BlockPaths, Config, Family
from playground.engine.models.families.rotary import whole_width


def _two(_config: Config) -> int:
    return 2


def _as_wide(config: Config) -> Rule:
    """The width of the model: no projection between the embeddings and the blocks."""
    return one_of(config["hidden_size"], None)


OPT = Family(
    name="opt",
    kind="decoder",
    blocks="decoder.layers",
    block=BlockPaths("self_attn", "self_attn.out_proj", "fc1", "fc2"),
    positions="learned",
    rules={
        "hidden_size": COUNT,
        "ffn_dim": COUNT,
        "num_hidden_layers": COUNT,
        "num_attention_heads": COUNT,
        "vocab_size": COUNT,
        "max_position_embeddings": COUNT,
        "word_embed_proj_dim": COUNT.or_null(),
        "activation_function": ACTIVATION,
        "enable_bias": SWITCH,
        "do_layer_norm_before": ON,
        "_remove_final_layer_norm": OFF,
        "layer_norm_elementwise_affine": ON,
    },
    required=(
        "hidden_size", "ffn_dim", "num_hidden_layers", "num_attention_heads", "vocab_size",
        "max_position_embeddings",
    ),
    harmless=frozenset({"dropout", "activation_dropout", "layerdrop", "init_std"}),
    dependent={"num_attention_heads": whole_width, "word_embed_proj_dim": _as_wide},
    final_norm="decoder.final_layer_norm",
    position_table="decoder.embed_positions",
    first_row=_two,
)  # fmt: skip

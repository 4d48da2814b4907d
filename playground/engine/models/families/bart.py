"""BART, and what all encoder-decoders of its make have in common."""

from __future__ import annotations

from playground.engine.models.config_rules import (
    ACTIVATION,
    COUNT,
    INDEX,
    OFF,
    ON,
    SWITCH,
    divisor_of,
    one_of,
)
from playground.engine.models.families.family import BlockPaths, Config, Family

RULES = {
    "d_model": COUNT,
    "hidden_size": COUNT,
    "encoder_layers": COUNT,
    "num_hidden_layers": COUNT,
    "decoder_layers": COUNT,
    "encoder_attention_heads": COUNT,
    "num_attention_heads": COUNT,
    "decoder_attention_heads": COUNT,
    "encoder_ffn_dim": COUNT,
    "decoder_ffn_dim": COUNT,
    "vocab_size": COUNT,
    "max_position_embeddings": COUNT,
    "activation_function": ACTIVATION,
    "scale_embedding": SWITCH,
    "decoder_start_token_id": INDEX,
    "is_encoder_decoder": ON,
    "tie_word_embeddings": ON,  # otherwise the library reads with tables of its own beside the shared one
    # the library never reads these: they name the one of its classes that was meant
    "normalize_before": OFF,
    "normalize_embedding": ON,
    "add_final_layer_norm": OFF,
    "static_position_embeddings": OFF,
    "add_bias_logits": OFF,
    "extra_pos_embeddings": one_of(2),
    "force_bos_token_to_be_generated": OFF,
    "do_blenderbot_90_layernorm": OFF,
}


def first_row(_config: Config) -> int:
    """The row of the first position: two of no position stand before it."""
    return 2


BART = Family(
    name="bart",
    kind="encoder-decoder",
    blocks="encoder.layers",
    block=BlockPaths("self_attn", "self_attn.out_proj", "fc1", "fc2"),
    positions="learned",
    rules=RULES,
    required=(
        "d_model", "encoder_layers", "decoder_layers", "encoder_attention_heads", "decoder_attention_heads",
        "encoder_ffn_dim", "decoder_ffn_dim", "vocab_size", "max_position_embeddings",
        "decoder_start_token_id",
    ),
    harmless=frozenset(
        {
            "dropout", "activation_dropout", "classif_dropout", "encoder_layerdrop", "decoder_layerdrop",
            "init_std", "kobart_version",
        }
    ),
    dependent={
        "encoder_attention_heads": lambda config: divisor_of(config["d_model"]),
        "decoder_attention_heads": lambda config: divisor_of(config["d_model"]),
        "hidden_size": lambda config: one_of(config["d_model"]),  # two names of one number
        "num_hidden_layers": lambda config: one_of(config["encoder_layers"]),
        "num_attention_heads": lambda config: one_of(config["encoder_attention_heads"]),
    },
    first_row=first_row,
    is_traced=False,
    target_blocks="decoder.layers",
    target_positions="decoder.embed_positions",
)  # fmt: skip

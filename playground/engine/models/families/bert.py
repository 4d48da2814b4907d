"""BERT, and what all encoders of its make have in common."""

from __future__ import annotations

from playground.engine.models.config_rules import ACTIVATION, COUNT, POSITIVE, one_of
from playground.engine.models.families.family import BlockPaths, Family
from playground.engine.models.families.rotary import SIZES, whole_width

BLOCK = BlockPaths("attention", "attention.output.dense", "intermediate", "output.dense")
RULES = {
    "hidden_size": COUNT,
    "intermediate_size": COUNT,
    "num_hidden_layers": COUNT,
    "num_attention_heads": COUNT,
    "vocab_size": COUNT,
    "type_vocab_size": COUNT,
    "max_position_embeddings": COUNT,
    "hidden_act": ACTIVATION,
    "layer_norm_eps": POSITIVE,
    "position_embedding_type": one_of("absolute"),
}
BERT = Family(
    name="bert",
    kind="encoder",
    blocks="encoder.layer",
    block=BLOCK,
    positions="learned",
    rules=RULES,
    required=SIZES,
    harmless=frozenset(
        {
            "directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers",
            "pooler_size_per_head", "pooler_type",
        }
    ),
    dependent={"num_attention_heads": whole_width},
    masked_head=("cls.predictions",),
    position_table="embeddings.position_embeddings",
)  # fmt: skip

"""DistilBERT: BERT with half the layers, other names and no segments."""

from __future__ import annotations

from playground.engine.models.config_rules import ACTIVATION, COUNT, SWITCH, divisor_of
from playground.engine.models.families.family import BlockPaths, Family

DISTILBERT = Family(
    name="distilbert",
    kind="encoder",
    blocks="transformer.layer",
    block=BlockPaths("attention", "attention.out_lin", "ffn", "ffn.lin2"),
    positions="learned",
    rules={
        "dim": COUNT,
        "hidden_dim": COUNT,
        "n_layers": COUNT,
        "n_heads": COUNT,
        "vocab_size": COUNT,
        "max_position_embeddings": COUNT,
        "activation": ACTIVATION,
        "sinusoidal_pos_embds": SWITCH,  # how the table began; the file holds it
    },
    required=("dim", "hidden_dim", "n_layers", "n_heads", "vocab_size", "max_position_embeddings"),
    harmless=frozenset({"dropout", "qa_dropout", "seq_classif_dropout", "tie_weights_"}),
    dependent={"n_heads": lambda config: divisor_of(config["dim"])},
    position_table="embeddings.position_embeddings",
    masked_head=("vocab_transform", "activation", "vocab_layer_norm", "vocab_projector"),
    other_heads=r"^pre_classifier\.",
)

"""ELECTRA, the discriminators and generators: BERT whose embeddings may be narrower than the model."""

from __future__ import annotations

from dataclasses import replace

from playground.engine.models.config_rules import COUNT
from playground.engine.models.families.bert import BERT, RULES
from playground.engine.models.families.rotary import SIZES

ELECTRA = replace(
    BERT,
    name="electra",
    rules=RULES | {"embedding_size": COUNT},
    required=(*SIZES, "embedding_size"),
    harmless=frozenset({"summary_type", "summary_use_proj", "summary_activation", "summary_last_dropout"}),
    masked_head=("generator_predictions", "generator_lm_head"),
    other_heads=r"^discriminator_predictions\.",
)

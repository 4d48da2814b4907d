"""Marian, the translators of OPUS: BART with sinusoids, and no norm of the embeddings."""

from __future__ import annotations

from dataclasses import replace

from playground.engine.models.config_rules import COUNT, OFF, ON, one_of
from playground.engine.models.families.bart import BART, RULES
from playground.engine.models.families.family import Config


def _first(_config: Config) -> int:
    return 0


MARIAN = replace(
    BART,
    name="marian",
    rules={key: rule for key, rule in RULES.items() if key != "extra_pos_embeddings"}
    | {
        "normalize_embedding": OFF,
        "static_position_embeddings": ON,
        "share_encoder_decoder_embeddings": ON,  # otherwise source and target have a tokenizer each
        "decoder_vocab_size": COUNT.or_null(),
    },
    dependent={**BART.dependent, "decoder_vocab_size": lambda config: one_of(config["vocab_size"], None)},
    first_row=_first,
)

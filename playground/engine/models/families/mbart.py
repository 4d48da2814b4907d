"""mBART: BART with norms before attention and MLP, and one behind each stack."""

from __future__ import annotations

from dataclasses import replace

from playground.engine.models.config_rules import ON
from playground.engine.models.families.bart import BART, RULES

MBART = replace(
    BART,
    name="mbart",
    rules=RULES | {"normalize_before": ON, "add_final_layer_norm": ON},
)

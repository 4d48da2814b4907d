"""Gemma 2: Gemma 3 with one rotation, and caps on scores and logits."""

from __future__ import annotations

from playground.engine.models.config_rules import POSITIVE
from playground.engine.models.families.family import Family
from playground.engine.models.families.gemma3 import BLOCK, DEPENDENT, GEMMA_RULES, REQUIRED, window

GEMMA2 = Family(
    name="gemma2",
    kind="decoder",
    blocks="layers",
    block=BLOCK,
    positions="rotary",
    rules=GEMMA_RULES
    | {"final_logit_softcapping": POSITIVE.or_null(), "attn_logit_softcapping": POSITIVE.or_null()},
    required=REQUIRED,
    harmless=frozenset({"cache_implementation", "hidden_act"}),  # it reads hidden_activation
    dependent=DEPENDENT,
    final_norm="norm",
    ropes=("default", "linear"),
    window=window,
    keeps_layer_types=True,
    norm_adds_one=True,
    lacks=frozenset({"query_key"}),  # a cap stands between a score and its product of query and key
)

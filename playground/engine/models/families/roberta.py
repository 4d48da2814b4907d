"""RoBERTa and XLM-RoBERTa: BERT whose positions are counted from behind the padding token's row."""

from __future__ import annotations

from dataclasses import replace

from playground.engine.models.config_rules import INDEX
from playground.engine.models.families.bert import BERT, RULES
from playground.engine.models.families.family import Config
from playground.engine.models.families.rotary import SIZES


def _behind_padding(config: Config) -> int:
    return int(config["pad_token_id"]) + 1


ROBERTA = replace(
    BERT,
    name="roberta",
    rules=RULES | {"pad_token_id": INDEX},
    required=(*SIZES, "pad_token_id"),
    harmless=frozenset(),
    first_row=_behind_padding,
    ids_are_rows=True,
    masked_head=("lm_head",),
)
XLM_ROBERTA = replace(ROBERTA, name="xlm-roberta")

"""The families that the engine reads."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from playground.engine.models.families.bart import BART
from playground.engine.models.families.bert import BERT
from playground.engine.models.families.distilbert import DISTILBERT
from playground.engine.models.families.electra import ELECTRA
from playground.engine.models.families.family import Family
from playground.engine.models.families.gemma2 import GEMMA2
from playground.engine.models.families.gemma3 import GEMMA3
from playground.engine.models.families.gpt2 import GPT2
from playground.engine.models.families.gpt_neox import GPT_NEOX
from playground.engine.models.families.llama import LLAMA
from playground.engine.models.families.marian import MARIAN
from playground.engine.models.families.mbart import MBART
from playground.engine.models.families.mistral import MISTRAL
from playground.engine.models.families.modernbert import MODERNBERT
from playground.engine.models.families.olmo2 import OLMO2
from playground.engine.models.families.opt import OPT
from playground.engine.models.families.phi3 import PHI3
from playground.engine.models.families.qwen2 import QWEN2
from playground.engine.models.families.qwen3 import QWEN3
from playground.engine.models.families.roberta import ROBERTA, XLM_ROBERTA
from playground.engine.models.families.t5 import T5

_ALL = (
    LLAMA, QWEN2, QWEN3, MISTRAL, GEMMA2, GEMMA3, PHI3, OLMO2, GPT2, GPT_NEOX, OPT,
    BERT, ROBERTA, XLM_ROBERTA, DISTILBERT, ELECTRA, MODERNBERT, T5, BART, MBART, MARIAN,
)  # fmt: skip
FAMILIES: Mapping[str, Family] = MappingProxyType({family.name: family for family in _ALL})

"""The families that the engine reads."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from playground.engine.models.families.bert import BERT
from playground.engine.models.families.family import Family
from playground.engine.models.families.gpt2 import GPT2
from playground.engine.models.families.llama import LLAMA
from playground.engine.models.families.qwen3 import QWEN3
from playground.engine.models.families.t5 import T5

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {family.name: family for family in (LLAMA, QWEN3, GPT2, BERT, T5)}
)

"""Random logits and settings of a sampler."""

from __future__ import annotations

from playground.core.sampling import Order

ORDERS: dict[Order, str] = {"transformers": "TKPMY", "vllm": "TMKP", "llama.cpp": "KYPMT"}

"""A policy and a reference whose weights are a formula, and pairs of ids: what trl is asked about."""

from __future__ import annotations

import torch
from transformers import LlamaConfig, LlamaForCausalLM

BETA = 0.3
D_VOCAB, EOS = 24, 1
# prompt, chosen, rejected: ids from 2 on; both answers end with EOS
PAIRS = (
    ((3, 5, 8), (9, 4, EOS), (7, EOS)),
    ((11, 2), (6, EOS), (12, 13, 14, 5, EOS)),
    ((20, 21, 22, 23), (15, 16, 15, 16, EOS), (15, 16, 15, 17, EOS)),
)  # fmt: skip


def model(frequency: float) -> LlamaForCausalLM:
    """A Llama of one layer, the same on every version of torch.

    Args:
        frequency: Of the cosine that its weights are; another one is another model.
    """
    config = LlamaConfig(
        vocab_size=D_VOCAB, hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=64, bos_token_id=None, eos_token_id=EOS,
        pad_token_id=0, tie_word_embeddings=False, attn_implementation="eager",
    )  # fmt: skip
    made = LlamaForCausalLM(config)
    with torch.no_grad():
        for number, parameter in enumerate(made.parameters(), start=1):
            at = torch.arange(parameter.numel(), dtype=torch.float64).view(parameter.shape)
            parameter.copy_(0.8 * torch.cos(frequency * number * (at + 1)))
    return made.eval()


def directions(gradient: torch.Tensor) -> tuple[float, float]:
    """The norm of a gradient, and its product with a cosine: two numbers that hardly agree by chance."""
    cosine = torch.cos(torch.arange(gradient.numel(), dtype=torch.float64))
    return float(gradient.double().norm()), float((gradient.double().flatten() * cosine).sum())

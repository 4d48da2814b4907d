"""One attention function for every model: sdpa, and the weights only while somebody collects them.

transformers returns an empty tuple for `output_attentions=True` under sdpa, and switching the implementation
of a shared model changes it for everybody. So the function is registered once, under the name "traced".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

NAME = "traced"


@dataclass(frozen=True, slots=True)
class Collected:
    """What attention did, in layer order; an empty list where it was not asked for.

    Attributes:
        weights: Each [batch, head, query, key], float32.
        queries: Each [batch, head, position, d_head], after rotary embedding.
        keys, values: Each [batch, kv_head, position, d_head].
    """

    want_weights: bool
    want_query_key: bool
    weights: list[torch.Tensor] = field(default_factory=list)
    queries: list[torch.Tensor] = field(default_factory=list)
    keys: list[torch.Tensor] = field(default_factory=list)
    values: list[torch.Tensor] = field(default_factory=list)


_collected: ContextVar[Collected | None] = ContextVar("collected", default=None)


@contextmanager
def collect_attentions(*, weights: bool = True, query_key: bool = False) -> Iterator[Collected]:
    """Collect what the attention of every layer run inside computes."""
    collected = Collected(weights, query_key)
    token = _collected.set(collected)
    try:
        yield collected
    finally:
        _collected.reset(token)


def attention_weights(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None,
    is_causal: bool | None = None,
) -> torch.Tensor:
    """softmax(QKᵀ·scaling + mask) in float32.

    Args:
        query: Shape [batch, head, query, d_head].
        key: Shape [batch, kv_head, key, d_head]; repeated for grouped queries.
        mask: Boolean (True = may look) or additive, broadcastable to [batch, head, query, key]; None means
            causal for a causal module with more than one query, else everything.

    Returns:
        Rows that sum to 1. Shape [batch, head, query, key].

    Source:
        Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, section 3.2.1.
    """
    n_batch, n_head, n_query, d_head = query.shape
    scale = d_head**-0.5 if scaling is None else scaling
    grouped = query.reshape(n_batch, key.shape[1], -1, d_head)  # heads that share a key, one below the other
    scores = torch.matmul(grouped, key.transpose(2, 3)).view(n_batch, n_head, n_query, -1).float().mul_(scale)
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    if mask is None and causal and n_query > 1:
        future = torch.full(scores.shape[-2:], -torch.inf, device=scores.device)
        mask = future.triu_(scores.shape[-1] - n_query + 1)
    if mask is not None:
        scores = scores.masked_fill_(~mask, -torch.inf) if mask.dtype == torch.bool else scores.add_(mask)
    return torch.softmax(scores, dim=-1)


def traced_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **kwargs: object,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Attention as sdpa computes it; its weights go to `collect_attentions` when one is open."""
    kwargs.pop("output_attentions", None)
    output, _ = sdpa_attention_forward(
        module,
        query,
        key,
        value,
        attention_mask,
        dropout=dropout,
        scaling=scaling,
        is_causal=is_causal,
        **kwargs,
    )
    collected = _collected.get()
    if collected is not None and collected.want_weights:
        collected.weights.append(attention_weights(module, query, key, attention_mask, scaling, is_causal))
    if collected is not None and collected.want_query_key:
        collected.queries.append(query)
        collected.keys.append(key)
        collected.values.append(value)
    return output, None


AttentionInterface.register(NAME, traced_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)

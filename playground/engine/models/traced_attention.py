"""One attention function for every model: sdpa, and the weights only where somebody asks for them.

transformers returns an empty tuple for `output_attentions=True` under sdpa, and switching the implementation
of a shared model changes it for everybody. So the function is registered once, under the name "traced".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from playground.engine.models.virtual_attention import Before, before_of, with_before

NAME = "traced"


class Call(NamedTuple):
    """The arguments of one layer's attention.

    Attributes:
        query: After rotary embedding. Shape [batch, head, query, d_head].
        key, value: Shape [batch, kv_head, key, d_head].
        mask: Boolean (True = may look) or additive, broadcastable to [batch, head, query, key]; None where a
            causal or no mask is meant.
        causal: True if a mask of None means causal.
        scale: Factor of the scores.
        cap: Limit that a tanh keeps the scores below, None where there is none.
        before: Keys and values of virtual positions before the text, None where there are none.
    """

    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    mask: torch.Tensor | None
    causal: bool
    scale: float
    cap: float | None = None
    before: Before | None = None

    def whole(self) -> Call:
        """The same with the virtual positions among its keys and values, first of all."""
        if self.before is None:
            return self
        key, value, mask = with_before(
            self.before, self.key, self.value, self.mask, n_query=self.query.shape[2], causal=self.causal
        )
        return self._replace(key=key, value=value, mask=mask, causal=False, before=None)


_calls: ContextVar[list[Call] | None] = ContextVar("calls", default=None)


@contextmanager
def collect_attentions() -> Iterator[list[Call]]:
    """Collect what the attention of every layer run inside is given, in layer order."""
    calls: list[Call] = []
    token = _calls.set(calls)
    try:
        yield calls
    finally:
        _calls.reset(token)


def weights_of(calls: Sequence[Call], window: tuple[int, int] | None = None) -> torch.Tensor:
    """The attention weights of all layers; in one go where they share a mask, as layers nearly always do.

    Args:
        calls: From `collect_attentions`, at least one.
        window: First and last + 1 of the queries and keys to keep; a row still sums over all keys.

    Returns:
        float32; a row sums to 1, less what virtual positions get. Shape [layer, batch, head, query, key].
    """
    first = calls[0]
    if first.before is not None:
        n, kept = first.before.n, slice(*(window or (None, None)))
        each = [call.whole() for call in calls]
        weights = [attention_weights(one.query, one.key, one.mask, one.scale, one.cap) for one in each]
        return torch.stack([one[..., n:][..., kept, kept] for one in weights])
    alike = all(
        call.mask is first.mask
        and call[4:7] == first[4:7]
        and call.query.shape == first.query.shape
        and call.key.shape == first.key.shape
        for call in calls
    )
    if not alike:
        return torch.stack([weights_of([call], window)[0] for call in calls])
    query = torch.stack([call.query for call in calls])
    key = torch.stack([call.key for call in calls])
    mask = _causal_mask(first) if first.mask is None and first.causal else first.mask
    if window is None:
        return attention_weights(query, key, mask, first.scale, first.cap)
    kept = slice(*window)
    if mask is not None and mask.shape[-2] > 1:
        mask = mask[..., kept, :]
    return attention_weights(query[..., kept, :], key, mask, first.scale, first.cap)[..., kept]


def attention_weights(
    query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor | None, scale: float, cap: float | None = None
) -> torch.Tensor:
    """softmax(QKᵀ·scale + mask) in float32; with a cap, of cap · tanh(QKᵀ·scale / cap).

    Args:
        query: Shape [..., head, query, d_head].
        key: Shape [..., kv_head, key, d_head]; neighbouring heads share one.
        mask: As in `Call`; None lets every query look everywhere.
        scale: Factor of the scores.
        cap: As in `Call`.

    Returns:
        Rows that sum to 1. Shape [..., head, query, key].

    Source:
        Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, section 3.2.1.
    """
    grouped = query.reshape(*key.shape[:-2], -1, key.shape[-1])  # heads that share a key, one below the other
    scores = torch.matmul(grouped, key.transpose(-2, -1)).view(*query.shape[:-1], -1).float().mul_(scale)
    if cap is not None:
        scores = (scores / cap).tanh() * cap
    if mask is not None:
        scores = scores.masked_fill_(~mask, -torch.inf) if mask.dtype == torch.bool else scores.add_(mask)
    return torch.softmax(scores, dim=-1)


def _causal_mask(call: Call) -> torch.Tensor:
    """The causal mask [query, key]: a query may look at itself and before, the last query at every key."""
    n_query, n_key = call.query.shape[-2], call.key.shape[-2]
    everything = torch.ones((n_query, n_key), dtype=torch.bool, device=call.query.device)
    return everything.tril(n_key - n_query)


def traced_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    softcap: float | None = None,
    **kwargs: object,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Attention as sdpa computes it, shapes as there; its arguments go to an open `collect_attentions`."""
    kwargs.pop("output_attentions", None)
    causal = bool(getattr(module, "is_causal", True) if is_causal is None else is_causal)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    causal = causal and query.shape[2] > 1
    call = Call(query, key, value, attention_mask, causal, scale, softcap, before_of(module))
    calls = _calls.get()
    if calls is not None:
        calls.append(call)
    call = call.whole()
    if softcap is not None:
        return _capped(call), None
    output, _ = sdpa_attention_forward(
        module,
        query,
        call.key,
        call.value,
        call.mask,
        dropout=dropout,
        scaling=scaling,
        is_causal=is_causal,
        **kwargs,
    )
    return output, None


def _capped(call: Call) -> torch.Tensor:
    """Attention with capped scores, which sdpa does not know. Shape [batch, query, head, d_head]."""
    mask = _causal_mask(call) if call.mask is None and call.causal else call.mask
    weights = attention_weights(call.query, call.key, mask, call.scale, call.cap).to(call.value.dtype)
    values = call.value.repeat_interleave(call.query.shape[1] // call.value.shape[1], dim=1)
    return torch.matmul(weights, values).transpose(1, 2).contiguous()


AttentionInterface.register(NAME, traced_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)

"""Keys and values before every text, which no token has: what soft prompts and prefixes give to attention.

    keys     v v v | k k k k        v: of virtual positions, all queries look at them
    query 1  . . . | .
    query 2  . . . | . .            the mask of the text stays as it is, columns come before it

The text keeps its own keys, masks and caches; whoever asks for attention weights gets those of its tokens,
and what their sum lacks to 1 is what the virtual positions were given.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

ATTRIBUTE = "before_text"  # of an attention module: a callable that gives its `Before`, or None


class Before(NamedTuple):
    """Keys and values of one layer at virtual positions.

    Attributes:
        keys, values: Shape [row or 1, kv_head, virtual, d_head].
        seen: True where there is such a position, of rows with different numbers of them; None where all
            are. Shape [row, 1, 1, virtual].
    """

    keys: torch.Tensor
    values: torch.Tensor
    seen: torch.Tensor | None = None

    @property
    def n(self) -> int:
        """Number of virtual positions."""
        return int(self.keys.shape[-2])


def before_of(module: torch.nn.Module) -> Before | None:
    """The virtual positions of an attention module, None for one without."""
    ask = getattr(module, ATTRIBUTE, None)
    found: Before | None = None if ask is None else ask()
    return found


def with_before(
    before: Before,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    *,
    n_query: int,
    causal: bool,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Keys, values and mask with the virtual positions in front.

    Args:
        before: The virtual positions.
        key, value: Of the text. Shape [row, kv_head, key, d_head].
        mask: Boolean or additive, broadcastable to [row, head, query, key]; None where all is seen, or
            what is causal.
        n_query: Number of queries, the last of which sees all keys.
        causal: True if a mask of None means causal.

    Returns:
        Keys, values, and a mask that says all of it, None where every query sees all.
    """
    n_row, n_key = key.shape[0], key.shape[-2]
    keys, values = (part.expand(n_row, -1, -1, -1) for part in before[:2])
    keys, values = torch.cat([keys, key], dim=-2), torch.cat([values, value], dim=-2)
    if mask is None and causal:
        mask = torch.ones((1, 1, n_query, n_key), dtype=torch.bool, device=key.device).tril(n_key - n_query)
    if mask is None and before.seen is None:
        return keys, values, None
    if mask is None:
        mask = torch.ones((1, 1, 1, n_key), dtype=torch.bool, device=key.device)
    if mask.dim() == 2:
        mask = mask[None, None]
    shape = (max(len(mask), 1 if before.seen is None else n_row), *mask.shape[1:-1], before.n)
    if mask.dtype == torch.bool:
        first = mask.new_ones(shape) if before.seen is None else before.seen.expand(shape)
    else:
        first = mask.new_zeros(shape)
        if before.seen is not None:
            first = first.masked_fill(~before.seen, -torch.inf)
    return keys, values, torch.cat([first, mask.expand(shape[0], *mask.shape[1:])], dim=-1)

"""Key-value cache with one slot per row: rows join and leave without copying the others.

The library's DynamicCache has one length for all rows and concatenates every layer at every step. Here each
row writes its new key and value in place at its own length, and a mask hides what lies beyond.

    slot 0  k k k k k .  .        lengths [5, 3]; the step writes at 5 and 3
    slot 1  k k k .  .  .  .      and reads columns 0..5, row 1 masked after 3
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicCache

from playground.engine.models.virtual_attention import Before

MIN_LENGTH = 64


class SlotLayer(CacheLayerMixin):  # type: ignore[misc]
    """Keys and values of one layer. Shapes [n_slots, kv_head, capacity, d_head]."""

    is_sliding = False
    keys: Any
    values: Any
    is_initialized: bool

    def __init__(self, owner: SlotCache) -> None:
        super().__init__()
        self.owner = owner

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Raise: slots are made by `SlotCache.join`, never by a forward. Shapes as in `update`."""
        raise RuntimeError("a slot cache must be joined before it is used")

    def allocate(self, like: torch.Tensor, n_slots: int, capacity: int) -> None:
        """Make room for `n_slots` rows of `capacity` positions; an error leaves all as it was.

        Keys and values that fit in are kept.

        Args:
            like: Keys of any rows, for kv_head and d_head. Shape [row, kv_head, position, d_head].
            n_slots: Number of slots.
            capacity: Positions of each slot.
        """
        shape = (n_slots, like.shape[1], capacity, like.shape[3])
        keys, values = like.new_zeros(shape), like.new_zeros(shape)
        if self.is_initialized:
            n, length = min(n_slots, self.keys.shape[0]), min(capacity, self.keys.shape[2])
            keys[:n, :, :length] = self.keys[:n, :, :length]
            values[:n, :, :length] = self.values[:n, :, :length]
        self.keys, self.values = keys, values
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write one new key and value per row; returns all of them up to the longest row.

        Args:
            key_states, value_states: The new ones. Shape [row, kv_head, 1, d_head].
            *args: Not used.
            **kwargs: Not used.

        Returns:
            Keys and values, each of shape [row, kv_head, longest + 1, d_head].
        """
        owner = self.owner
        n_rows, longest = len(owner.lengths), owner.longest
        if owner.write_at is None:
            self.keys[:n_rows, :, longest] = key_states[:, :, 0]
            self.values[:n_rows, :, longest] = value_states[:, :, 0]
        else:
            self.keys[owner.rows, :, owner.write_at] = key_states[:, :, 0]
            self.values[owner.rows, :, owner.write_at] = value_states[:, :, 0]
        return self.keys[:n_rows, :, : longest + 1], self.values[:n_rows, :, : longest + 1]

    def get_seq_length(self) -> int:
        """Length of the longest row."""
        return self.owner.longest

    def get_max_length(self) -> int:
        """No limit of its own."""
        return -1

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """(keys, offset) the mask has to cover."""
        return self.owner.longest + query_length, 0


class SlotCache(Cache):  # type: ignore[misc]
    """The rows of one decode batch. Only the engine thread touches it.

    Attributes:
        lengths: Positions held by each row.
    """

    def __init__(self, n_layer: int) -> None:
        self.lengths: list[int] = []
        self.write_at: torch.Tensor | None = None
        self.rows: torch.Tensor | None = None
        self._slots: list[SlotLayer] = [SlotLayer(self) for _ in range(n_layer)]
        self._capacity = self._n_slots = 0
        super().__init__(layers=self._slots)

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max(self.lengths, default=0)

    def join(
        self, filled: DynamicCache, rows: Sequence[int], lengths: Sequence[int], before: Sequence[Before] = ()
    ) -> None:
        """Take rows of a prefilled cache, at least one, as new last rows.

        Args:
            filled: The cache.
            rows: Rows of the cache to take.
            lengths: Positions of each; what it holds beyond them is padding, which the mask hides.
            before: Of each layer, what stands before the text of these rows: it goes into their slots.
        """
        n = before[0].n if before else 0
        first, stop, longest = len(self.lengths), len(self.lengths) + len(rows), n + max(lengths)
        self._reserve(stop, longest + 1, filled)
        taken = torch.tensor(rows, device=filled.layers[0].keys.device)
        for mine, theirs in zip(self._slots, filled.layers, strict=True):
            mine.keys[first:stop, :, n:longest] = theirs.keys[taken, :, : longest - n]
            mine.values[first:stop, :, n:longest] = theirs.values[taken, :, : longest - n]
            for states in (
                mine.keys,
                mine.values,
            ):  # a NaN of the row before counts even where masked
                states[first:stop, :, longest:] = 0
        for mine, own in zip(self._slots, before, strict=False):
            mine.keys[first:stop, :, :n], mine.values[first:stop, :, :n] = own.keys, own.values
        self.lengths.extend(n + length for length in lengths)

    def leave(self, row: int) -> None:
        """Drop a row; the last row takes its slot (the caller moves its own lists the same way)."""
        last = len(self.lengths) - 1
        if row != last:
            for layer in self._slots:
                layer.keys[row] = layer.keys[last]
                layer.values[row] = layer.values[last]
            self.lengths[row] = self.lengths[last]
        self.lengths.pop()
        if not self.lengths:
            self._release()

    def prepare_step(self, device: torch.device) -> dict[str, Any]:
        """Make room for one token per row; returns the step's `position_ids` and `attention_mask`.

        The mask is None when all rows are equally long, otherwise boolean of shape [row, 1, 1, longest + 1].
        """
        longest = self.longest
        self._reserve(len(self.lengths), longest + 1, None)
        lengths = torch.tensor(self.lengths, device=device)
        if all(length == longest for length in self.lengths):
            self.write_at, mask = None, None
        else:
            self.write_at = lengths
            self.rows = torch.arange(len(self.lengths), device=device)
            mask = (torch.arange(longest + 1, device=device) <= lengths[:, None])[:, None, None, :]
        return {"position_ids": lengths[:, None], "attention_mask": mask}

    def advance(self) -> None:
        """Each row has one token more."""
        self.lengths = [length + 1 for length in self.lengths]

    def _reserve(self, n_slots: int, length: int, like: DynamicCache | None) -> None:
        if n_slots <= self._n_slots and length <= self._capacity:
            return
        n_slots = max(self._n_slots, _power_of_two(n_slots, 1))
        capacity = max(self._capacity, _power_of_two(length, MIN_LENGTH))
        sources: Sequence[Any] = like.layers if like is not None else self._slots
        for layer, source in zip(self._slots, sources, strict=True):
            layer.allocate(source.keys, n_slots, capacity)
        self._n_slots, self._capacity = n_slots, capacity  # last: every layer has them

    def _release(self) -> None:
        self._n_slots = self._capacity = 0
        for layer in self._slots:
            layer.keys = layer.values = None
            layer.is_initialized = False


def _power_of_two(wanted: int, at_least: int) -> int:
    size = at_least
    while size < wanted:
        size *= 2
    return size

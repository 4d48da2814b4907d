"""Key-value slots of the decoder of an encoder-decoder: its targets, and the sources it looks at.

Targets end at the same column. The library knows one place in a target for all rows: where positions are
relative all that counts is the distance between columns, where they have a table each row is told its own.

    target 0  k k k k k       starts [0, 3]; the step writes at column 5 for both
    target 1  .  .  . k k

Sources are read once and stay: keys and values of their tokens, from the first column on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicCache, EncoderDecoderCache

from playground.engine.decoding.slots import SlotCache
from playground.engine.forward.two_stacks import Source
from playground.engine.models.virtual_attention import Before


class FilledCache(EncoderDecoderCache):  # type: ignore[misc]
    """Keys and values of targets that are being read, and of their sources.

    Args:
        source_lengths: Number of tokens of the source of each row.
    """

    def __init__(self, source_lengths: Sequence[int]) -> None:
        super().__init__(DynamicCache(), DynamicCache())
        self.source_lengths = tuple(source_lengths)


class AlignedSlots(SlotCache):
    """Slots whose rows end at the same column: `lengths` are columns, the same for all rows.

    Attributes:
        starts: First column of each row.
    """

    def __init__(self, n_layer: int) -> None:
        super().__init__(n_layer)
        self.starts: list[int] = []

    def join(
        self, filled: DynamicCache, rows: Sequence[int], lengths: Sequence[int], before: Sequence[Before] = ()
    ) -> None:
        """As in `SlotCache`; an encoder-decoder has no virtual positions."""
        assert not before
        first, stop, end = len(self.lengths), len(self.lengths) + len(rows), max(self.longest, *lengths)
        self._reserve(stop, end + 1, filled)
        self._move(end - self.longest)
        for mine, theirs in zip(self._slots, filled.layers, strict=True):
            for slot, row, length in zip(range(first, stop), rows, lengths, strict=True):
                for kept, new in ((mine.keys, theirs.keys), (mine.values, theirs.values)):
                    kept[slot] = 0
                    kept[slot, :, end - length : end] = new[row, :, :length]
        self.starts.extend(end - length for length in lengths)
        self.lengths = [end] * stop

    def leave(self, row: int) -> None:
        """As in `SlotCache`; columns that no row uses any more are given up."""
        self.starts[row] = self.starts[-1]
        self.starts.pop()
        super().leave(row)
        if self.starts:
            self._move(-min(self.starts))

    def prepare_step(self, device: torch.device) -> dict[str, Any]:
        """Make room for one token per row; returns the step's `attention_mask` and `places`.

        They are None where all rows start at the first column. Shapes [row, column] and [row, 1].
        """
        self.write_at = None
        self._reserve(len(self.lengths), self.longest + 1, None)
        if not any(self.starts):
            return {"attention_mask": None, "places": None}
        columns = torch.arange(self.longest + 1, device=device)
        starts = torch.tensor(self.starts, device=device)[:, None]
        return {"attention_mask": (columns >= starts).long(), "places": self.longest - starts}

    def _move(self, by: int) -> None:
        """Move all rows by some columns."""
        if not by or not self.lengths:
            return
        n, end = len(self.lengths), self.longest
        old, new = slice(max(0, -by), end), slice(max(0, by), end + by)
        moved = [
            (layer.keys[:n, :, old].clone(), layer.values[:n, :, old].clone()) for layer in self._slots
        ]  # all of them before any is changed: there may be no room
        for layer, (keys, values) in zip(self._slots, moved, strict=True):
            layer.keys[:n, :, new], layer.values[:n, :, new] = keys, values
        self.starts = [start + by for start in self.starts]
        self.lengths = [end + by] * n


class HeldLayer(CacheLayerMixin):  # type: ignore[misc]
    """Keys and values that are read and never added to. Shapes [row, kv_head, position, d_head]."""

    is_sliding = False

    def __init__(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        super().__init__()
        self.keys, self.values = keys, values
        self.is_initialized = True

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Raise: they are there. Shapes as in `HeldLayer`."""
        raise RuntimeError("the keys of a source are made once")

    def update(self, *_args: object, **_more: object) -> tuple[torch.Tensor, torch.Tensor]:
        """Raise: nothing is added to a source. Shapes as in `HeldLayer`."""
        raise RuntimeError("nothing is added to the keys of a source")

    def get_seq_length(self) -> int:
        """Positions held."""
        return int(self.keys.shape[2])

    def get_max_length(self) -> int:
        """As many as are held."""
        return self.get_seq_length()

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """(keys, offset) a mask has to cover."""
        return self.get_seq_length(), 0


class TargetSlots:
    """The rows of one decode batch of an encoder-decoder. Only the engine thread touches it."""

    def __init__(self) -> None:
        self._targets = self._sources = SlotCache(0)

    @property
    def lengths(self) -> list[int]:
        """Columns held by each row."""
        return self._targets.lengths

    def join(self, filled: FilledCache, rows: Sequence[int], lengths: Sequence[int]) -> None:
        """As in `SlotCache`, the lengths are those of the targets; an error leaves all as it was."""
        if not self.lengths:
            n_layer = len(filled.self_attention_cache.layers)
            self._targets, self._sources = AlignedSlots(n_layer), SlotCache(n_layer)
        self._sources.join(filled.cross_attention_cache, rows, [filled.source_lengths[row] for row in rows])
        try:
            self._targets.join(filled.self_attention_cache, rows, lengths)
        except BaseException:
            for _row in rows:
                self._sources.leave(len(self._sources.lengths) - 1)
            raise

    def leave(self, row: int) -> None:
        """Drop a row; the last row takes its slot."""
        self._targets.leave(row)
        self._sources.leave(row)

    def prepare_step(self, device: torch.device) -> dict[str, Any]:
        """Make room for one token per row.

        Returns:
            `past_key_values`, the `attention_mask` and `places` of the targets, and a `source` of the right
            sizes: what the encoder gave is needed no longer.
        """
        sources, n = self._sources, len(self.lengths)
        longest = sources.longest
        mask = None
        if min(sources.lengths) < longest:
            lengths = torch.tensor(sources.lengths, device=device)
            mask = (torch.arange(longest, device=device) < lengths[:, None]).long()
        held = [
            HeldLayer(layer.keys[:n, :, :longest], layer.values[:n, :, :longest]) for layer in sources.layers
        ]
        keys = held[0].keys
        return {
            "past_key_values": EncoderDecoderCache(self._targets, Cache(layers=held)),
            "source": Source(keys.new_zeros(1, 1, 1).expand(n, longest, 1), mask, None),
            **self._targets.prepare_step(device),
        }

    def advance(self) -> None:
        """Each row has one token more."""
        self._targets.advance()

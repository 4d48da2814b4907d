"""Batched decoding of encoder-decoders: a batch whose rows have a source each, read once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from playground.engine.decoding.batch import DecodeBatch, Prefill
from playground.engine.decoding.products import Products
from playground.engine.decoding.row import DecodeRow
from playground.engine.decoding.target_slots import FilledCache, TargetSlots
from playground.engine.forward.traces import pad
from playground.engine.forward.two_stacks import Source, read_source, read_target, vocabulary_logits
from playground.engine.models.loaded import LoadedModel


class TargetBatch(DecodeBatch):
    """All targets that one encoder-decoder is writing. Args as in `DecodeBatch`."""

    def __init__(self, loaded: LoadedModel, chunk_tokens: int, products: Products) -> None:
        super().__init__(loaded, chunk_tokens, products)
        self._source: Source | None = None  # of the prefill

    def _new_cache(self) -> TargetSlots:
        return TargetSlots()

    def _new_head(self) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda states: vocabulary_logits(self.loaded, states)

    def _empty(self, rows: Sequence[DecodeRow]) -> FilledCache:
        self._source = None
        return FilledCache([len(row.source_ids) for row in rows])

    def _chunk_states(self, prefill: Prefill, start: int, stop: int) -> torch.Tensor:
        if self._source is None:
            ids, mask = pad([row.source_ids for row in prefill.rows], self.loaded.device)
            self._source = read_source(self.loaded, ids, mask)
            self.n_prefill_tokens += sum(prefill.cache.source_lengths)
        output = read_target(
            self.loaded,
            prefill.ids[:, start:stop],
            self._source,
            attention_mask=None if prefill.mask is None else prefill.mask[:, :stop],
            past_key_values=prefill.cache,
            use_cache=True,
        )
        if stop == prefill.ids.shape[1]:
            self._source = None
        states: torch.Tensor = output.last_hidden_state
        return states

    def _step_states(self, input_ids: torch.Tensor) -> torch.Tensor:
        step = self._cache.prepare_step(self.loaded.device)
        output = read_target(self.loaded, input_ids, step.pop("source"), use_cache=True, **step)
        states: torch.Tensor = output.last_hidden_state[:, -1]
        return states


def decode_batch(loaded: LoadedModel, chunk_tokens: int, products: Products) -> DecodeBatch:
    """An empty batch for the kind of the model."""
    make = TargetBatch if loaded.info.kind == "encoder-decoder" else DecodeBatch
    return make(loaded, chunk_tokens, products)

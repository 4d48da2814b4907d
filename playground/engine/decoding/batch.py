"""Batched decoding: rows join and leave at every tick, each with its own settings and random stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from numpy.typing import NDArray
from transformers.cache_utils import DynamicCache

from playground.engine.adapters.virtual import virtual_of
from playground.engine.contract.generation import GenerateStep
from playground.engine.decoding.llama_step import LlamaStep, adapted_layers, llama_step, vocabulary_head
from playground.engine.decoding.products import Products
from playground.engine.decoding.row import DecodeRow
from playground.engine.decoding.slots import SlotCache
from playground.engine.forward.predictions import summarise
from playground.engine.forward.traces import pad
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.virtual_attention import Before


@dataclass
class Prefill:
    """Rows whose texts are being read, a chunk of columns a tick."""

    rows: list[DecodeRow]
    lengths: list[int]
    ids: torch.Tensor
    mask: torch.Tensor | None
    cache: Any  # of the library: a DynamicCache
    n_read: int = 0
    states: dict[int, torch.Tensor] = field(default_factory=dict)


class DecodeBatch:
    """All rows one model is continuing, each with its own adapter or none. Only the engine thread touches it.

    Args:
        loaded: The model, or one with an adapter on it.
        chunk_tokens: Columns of a prefill read in one tick, so that decoding never waits longer.
        products: Ways of multiplying by the model's weights.
    """

    def __init__(self, loaded: LoadedModel, chunk_tokens: int, products: Products) -> None:
        self.loaded = loaded
        self._products = products
        self.rows: list[DecodeRow] = []
        self.n_prefill_tokens = 0
        self._adapted_rows: list[DecodeRow] = []  # those that the lean step's adapters are laid out for
        self._cache: Any = self._new_cache()
        self._lean = llama_step(loaded.model, products)
        self._head = self._new_head()
        self._prefill: Prefill | None = None
        self._chunk_tokens = chunk_tokens

    @property
    def all_rows(self) -> list[DecodeRow]:
        """Rows being continued or read."""
        return [*self.rows, *(self._prefill.rows if self._prefill else ())]

    @property
    def is_reading(self) -> bool:
        """True while a prefill is under way (one at a time)."""
        return self._prefill is not None

    def admit(self, rows: list[DecodeRow]) -> None:
        """Start reading these rows' texts together, and what they have drawn already."""
        texts = [row.ids for row in rows]
        ids, mask = pad(texts, self.loaded.device)
        self._prefill = Prefill(rows, [len(text) for text in texts], ids, mask, self._empty(rows))

    def sweep(self) -> None:
        """Let the rows go that are finished, also those that somebody else called finished."""
        for index in reversed(range(len(self.rows))):
            if self.rows[index].finished:
                self._leave(index)
        if self._prefill and all(row.finished for row in self._prefill.rows):
            self._prefill = None

    def give_up_reading(self) -> list[DecodeRow]:
        """After an error: drop the prefill; returns its rows that are not finished."""
        rows = self._prefill.rows if self._prefill else []
        self._prefill = None
        return [row for row in rows if not row.finished]

    def give_up_rows(self) -> list[DecodeRow]:
        """After an error: drop all that is being continued; returns the rows that are not finished."""
        rows, self.rows = self.rows, []
        self._cache = self._new_cache()
        return [row for row in rows if not row.finished]

    def read(self) -> None:
        """Read the next chunk; rows that are complete get their first token and join the batch."""
        prefill = self._prefill
        if prefill is None:
            return
        start, stop = prefill.n_read, min(prefill.n_read + self._chunk_tokens, prefill.ids.shape[1])
        states = self._chunk_states(prefill, start, stop)
        for index, length in enumerate(prefill.lengths):
            if start < length <= stop:
                prefill.states[index] = states[index, length - 1 - start]
            self.n_prefill_tokens += max(0, min(stop, length) - start)
        prefill.n_read = stop
        if stop == prefill.ids.shape[1]:
            self._join(prefill)
            self._prefill = None  # last: until then an error finds here whom it concerns

    def step(self) -> None:
        """One token for every row."""
        if not self.rows:
            return
        states = self._step_states(
            torch.tensor([[row.new_ids[-1]] for row in self.rows], device=self.loaded.device)
        )
        self._cache.advance()
        self._take(self.rows, states)
        self.sweep()

    def _new_cache(self) -> Any:  # noqa: ANN401  (of the library)
        """Slots for the rows, without any: they join, leave, prepare a step and advance."""
        return SlotCache(self.loaded.info.n_layer)

    def _new_head(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """From the residual stream to logits, [row, d_model] -> [row, d_vocab]."""
        return vocabulary_head(self.loaded.model, self._products)

    def _empty(self, _rows: Sequence[DecodeRow]) -> Any:  # noqa: ANN401  (a cache of the library)
        """The cache that a prefill of these rows fills."""
        return DynamicCache(config=self.loaded.model.config)

    def _chunk_states(self, prefill: Prefill, start: int, stop: int) -> torch.Tensor:
        """Residual stream after the final norm, of columns of a prefill. Shape [row, column, d_model]."""
        output = prefill.rows[0].loaded.model.base_model(
            input_ids=prefill.ids[:, start:stop],
            attention_mask=None if prefill.mask is None else prefill.mask[:, :stop],
            past_key_values=prefill.cache,
            use_cache=True,
        )
        states: torch.Tensor = output.last_hidden_state
        return states

    def _step_states(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Residual stream after the final norm, one new token per row. Shape [row, d_model]."""
        step = self._cache.prepare_step(self.loaded.device)
        if self._lean is not None:
            self._lay_out_adapters(self._lean)
            return self._lean(input_ids, cache=self._cache, **step)
        output = self.loaded.model.base_model(
            input_ids=input_ids, past_key_values=self._cache, use_cache=True, **step
        )
        states: torch.Tensor = output.last_hidden_state[:, -1]
        return states

    def _lay_out_adapters(self, lean: LlamaStep) -> None:
        if self.rows == self._adapted_rows:
            return
        lean.added = []
        for loaded in {id(row.loaded): row.loaded for row in self.rows}.values():
            own = [place for place, row in enumerate(self.rows) if row.loaded is loaded]
            rows = torch.tensor(own, device=loaded.device) if len(own) < len(self.rows) else None
            if layers := adapted_layers(loaded.model):
                lean.added.append((rows, layers))
        self._adapted_rows = list(self.rows)

    def _join(self, prefill: Prefill) -> None:
        kept = [index for index, row in enumerate(prefill.rows) if not row.finished]
        rows = [prefill.rows[index] for index in kept]
        if not rows:
            return
        self._take(rows, torch.stack([prefill.states[index] for index in kept]))
        going_on = [(index, row) for index, row in zip(kept, rows, strict=True) if not row.finished]
        if going_on:
            places, rows = map(list, zip(*going_on, strict=True))
            lengths = [prefill.lengths[place] for place in places]
            self._cache.join(prefill.cache, places, lengths, *self._before(rows[0].loaded))
            self.rows.extend(rows)

    def _before(self, loaded: LoadedModel) -> list[Sequence[Before]]:
        """Keys and values that the lean step finds in the slots; the library's forward brings its own."""
        virtual = None if self._lean is None else virtual_of(loaded.model)
        return [] if virtual is None else [virtual.layers]

    def _take(self, rows: Sequence[DecodeRow], states: torch.Tensor) -> None:
        logits = self._head(states).float().contiguous()
        summary = summarise(logits, max(row.request.n_top for row in rows))
        array: NDArray[Any] = logits.cpu().numpy()
        taken: list[GenerateStep | None] = []
        for index, row in enumerate(rows):
            with row.own_error():
                taken.append(row.take(array[index], summary, index))
            if row.error:
                taken.append(None)
        for row, step in zip(rows, taken, strict=True):  # now: whoever is told wants Python's lock
            if step is not None:
                with row.own_error():
                    row.emit(step)

    def _leave(self, index: int) -> None:
        self._cache.leave(index)
        last = self.rows.pop()
        if index < len(self.rows):
            self.rows[index] = last

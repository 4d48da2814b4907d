"""Batched decoding: rows join and leave at every tick, each with its own settings and random stream."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.cache_utils import DynamicCache

from playground.core import ranking, sampling
from playground.core.penalties import penalised
from playground.core.stopping import StopStrings
from playground.engine.contract.generation import FinishReason, GenerateRequest, GenerateStep
from playground.engine.decoding.llama_step import LlamaStep, adapted_layers, llama_step, vocabulary_head
from playground.engine.decoding.slots import SlotCache
from playground.engine.forward.predictions import Summary, summarise
from playground.engine.forward.traces import pad
from playground.engine.models.loaded import LoadedModel
from playground.errors import NotFinite

# SmolLM2, float32, 12 and 30 texts in one batch against each alone: logits differ by up to 4.3e-5 on one
# processor and 9.7e-5 on another, cumulative probabilities by up to 2.8e-6 and 1.0e-5.
NEAR_NATS, NEAR_MASS = 2e-4, 3e-5


class DecodeRow:
    """One text being continued.

    Args:
        request: Settings and seed.
        input_ids: Token ids of the text, at least one, and of what was written before.
        emit: Called in the engine thread with each step.
        loaded: The row's model: the batch's, or one that adds an adapter to the same base.

    Attributes:
        finished: True once it leaves the batch.
        error: Why it ended, where that was an error of its own.
    """

    def __init__(
        self,
        request: GenerateRequest,
        input_ids: Sequence[int],
        emit: Callable[[GenerateStep], None],
        loaded: LoadedModel,
    ) -> None:
        self.request = request
        self.loaded = loaded
        self.input_ids = tuple(input_ids)
        self.emit = emit
        self.random = np.random.Generator(np.random.Philox(key=request.seed))
        self.random.random(request.n_drawn)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        written = b"".join(map(loaded.tokenizer.token_bytes, request.written))
        # the last character written before may go on in the first token, and so may a stop string
        self.until = StopStrings(request.stop, before=self.decoder.decode(written))
        self.n_written = len(request.written)
        self.new_ids = list(request.written)
        self.finished = False
        self.error: Exception | None = None

    @contextmanager
    def own_error(self) -> Iterator[None]:
        """An error in here ends this row; the others go on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  (whoever holds the row tells its caller)
            self.finished, self.error = True, error

    @property
    def ids(self) -> tuple[int, ...]:
        """All that there is so far: the text, what was written before, what this request has drawn."""
        return (*self.input_ids, *self.new_ids[self.n_written :])

    @property
    def n_steps(self) -> int:
        """Number of tokens that this request has drawn."""
        return len(self.new_ids) - self.n_written

    def take(self, logits: NDArray[np.float32], summary: Summary, row: int) -> GenerateStep:
        """Draw the next token from these logits.

        Args:
            logits: Shape [d_vocab], nats.
            summary: Summary of the whole batch; `row` picks ours.

        Raises:
            NotFinite: The logits are not a distribution.
        """
        request, loaded = self.request, self.loaded
        if not np.isfinite(summary.log_sum_exp[row]):
            raise NotFinite(model_id=loaded.info.name)
        wanted = penalised(
            logits,
            self.input_ids[: len(self.input_ids) - self.n_written],
            self.new_ids,
            request.penalties,
        )
        ranked, distribution = _distribution(wanted, request.sampling)
        place, margin = sampling.draw_index(distribution, self.random.random())
        token_id = int(distribution.token_ids[place])
        self.new_ids.append(token_id)
        text = self.until.add(self._text(loaded, token_id))
        reason = "stop" if self.until.found else self._finish_reason(loaded, token_id)
        self.finished = reason is not None
        return GenerateStep(
            index=self.n_steps - 1,
            token_id=token_id,
            token=loaded.tokenizer.token_texts((token_id,))[0],
            text=text + self.until.rest() if self.finished else text,
            logprob=float(logits[token_id] - summary.log_sum_exp[row]),
            prob=float(distribution.probs[place]),
            rank=int(np.count_nonzero(logits > logits[token_id])),
            n_kept=int(distribution.n_kept),
            near_tie=_near_tie(ranked, token_id, request.sampling.temperature, margin),
            entropy_bits=float(summary.entropy_bits[row]),
            log_sum_exp=float(summary.log_sum_exp[row]),
            top_ids=summary.top_ids[row, : request.n_top].copy(),
            top_logits=summary.top_logits[row, : request.n_top].copy(),
            finish_reason=reason,
        )

    def _finish_reason(self, loaded: LoadedModel, token_id: int) -> FinishReason | None:
        if token_id in loaded.tokenizer.eos_ids:
            return "end_of_text"
        if self.n_steps >= self.request.max_new_tokens:
            return "length"
        if loaded.info.n_ctx and len(self.input_ids) + self.n_steps >= loaded.info.n_ctx:
            return "context_full"
        return None

    def _text(self, loaded: LoadedModel, token_id: int) -> str:
        """The text that the token completes; nothing of a character that it only begins, at the end too."""
        is_end = token_id in loaded.tokenizer.eos_ids
        return self.decoder.decode(b"" if is_end else loaded.tokenizer.token_bytes(token_id))


def _distribution(
    logits: NDArray[np.floating[Any]], chosen: sampling.Sampling
) -> tuple[ranking.RankedLogits, sampling.Distribution]:
    try:
        ranked = ranking.rank_first(logits)
        return ranked, sampling.distribution(ranked, chosen)
    except ranking.NotRanked:
        ranked = ranking.rank(logits)
        return ranked, sampling.distribution(ranked, chosen)


def _near_tie(ranked: ranking.RankedLogits, token_id: int, temperature: float, margin: float) -> bool:
    """True if the draw, or the lead of a greedy choice, is so close that rounding may change it."""
    if temperature > 0:
        return margin < NEAR_MASS / min(1.0, temperature)
    rank = int(np.flatnonzero(ranked.token_ids == token_id)[0])  # of equals the last
    logit = ranked.logits[rank]
    is_first_of_equals = rank == 0 or ranked.logits[rank - 1] > logit
    is_last = rank + 1 == len(ranked)
    return not is_first_of_equals or (not is_last and bool(logit - ranked.logits[rank + 1] < NEAR_NATS))


@dataclass
class Prefill:
    """Rows whose texts are being read, a chunk of columns a tick."""

    rows: list[DecodeRow]
    lengths: list[int]
    ids: torch.Tensor
    mask: torch.Tensor | None
    cache: DynamicCache
    n_read: int = 0
    states: dict[int, torch.Tensor] = field(default_factory=dict)


class DecodeBatch:
    """All rows one model is continuing, each with its own adapter or none. Only the engine thread touches it.

    Args:
        loaded: The model, or one with an adapter on it.
        chunk_tokens: Columns of a prefill read in one tick, so that decoding never waits longer.
    """

    def __init__(self, loaded: LoadedModel, chunk_tokens: int) -> None:
        self.loaded = loaded
        self.rows: list[DecodeRow] = []
        self.n_prefill_tokens = 0
        self._adapted_rows: list[DecodeRow] = []  # those that the lean step's adapters are laid out for
        self._cache = SlotCache(loaded.info.n_layer)
        self._lean = llama_step(loaded.model)
        self._head = vocabulary_head(loaded.model)
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
        cache = DynamicCache(config=self.loaded.model.config)
        self._prefill = Prefill(rows, [len(text) for text in texts], ids, mask, cache)

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
        self._cache = SlotCache(self.loaded.info.n_layer)
        return [row for row in rows if not row.finished]

    def read(self) -> None:
        """Read the next chunk; rows that are complete get their first token and join the batch."""
        prefill = self._prefill
        if prefill is None:
            return
        start, stop = prefill.n_read, min(prefill.n_read + self._chunk_tokens, prefill.ids.shape[1])
        output = prefill.rows[0].loaded.model.base_model(
            input_ids=prefill.ids[:, start:stop],
            attention_mask=None if prefill.mask is None else prefill.mask[:, :stop],
            past_key_values=prefill.cache,
            use_cache=True,
        )
        for index, length in enumerate(prefill.lengths):
            if start < length <= stop:
                prefill.states[index] = output.last_hidden_state[index, length - 1 - start]
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
            self._cache.join(prefill.cache, places, [prefill.lengths[place] for place in places])
            self.rows.extend(rows)

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


@dataclass(frozen=True)
class DecodeWork:
    """Payload of a decode job."""

    loaded: LoadedModel
    request: GenerateRequest
    input_ids: tuple[int, ...]

"""One text being written: what its request says, what it has drawn, how it goes on and why it ends."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.core import ranking, sampling
from playground.core.penalties import penalised
from playground.core.stopping import StopStrings
from playground.engine.constraining.form import Form
from playground.engine.contract.constraints import Constrained
from playground.engine.contract.generation import FinishReason, GenerateRequest, GenerateStep
from playground.engine.forward.predictions import Summary
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.targets import never_written
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
        source_ids: Token ids of the source where the model is an encoder-decoder: `input_ids` are those of
            its target then, from the start token on.
        form: The request's constraint, which has read what was written before; None for any text.

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
        source_ids: Sequence[int] = (),
        form: Form | None = None,
    ) -> None:
        self.request, self._form = request, form
        self.loaded = loaded
        self.input_ids, self.source_ids = tuple(input_ids), tuple(source_ids)
        self.emit = emit
        self.random = np.random.Generator(np.random.Philox(key=request.seed))
        self.random.random(request.n_drawn)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        written = b"".join(map(loaded.tokenizer.token_bytes, request.written))
        self._drops_space = bool(source_ids) and not written and loaded.tokenizer.adds_first_space
        self._never = list(never_written(loaded)) if source_ids else []
        # the last character written before may go on in the first token, and so may a stop string
        self.until = StopStrings(request.stop, before=self.decoder.decode(written))
        self.n_written = len(request.written)
        self.new_ids = list(request.written)
        self.finished = False
        self.error: BaseException | None = None

    @contextmanager
    def own_error(self) -> Iterator[None]:
        """An error in here ends this row; the others go on."""
        try:
            yield
        except BaseException as error:  # noqa: BLE001  (whoever holds the row tells its caller)
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

        In this order: penalties, what the form rules out, then temperature and cuts.

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
        if self._never:
            wanted = wanted.copy()
            wanted[self._never] = -np.inf
        allowed = None if self._form is None else self._form.allowed()
        ranked, distribution = _distribution(wanted if allowed is None else wanted[allowed], request.sampling)
        place, margin = sampling.draw_index(distribution, self.random.random())
        drawn = int(distribution.token_ids[place])
        token_id = drawn if allowed is None else int(allowed[drawn])
        if self._form is not None:
            self._form.take(token_id)
        self.new_ids.append(token_id)
        text = self.until.add(self._text(loaded, token_id))
        reason = "stop" if self.until.found else self._finish_reason(loaded, token_id)
        self.finished = reason is not None
        constrained = None
        if self._form is not None and allowed is not None:
            mass = _mass(logits[allowed], summary.log_sum_exp[row])
            constrained = Constrained(len(allowed), mass, self._form.matches and not self.until.found)
        return GenerateStep(
            index=self.n_steps - 1,
            token_id=token_id,
            token=loaded.tokenizer.token_texts((token_id,))[0],
            text=text + self.until.rest() if self.finished else text,
            logprob=float(logits[token_id] - summary.log_sum_exp[row]),
            prob=float(distribution.probs[place]),
            rank=int(np.count_nonzero(logits > logits[token_id])),
            n_kept=int(distribution.n_kept),
            near_tie=_near_tie(ranked, drawn, request.sampling.temperature, margin),
            entropy_bits=float(summary.entropy_bits[row]),
            log_sum_exp=float(summary.log_sum_exp[row]),
            top_ids=summary.top_ids[row, : request.n_top].copy(),
            top_logits=summary.top_logits[row, : request.n_top].copy(),
            finish_reason=reason,
            constrained=constrained,
        )

    def _finish_reason(self, loaded: LoadedModel, token_id: int) -> FinishReason | None:
        if token_id in loaded.tokenizer.eos_ids:
            return "end_of_text"
        if self._form is not None and self._form.is_over:
            return "matched"
        if self.n_steps >= self.request.max_new_tokens:
            return "length"
        if loaded.info.n_ctx and len(self.input_ids) + self.n_steps >= loaded.info.n_ctx:
            return "context_full"
        return None

    def _text(self, loaded: LoadedModel, token_id: int) -> str:
        """The text that the token completes; nothing of a character that it only begins, at the end too."""
        is_end = token_id in loaded.tokenizer.eos_ids
        text = self.decoder.decode(b"" if is_end else loaded.tokenizer.token_bytes(token_id))
        if self._drops_space and text:
            self._drops_space, text = False, text.removeprefix(" ")
        return text


def _distribution(
    logits: NDArray[np.floating[Any]], chosen: sampling.Sampling
) -> tuple[ranking.RankedLogits, sampling.Distribution]:
    try:
        ranked = ranking.rank_first(logits)
        return ranked, sampling.distribution(ranked, chosen)
    except ranking.NotRanked:
        ranked = ranking.rank(logits)
        return ranked, sampling.distribution(ranked, chosen)


def _mass(logits: NDArray[np.float32], log_sum_exp: float) -> float:
    """Share of a distribution that these tokens have together; logits of shape [n], nats."""
    return min(1.0, float(np.exp(logits.astype(np.float64) - log_sum_exp).sum()))


def _near_tie(ranked: ranking.RankedLogits, token_id: int, temperature: float, margin: float) -> bool:
    """True if the draw, or the lead of a greedy choice, is so close that rounding may change it."""
    if temperature > 0:
        return margin < NEAR_MASS / min(1.0, temperature)
    rank = int(np.flatnonzero(ranked.token_ids == token_id)[0])  # of equals the last
    logit = ranked.logits[rank]
    is_first_of_equals = rank == 0 or ranked.logits[rank - 1] > logit
    is_last = rank + 1 == len(ranked)
    return not is_first_of_equals or (not is_last and bool(logit - ranked.logits[rank + 1] < NEAR_NATS))


@dataclass(frozen=True)
class DecodeWork:
    """Payload of a decode job; ids as in `DecodeRow`."""

    loaded: LoadedModel
    request: GenerateRequest
    input_ids: tuple[int, ...]
    source_ids: tuple[int, ...] = ()
    form: Form | None = None

"""One training run: its settings checked, its order of texts, what is known of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from playground.engine.adapters.adapter import Adapter
from playground.engine.contract.adapters import Linear
from playground.engine.contract.limits import check_limits
from playground.engine.contract.training import FinetuneRequest, Sample, TrainingState, TrainingText
from playground.engine.training.bank import AdapterSlot
from playground.errors import BadValue, EmptyText, TooManyTokens
from playground.settings import Settings

if TYPE_CHECKING:
    from playground.engine.contract.models import ModelInfo
    from playground.engine.models.loaded import LoadedModel

MILESTONES = (0, 10, 25, 50, 100)
N_EVALS = 8  # how often a run is tested on held-out and general texts, beside step 0
MIN_BETWEEN = 3  # steps; a test reads more than a step does
MAX_PROMPTS, MAX_SAMPLE_TOKENS = 3, 24


@dataclass(eq=False)
class TrainingRun:
    """One run, from the queue to its end.

    Attributes:
        state: What anybody may see; replaced, never changed.
        base: Its base, None once it has ended.
        slot: What it trains.
        number: Its place in the line of all runs.
        order: Places of the training texts, in the order they are read.
        worked_s: Seconds the engine worked on it.
        began, ended: When its first step began, and when it ended, by the monotonic clock.
        best: The least held-out loss and what it had learned then.
        evaluated_steps: Steps at which it has been tested.
        has_slot: Whether it has a place in a bank.
        alone: Whether it shares its bank with nobody: a step or a bank of several, with it, has failed.
    """

    state: TrainingState
    base: LoadedModel | None
    slot: AdapterSlot
    number: int
    order: NDArray[np.int64]
    worked_s: float = 0.0
    began: float | None = None
    ended: float | None = None
    best: tuple[float, Adapter] | None = None
    evaluated_steps: set[int] = field(default_factory=set)
    has_slot: bool = False
    alone: bool = False

    @property
    def request(self) -> FinetuneRequest:
        """What was asked."""
        return self.state.request

    @property
    def loaded(self) -> LoadedModel:
        """Its base, of a run that has not ended."""
        assert self.base is not None
        return self.base

    @property
    def group(self) -> tuple[object, ...]:
        """Runs of one group can share a step."""
        return id(self.loaded.template), self.request.method, id(self) if self.alone else None

    @property
    def is_over(self) -> bool:
        """Whether all steps are done."""
        return self.state.step >= self.request.n_steps

    @property
    def is_eval_due(self) -> bool:
        """Whether it is to be tested before the next step."""
        step, every = self.state.step, max(MIN_BETWEEN, self.request.n_steps // N_EVALS)
        due = step % every == 0 or step in MILESTONES or self.is_over
        return due and step not in self.evaluated_steps

    @property
    def is_sampling_due(self) -> bool:
        """Whether its prompts are to be continued here."""
        return self.state.step in MILESTONES or self.is_over

    @property
    def eval_set(self) -> tuple[object, ...]:
        """All that an evaluation before the first step depends on: nothing has been learned then."""
        request = self.request
        return request.model, request.held_out, request.general, request.prompts

    @property
    def first_losses(self) -> dict[str, tuple[int, float]]:
        """(0, loss) on the held-out and on the general texts, of which there may be none."""
        held = {"held_out": self.state.held_out, "general": self.state.general}
        return {name: losses[0] for name, losses in held.items() if losses}

    @property
    def first_samples(self) -> tuple[Sample, ...]:
        """What the prompts gave before the first step; none until all of it is whole."""
        found = tuple(one for one in self.state.samples if one.step == 0 and one.status == "whole")
        return found if len(found) == len(self.request.prompts) else ()

    @property
    def most_tokens(self) -> int:
        """As many as a step of it can read."""
        return most_tokens(self.request)

    def batch(self) -> list[TrainingText]:
        """The texts of the next step."""
        first = self.state.step * self.request.batch_size
        return [self.request.train[i] for i in self.order[first : first + self.request.batch_size]]

    def adapter(self) -> Adapter:
        """What it has learned so far."""
        request = self.request
        return Adapter(
            base_id=request.model,
            name=request.name,
            step=self.state.step,
            r=request.r,
            lora_alpha=request.lora_alpha,
            lora_dropout=request.lora_dropout,
            target_modules=tuple(dict.fromkeys(one.module for one in self.slot.layers.values())),
            method=request.method,
            changes=self.slot.changes(),
            request=request,
            run=self.state.number,
        )


def new_run(
    request: FinetuneRequest, loaded: LoadedModel, layers: Mapping[str, Linear], number: int, of_session: int
) -> TrainingRun:
    """A run that waits.

    Args:
        request: What is asked.
        loaded: Its base.
        layers: What it trains.
        number: Its place in the line of all runs.
        of_session: Its number among its session's runs.
    """
    order = text_order(len(request.train), request.n_steps * request.batch_size, request.seed)
    return TrainingRun(
        TrainingState(request, "waiting", of_session), loaded, AdapterSlot(request, layers), number, order
    )


def text_order(n_texts: int, n_read: int, seed: int) -> NDArray[np.int64]:
    """Places of the texts in the order they are read: every text once, newly mixed, before any comes again.

    Args:
        n_texts: How many there are.
        n_read: How many are read in all.
        seed: Of the order.

    Example:
        >>> sorted(text_order(3, 6, seed=0)[:3].tolist())
        [0, 1, 2]
    """
    random = np.random.default_rng(seed)
    return np.concatenate([random.permutation(n_texts) for _ in range(-(-n_read // n_texts))])


def most_tokens(request: FinetuneRequest) -> int:
    """As many as a step can read, if no text begins like another."""
    return request.batch_size * max(len(text.input_ids) for text in request.train)


def check(request: FinetuneRequest, settings: Settings, info: ModelInfo) -> None:
    """Refuse a run whose settings or texts cannot be.

    Raises:
        BadValue: Also for NaN.
        EmptyText: Nothing to learn from, or a text without a token to learn.
        TooManyTokens: A text, a prompt or a batch is too long.
    """
    check_limits(
        {
            "n_steps": (request.n_steps, 1, settings.max_training_steps),
            "learning_rate": (request.learning_rate, 1e-7, 100.0),
            "r": (request.r, 1, 32),
            "lora_alpha": (request.lora_alpha, 1e-3, 1e3),
            "lora_dropout": (request.lora_dropout, 0.0, 0.9),
            "batch_size": (request.batch_size, 1, settings.max_batch_size),
            "seed": (request.seed, 0, 2**32 - 1),
            "train": (len(request.train), 1, settings.max_upload_rows),
            "held_out": (len(request.held_out), 0, settings.max_upload_rows),
            "general": (len(request.general), 0, settings.max_upload_rows),
            "prompts": (len(request.prompts), 0, MAX_PROMPTS),
        }
    )
    if request.method not in ("lora", "last_block"):
        raise BadValue(name="method", value=repr(request.method), allowed="lora, last_block")
    texts = (*request.train, *request.held_out, *request.general)
    if not all(any(text.is_trained[1:]) for text in texts) or not all(request.prompts):
        raise EmptyText
    ids = [*(text.input_ids for text in texts), *request.prompts]
    if not all(0 <= token < info.d_vocab for one in ids for token in one):
        raise BadValue(name="input_ids", value=str(ids[0][:8]), allowed=f"0-{info.d_vocab - 1}")
    window = min(settings.max_tokens, info.n_ctx or settings.max_tokens) - MAX_SAMPLE_TOKENS
    longest = max(map(len, request.prompts), default=0)
    if longest > window:
        raise TooManyTokens(limit=window, got=longest)
    longest = max(len(text.input_ids) for text in texts)
    if longest > settings.max_training_tokens:
        raise TooManyTokens(limit=settings.max_training_tokens, got=longest)
    if most_tokens(request) > settings.max_batch_tokens:
        most = settings.max_batch_tokens // max(len(text.input_ids) for text in request.train)
        raise BadValue(name="batch_size", value=request.batch_size, allowed=f"1-{max(1, most)}")


def has_diverged(loss: float, d_vocab: int) -> bool:
    """Whether a loss is no number, or twice that of guessing among all tokens."""
    return not math.isfinite(loss) or loss > 2 * math.log(d_vocab)

"""The part of the engine contract about preferences: pairs, direct preference optimization, in plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

from playground.core.policy.answers import LIMITS
from playground.core.policy.dpo import Dpo, dpo
from playground.core.preferences.pair import PreferencePair
from playground.engine.contract.limits import check_limits
from playground.engine.contract.policies import PromptExample, check_plain_lora
from playground.engine.contract.reward_models import (
    RewardHeadInfo,
    RewardScoreRequest,
    RewardScores,
    RewardSettings,
)
from playground.engine.contract.training import AdapterRequest, FinetuneSettings, Observation, TrainingRequest
from playground.engine.contract.waiting import OnWait

DPO = "dpo"  # name of the kind of training
MAX_PAIRS = 200  # that a run learns from
MAX_HELD_OUT = 64  # pairs that a run is tested on
OBSERVED_TRAIN = 8  # pairs that are learned from, the first ones, whose log-probabilities are told
Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PairExample:
    """A preference pair as a model reads it.

    Attributes:
        prompt_ids: Token ids of all that stands before both answers, the frame of a conversation included.
        chosen_ids, rejected_ids: Token ids of both answers, with the mark that ends them where nothing was
            cut off; different.
        n_cut: Tokens of prompt and answers that were beyond the limit and left out.
    """

    prompt_ids: Ids
    chosen_ids: Ids
    rejected_ids: Ids
    n_cut: int = 0

    @property
    def n_tokens(self) -> int:
        """Tokens that are read; the prompt once."""
        return len(self.prompt_ids) + len(self.chosen_ids) + len(self.rejected_ids)

    @property
    def n_trained(self) -> int:
        """Judgements that count in the loss: one a pair, so that a loss is one of pairs."""
        return 1

    @property
    def is_same(self) -> bool:
        """True if nothing can be learned from it, because both answers are the same."""
        return self.chosen_ids == self.rejected_ids


def most_read(pairs: Sequence[PairExample], batch_size: int) -> int:
    """As many tokens as a step on some of these pairs can read: the longest, their common beginning once.

    Args:
        pairs: At least one.
        batch_size: Pairs a step.

    Example:
        >>> most_read([PairExample((1, 2, n), (3,), (4,)) for n in (5, 6, 7)], batch_size=2)
        8
    """
    alike = zip(*(one.prompt_ids for one in pairs), strict=False)
    shared = sum(1 for _same in takewhile(lambda tokens: len(set(tokens)) == 1, alike))
    return shared + sum(sorted((one.n_tokens - shared for one in pairs), reverse=True)[:batch_size])


@dataclass(frozen=True, slots=True)
class DpoSettings(FinetuneSettings):
    """Settings of a run that trains an adapter by direct preference optimization; LoRA without a remedy.

    The loss of a pair is -log sigmoid(margin): ln 2 before the first step, whatever the pair. The reference
    is the base without the adapter.

    Attributes:
        beta: Nats of implicit reward per nat of log-ratio: the larger, the less the policy needs to move.
    """

    n_steps: int = 30
    learning_rate: float = 5e-4
    batch_size: int = 4
    keep_best: bool = False
    objective: str = DPO
    beta: float = 0.1

    def check(self) -> None:
        """Refuse what DPO cannot be asked; LoRA's own limits are the engine's to check.

        Raises:
            BadValue: Beta is out of range, 0 or NaN, or another method than LoRA, or a remedy.
        """
        check_limits({"beta": (self.beta, *LIMITS["beta"])})
        check_plain_lora(self)


@dataclass(frozen=True, slots=True)
class DpoRequest(AdapterRequest):
    """A run that trains an adapter of a decoder on preference pairs."""

    settings: DpoSettings
    train: tuple[PairExample, ...]
    held_out: tuple[PairExample, ...]
    general: tuple[PairExample, ...] = ()

    @property
    def most_tokens(self) -> int:
        """As many as a step can read."""
        return most_read(self.train, self.settings.batch_size)


@dataclass(frozen=True, slots=True)
class PairLogprobs:
    """Log-probabilities of whole answers, nats, a number a pair, in the order of the pairs.

    Attributes:
        chosen, rejected: By the policy: the model that is trained.
        ref_chosen, ref_rejected: By the reference: the model without the adapter.
    """

    chosen: tuple[float, ...]
    rejected: tuple[float, ...]
    ref_chosen: tuple[float, ...]
    ref_rejected: tuple[float, ...]

    def dpo(self, beta: float) -> Dpo:
        """Losses, implicit rewards and margins of these pairs, and of which both answers fell."""
        return dpo(self.chosen, self.rejected, self.ref_chosen, self.ref_rejected, beta)


@dataclass(frozen=True, slots=True)
class DpoObservation(Observation):
    """Pairs under policy and reference at a milestone.

    Attributes:
        held_out: Of all held-out pairs.
        train: Of the first pairs that are learned from, at most `OBSERVED_TRAIN`.
        kl: Mean over the tokens of the held-out answers, or of those learned from where none is held out, of
            the KL divergence of the policy's next-token distribution from the reference's, nats a token. The
            answers are those of the pairs, not drawn from the policy.
        n_kl: Number of those tokens.
    """

    held_out: PairLogprobs
    train: PairLogprobs
    kl: float
    n_kl: int


@dataclass(frozen=True, slots=True)
class RewardRequest(TrainingRequest):
    """A run that trains a reward model on preference pairs; no held-out pair may be among those learned."""

    settings: RewardSettings
    train: tuple[PairExample, ...]
    held_out: tuple[PairExample, ...]
    general: tuple[PairExample, ...] = ()


@dataclass(frozen=True, slots=True)
class RewardObservation(Observation):
    """Rewards of pairs at a milestone, a number a pair.

    Attributes:
        chosen, rejected: Rewards of both answers of the held-out pairs.
        train, general: Rewards of chosen and of rejected answers of the pairs that are learned from, and of
            the general ones; only after the last step.
    """

    chosen: tuple[float, ...]
    rejected: tuple[float, ...]
    train: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())
    general: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())


class PreferencePart(Protocol):
    """The part of an engine that knows pairs and reward models. Both are trained by `training.runs`."""

    def examples(self, model: str, pairs: Sequence[PreferencePair]) -> tuple[PairExample, ...]:
        """Each pair as a decoder reads it: the prompt as its user's message, each answer as its own.

        What is too long is cut at its end, the prompt first to a third of what a pair may have, then each
        answer to half of the rest; `n_cut` tells. Without a chat template a line break stands between.

        Raises:
            EmptyText: A part of a pair without a token.
            SameAnswers, AlikeWhenCut: A pair whose answers are the same, perhaps only since they were cut.
        """
        ...

    def prompts(self, model: str, prompts: Sequence[str]) -> tuple[PromptExample, ...]:
        """Each prompt as a decoder reads it before it answers, cut as that of a pair.

        Raises:
            EmptyText: A prompt without a token.
        """
        ...

    def heads(self, owner: str) -> list[RewardHeadInfo]:
        """The reward models of a session, oldest first."""
        ...

    def info(self, head_id: str) -> RewardHeadInfo:
        """Facts about a reward model.

        Raises:
            HeadGone: It is no longer here, or never was.
        """
        ...

    def belongs(self, head_id: str, owner: str) -> bool:
        """True if a session may use the reward model; it may from now on where all others have left."""
        ...

    def remove(self, head_id: str, owner: str) -> None:
        """Delete a reward model of this session."""
        ...

    def score(self, request: RewardScoreRequest, on_wait: OnWait | None = None) -> list[RewardScores]:
        """The rewards of answers, token by token, in their order.

        Raises:
            HeadGone, InputError, ModelError, BusyError.
        """
        ...

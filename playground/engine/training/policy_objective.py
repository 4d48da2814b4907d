"""The kind of training that learns from rewards: what is refused, which policies share a step, who judges."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from playground.core.rewards import TextReward, rewards_of
from playground.engine.adapters.places import n_parameters, places
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.policies import MAX_PROMPTS, HeadReward, PolicyRequest
from playground.engine.contract.training import TrainingRequest
from playground.engine.models.loaded import LoadedModel
from playground.engine.task_heads.rewards import RewardHead, RewardTable, end_mark, in_chunks, score
from playground.engine.training.adapter_objective import AdapterObjective, check_adapter
from playground.engine.training.learner import GiveWay, NewSlot, RunLimits
from playground.engine.training.policy_bank import PolicyBank
from playground.engine.training.policy_slot import Judge, PolicySlot
from playground.engine.training.rollouts import Written
from playground.engine.training.samples import Write
from playground.errors import BadValue, EmptyText, HeadGone, TooManyTokens
from playground.settings import Settings

Array = NDArray[np.float64]


class LearningFromRewards(AdapterObjective):
    """Adapters that learn from their own answers: PPO's clipped objective, mean over tokens.

    Args:
        settings: The limits.
        adapters: Source of bases, and store of adapters.
        write: Continues a run's prompts with a model.
        heads: Reward models.
    """

    def __init__(self, settings: Settings, adapters: AdapterTable, write: Write, heads: RewardTable) -> None:
        super().__init__(settings, adapters, write)
        self._heads = heads

    @property
    def limits(self) -> RunLimits:
        """The most that a run may ask for: a prompt may have as many and as long answers as there are."""
        most = self._settings
        return RunLimits(
            most.max_training_steps, min(MAX_PROMPTS, most.max_batch_size), MAX_PROMPTS,
            most.max_training_tokens, 2 * most.max_batch_tokens, most.max_fused_tokens,
        )  # fmt: skip

    def prepare(self, request: TrainingRequest) -> NewSlot[PolicySlot]:
        """Load the base, check the request against it."""
        assert isinstance(request, PolicyRequest)
        request.settings.check()
        loaded = self._adapters.decoder(request.settings.model)
        self._check(request, loaded)
        into, judge = places(loaded, request.settings), self._judge(request, loaded)
        size_bytes = 4 * n_parameters(into, request.settings)
        return NewSlot(size_bytes, lambda: PolicySlot(request, loaded, into, judge))

    def learner(self, slots: Sequence[PolicySlot], give_way: GiveWay) -> PolicyBank:
        """Policies of one base, trained in one step."""
        return PolicyBank(slots[0].loaded, slots, give_way)

    def _check(self, request: PolicyRequest, loaded: LoadedModel) -> None:
        asked, info = request.settings, loaded.info
        if not all(one.prompt_ids for one in request.train):
            raise EmptyText
        check_adapter(request, [one.prompt_ids for one in request.train], self._settings, info)
        if asked.lora.lora_dropout:  # answers are judged as the policy would write them
            raise BadValue(name="lora_dropout", value=asked.lora.lora_dropout, allowed="0")
        for name in ("held_out", "general"):
            if getattr(request, name):
                raise BadValue(name=name, value=len(getattr(request, name)), allowed="0")
        most = self._settings.max_training_tokens
        window = min(most, info.n_ctx or most) - asked.max_new_tokens
        longest = max(one.n_tokens for one in request.train)
        if longest > window:
            raise TooManyTokens(limit=window, got=longest)

    def _judge(self, request: PolicyRequest, loaded: LoadedModel) -> Judge:
        """Gives the rewards of a run; a reward model is looked up once, so it lasts as long as the run."""
        reward = request.settings.reward
        if isinstance(reward, TextReward):
            return partial(_by_text, reward)
        return partial(_by_head, self._head(reward, request), loaded, self._settings.max_batch_tokens)

    def _head(self, reward: HeadReward, request: PolicyRequest) -> RewardHead:
        head = self._heads.get(reward.head)
        if not self._heads.owned.belongs(reward.head, request.owner):
            raise HeadGone(head_id=reward.head)
        if head.settings.model != request.settings.model:
            raise BadValue(name="reward", value=head.settings.model, allowed=request.settings.model)
        return head


def _by_text(reward: TextReward, _written: Written, texts: Sequence[str]) -> Array:
    return rewards_of(reward, texts)


def _by_head(
    head: RewardHead, loaded: LoadedModel, chunk_tokens: int, written: Written, _texts: Sequence[str]
) -> Array:
    mark = end_mark(loaded)
    read = [
        (*prompt, *answer) if answer[-1:] == mark else (*prompt, *answer, *mark)
        for prompt, answer in zip(written.prompts, written.answers, strict=True)
    ]
    return np.concatenate([score(head, loaded, chunk) for chunk in in_chunks(read, chunk_tokens)])

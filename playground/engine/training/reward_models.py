"""The kind of training that makes reward models out of preference pairs."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.byte_cache import ByteCache
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.preferences import MAX_PAIRS, RewardRequest
from playground.engine.contract.training import TrainingRequest
from playground.engine.task_heads.rewards import RewardHead, RewardTable
from playground.engine.training.direct_preferences import check_pairs
from playground.engine.training.learner import GiveWay, NewSlot, RunLimits, Sampled
from playground.engine.training.reward_learner import KnownState, RewardLearner, RewardSlot
from playground.errors import BadValue
from playground.settings import Settings


class TrainingOfRewards:
    """Rows of weights on the last states of a frozen decoder: -log sigmoid of a pair's margin, nats a pair.

    Args:
        settings: The limits.
        models: The decoders.
        rewards: Store of reward models.
    """

    def __init__(self, settings: Settings, models: AdapterTable, rewards: RewardTable) -> None:
        self._settings, self._models, self._rewards = settings, models, rewards
        self._known: ByteCache[KnownState] = ByteCache(settings.head_vector_bytes)

    @property
    def limits(self) -> RunLimits:
        """The most that a run may ask for; every text is read once, so a step may learn from all pairs."""
        most = self._settings
        n_tokens = 2 * most.max_training_tokens
        return RunLimits(
            most.max_head_steps, MAX_PAIRS, MAX_PAIRS, n_tokens, n_tokens * MAX_PAIRS,
            n_tokens * MAX_PAIRS * most.max_training_slots,
        )  # fmt: skip

    def prepare(self, request: TrainingRequest) -> NewSlot[RewardSlot]:
        """Load the base, check the request against it."""
        assert isinstance(request, RewardRequest)
        request.settings.check()
        loaded = self._models.decoder(request.settings.model)
        check_pairs(request, loaded)
        for one in (*request.train, *request.held_out, *request.general):
            ids = (*one.prompt_ids, *one.chosen_ids, *one.rejected_ids)
            if not all(0 <= token < loaded.info.d_vocab for token in ids):
                raise BadValue(name="input_ids", value=str(ids[:8]), allowed=f"0-{loaded.info.d_vocab - 1}")
        return NewSlot(4 * loaded.info.d_model, lambda: RewardSlot(request, loaded))

    def check_room(self, owner: str, size_bytes: int, n_coming: int) -> None:
        """Refuse a run for whose reward model there is no room."""
        self._rewards.owned.check_room(owner, size_bytes, n_coming)

    def learner(self, slots: Sequence[RewardSlot], give_way: GiveWay) -> RewardLearner:
        """Reward models of one base, trained in turn."""
        return RewardLearner(slots, self._known, self._settings.prefill_chunk_tokens, give_way)

    def sample(self, request: TrainingRequest, slot: RewardSlot, step: int, sampled: Sampled) -> None:
        """No prompts: a reward model writes nothing."""
        for prompt in range(len(request.prompts)):
            sampled(prompt, "", "cut")

    def keep(self, snapshot: RewardHead, owner: str) -> str:
        """Keep a reward model; gives its id."""
        return self._rewards.owned.add(snapshot, owner)

"""The kind of training that makes reward models out of preference pairs."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.byte_cache import ByteCache
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.limits import check_limits
from playground.engine.contract.preferences import MAX_HELD_OUT, PairExample, RewardRequest
from playground.engine.contract.training import TrainingRequest
from playground.engine.models.loaded import LoadedModel
from playground.engine.task_heads.rewards import RewardHead, RewardTable
from playground.engine.training.learner import GiveWay, NewSlot, RunLimits, Sampled
from playground.engine.training.reward_learner import KnownState, RewardLearner, RewardSlot
from playground.errors import BadValue, HeldOutTrained
from playground.settings import Settings

_SHOWN = 80  # characters of an answer in a refusal


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
        n_tokens = most.max_training_tokens * 4
        all_tokens = n_tokens * most.max_upload_rows
        return RunLimits(
            most.max_head_steps, most.max_upload_rows, most.max_upload_rows, n_tokens, all_tokens,
            all_tokens * most.max_training_slots,
        )  # fmt: skip

    def prepare(self, request: TrainingRequest) -> NewSlot[RewardSlot]:
        """Load the base, check the request against it."""
        assert isinstance(request, RewardRequest)
        request.settings.check()
        loaded = self._models.decoder(request.settings.model)
        _check(request, loaded)
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


def _check(request: RewardRequest, loaded: LoadedModel) -> None:
    """Refuse pairs that cannot be.

    Raises:
        EmptyText: A part of a pair without a token.
        BadValue: Equal answers, unknown token ids, or too many held-out pairs.
        HeldOutTrained: A held-out pair is also one to learn from, in whichever direction.
    """
    check_limits({"held_out": (len(request.held_out), 0, MAX_HELD_OUT)})
    for one in (*request.train, *request.held_out, *request.general):
        one.check()
        for ids in (one.prompt_ids, one.chosen_ids, one.rejected_ids):
            if not all(isinstance(token, int) and 0 <= token < loaded.info.d_vocab for token in ids):
                raise BadValue(
                    name="input_ids", value=str(ids[:8]), allowed=f"0-{loaded.info.d_vocab - 1}"
                )
    learned = {_key(one) for one in request.train}
    for one in request.held_out:
        if _key(one) in learned:
            spelled = b"".join(map(loaded.tokenizer.token_bytes, one.chosen_ids))
            raise HeldOutTrained(text=spelled.decode("utf-8", "replace")[:_SHOWN])


def _key(pair: PairExample) -> tuple[object, ...]:
    """Equal for a pair and for it turned."""
    return pair.prompt_ids, frozenset((pair.chosen_ids, pair.rejected_ids))

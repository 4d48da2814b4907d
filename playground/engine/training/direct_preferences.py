"""The kind of training that learns from preference pairs directly: DPO of adapters."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.byte_cache import ByteCache
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.limits import check_limits
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.preferences import (
    MAX_HELD_OUT,
    MAX_PAIRS,
    DpoRequest,
    PairExample,
    RewardRequest,
)
from playground.engine.contract.training import TrainingRequest
from playground.engine.models.loaded import LoadedModel
from playground.engine.training.adapter_objective import AdapterObjective, check_adapter
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.dpo_bank import DpoBank
from playground.engine.training.learner import GiveWay, NewSlot, RunLimits
from playground.engine.training.preference_texts import SHOWN
from playground.engine.training.reference import Known
from playground.engine.training.samples import Write
from playground.errors import EmptyText, HeldOutTrained, SameAnswers
from playground.settings import Settings


class DirectPreferences(AdapterObjective):
    """Adapters that learn to prefer the chosen answers: -log sigmoid(margin), nats a pair.

    Args:
        settings: The limits.
        adapters: Source of bases, and store of adapters.
        write: Continues a run's prompts with a model.
    """

    def __init__(self, settings: Settings, adapters: AdapterTable, write: Write) -> None:
        super().__init__(settings, adapters, write)
        self._known: ByteCache[Known] = ByteCache(settings.known_vector_bytes)

    @property
    def limits(self) -> RunLimits:
        """The most that a run may ask for: four of the longest pairs a step, or four readers' short ones."""
        most = self._settings
        return RunLimits(
            most.max_training_steps, most.max_batch_size, MAX_PAIRS,
            pair_tokens(most), 4 * pair_tokens(most), max(4 * pair_tokens(most), most.max_fused_tokens),
        )  # fmt: skip

    def prepare(self, request: TrainingRequest) -> NewSlot[AdapterSlot]:
        """Load the base, check the request against it."""
        assert isinstance(request, DpoRequest)
        request.settings.check()
        loaded = self._adapters.decoder(request.settings.model)
        check_pairs(request, loaded)
        pairs = (*request.train, *request.held_out, *request.general)
        read = [(*one.prompt_ids, *answer) for one in pairs for answer in (one.chosen_ids, one.rejected_ids)]
        check_adapter(request, read, self._settings, loaded.info)
        new, steepness = self.new_slot(request, loaded), max(1.0, request.settings.beta)

        def slot() -> AdapterSlot:
            made = new.make()
            made.guess_loss *= steepness  # a loss is beta times nats: a steep one is no breakdown
            return made

        return NewSlot(new.size_bytes, slot)

    def learner(self, slots: Sequence[AdapterSlot], give_way: GiveWay) -> DpoBank:
        """Adapters of one base, trained in one step."""
        return DpoBank(slots[0].loaded, slots, give_way, self._known, self._settings.max_batch_tokens)


def most_pair_tokens(settings: Settings, info: ModelInfo) -> int:
    """Most tokens of a pair, its prompt counted once, within the model's context."""
    return min(pair_tokens(settings), info.n_ctx or pair_tokens(settings))


def pair_tokens(settings: Settings) -> int:
    """Most tokens of a pair: those of two texts and a half, as Korean takes of an English tokenizer."""
    return 5 * settings.max_training_tokens // 2


def check_pairs(request: DpoRequest | RewardRequest, loaded: LoadedModel) -> None:
    """Refuse pairs that nothing can be learned from or measured with.

    Raises:
        EmptyText: A part of a pair without a token.
        BadValue: Too many held-out pairs.
        SameAnswers: A pair whose answers are the same.
        HeldOutTrained: A pair to measure on, or the same turned round, is also one to learn from.
    """
    for name in ("held_out", "general"):
        check_limits({name: (len(getattr(request, name)), 0, MAX_HELD_OUT)})
    for pair in (*request.train, *request.held_out, *request.general):
        if not (pair.prompt_ids and pair.chosen_ids and pair.rejected_ids):
            raise EmptyText
        if pair.is_same:
            raise SameAnswers(prompt=_spelled(pair, loaded))
    learned = set(map(_answers, request.train))
    for pair in request.held_out:
        if _answers(pair) in learned:
            raise HeldOutTrained(text=_spelled(pair, loaded))


def _answers(pair: PairExample) -> tuple[tuple[int, ...], frozenset[tuple[int, ...]]]:
    """Prompt and answers, whichever is preferred."""
    return pair.prompt_ids, frozenset((pair.chosen_ids, pair.rejected_ids))


def _spelled(pair: PairExample, loaded: LoadedModel) -> str:
    return (
        b"".join(map(loaded.tokenizer.token_bytes, pair.prompt_ids))
        .decode("utf-8", "replace")
        .strip()[-SHOWN:]
    )

"""The two kinds of training of task heads: the head alone, and the encoder's layers with it."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

from playground.core.byte_cache import ByteCache
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.limits import check_limits
from playground.engine.contract.models import AdapterName, ModelInfo
from playground.engine.contract.task_heads import TASKS, HeadExample, HeadRequest
from playground.engine.contract.training import TrainingRequest
from playground.engine.models.loaded import LoadedModel
from playground.engine.task_heads.cutting import require_encoder
from playground.engine.task_heads.layers import layer_bytes, require_trainable
from playground.engine.task_heads.trained import HeadTable, TrainedHead
from playground.engine.training.head_learner import HeadLearner, KnownVectors
from playground.engine.training.head_slot import HeadSlot
from playground.engine.training.learner import GiveWay, NewSlot, RunLimits, Sampled
from playground.errors import BadValue, HeldOutTrained, Message, NoRoom, OneLabelOnly
from playground.settings import Settings

MAX_LABEL_CHARS = 60
_SHOWN = 80  # characters of a text in a refusal


class TrainingOfHeads:
    """Task heads on the vectors of a frozen encoder: cross entropy in nats an answer, or squared error.

    Args:
        settings: The limits.
        models: The encoders.
        heads: Store of trained heads.
    """

    def __init__(self, settings: Settings, models: AdapterTable, heads: HeadTable) -> None:
        self._settings, self._models, self._heads = settings, models, heads
        self._known: ByteCache[KnownVectors] = ByteCache(settings.head_vector_bytes)

    @property
    def limits(self) -> RunLimits:
        """The most that a run may ask for; every text is read once, so a step may learn from all of them."""
        most = self._settings
        n_tokens = most.max_training_tokens * most.max_head_texts
        return RunLimits(
            most.max_head_steps, most.max_head_texts, most.max_head_texts, most.max_training_tokens,
            n_tokens, n_tokens * most.max_training_slots,
        )  # fmt: skip

    def prepare(self, request: TrainingRequest) -> NewSlot[HeadSlot]:
        """Load the encoder, check the request against it."""
        assert isinstance(request, HeadRequest)
        loaded = self._encoder(request)
        check(request, self._settings, loaded.info)
        return NewSlot(self._size_bytes(request, loaded), lambda: HeadSlot(request, loaded))

    def _encoder(self, request: HeadRequest) -> LoadedModel:
        model = request.settings.model
        if AdapterName.of(model).adapter_id:
            raise BadValue(name="model", value=model, allowed=AdapterName.of(model).base_id)
        loaded = self._models.load(model).result()
        require_encoder(loaded)
        return loaded

    def _size_bytes(self, request: HeadRequest, loaded: LoadedModel) -> int:
        n_outputs = len(request.settings.labels) or 1
        return 4 * n_outputs * (loaded.info.d_model + 1)

    def check_room(self, owner: str, size_bytes: int, n_coming: int) -> None:
        """Refuse a run for whose head there is no room."""
        self._heads.owned.check_room(owner, size_bytes, n_coming)

    def learner(self, slots: Sequence[HeadSlot], give_way: GiveWay) -> HeadLearner:
        """Heads of one encoder, trained in turn."""
        return HeadLearner(slots, self._known, self._settings.prefill_chunk_tokens, give_way)

    def sample(self, request: TrainingRequest, slot: HeadSlot, step: int, sampled: Sampled) -> None:
        """No prompts: an encoder writes nothing."""
        for prompt in range(len(request.prompts)):
            sampled(prompt, "", "cut")

    def keep(self, snapshot: TrainedHead, owner: str) -> str:
        """Keep a head; gives its id."""
        return self._heads.owned.add(snapshot, owner)


class TrainingOfEncoders(TrainingOfHeads):
    """Encoders that are trained with their head, one run at a time.

    Args:
        settings, models, heads: As of `TrainingOfHeads`.
    """

    def __init__(self, settings: Settings, models: AdapterTable, heads: HeadTable) -> None:
        super().__init__(settings, models, heads)
        self._begun: weakref.WeakSet[HeadSlot] = weakref.WeakSet()

    @property
    def limits(self) -> RunLimits:
        """The most that a run may ask for; a second run of an encoder waits for the first."""
        most = self._settings
        return RunLimits(
            most.max_encoder_steps, most.max_encoder_batch, most.max_head_texts, most.max_training_tokens,
            most.max_encoder_tokens, 1,
        )  # fmt: skip

    def prepare(self, request: TrainingRequest) -> NewSlot[HeadSlot]:
        """Load the encoder, check the request against it."""
        slot = super().prepare(request)
        assert isinstance(request, HeadRequest)
        require_trainable(self._encoder(request))
        return slot

    def _size_bytes(self, request: HeadRequest, loaded: LoadedModel) -> int:
        return super()._size_bytes(request, loaded) + layer_bytes(loaded)

    def learner(self, slots: Sequence[HeadSlot], give_way: GiveWay) -> HeadLearner:
        """Encoders that are trained in turn.

        Raises:
            NoRoom: Others that are trained, or rest, fill the memory that such runs may take.
        """
        begun = {slot for slot in self._begun if slot.has_begun}.union(slots)
        needed = sum(slot.working_bytes for slot in begun)
        if len(begun) > len(slots) and needed > self._settings.max_encoder_bytes:
            raise NoRoom
        self._begun.update(slots)
        return super().learner(slots, give_way)


def check(request: HeadRequest, settings: Settings, info: ModelInfo) -> None:
    """Refuse a run whose task or texts cannot be.

    Raises:
        BadValue: A setting or a target is out of range, or NaN.
        HeldOutTrained: A held-out text is also one to learn from.
        OneLabelOnly: There is nothing to tell apart.
    """
    asked, is_number = request.settings, request.settings.task == "number"
    examples = (*request.train, *request.held_out, *request.general)
    n_answers = sum(one.n_trained for one in examples)
    check_limits(
        {
            "inverse_penalty": (asked.inverse_penalty, 1e-6, 1e6),
            "labels": (
                len(asked.labels),
                0 if is_number else 2,
                0 if is_number else settings.max_head_labels,
            ),
            "answers": (n_answers, 1, settings.max_head_answers),
        }
    )
    if asked.task not in TASKS:
        raise BadValue(name="task", value=repr(asked.task), allowed=", ".join(TASKS))
    for label in asked.labels:
        if not 0 < len(label) <= MAX_LABEL_CHARS or asked.labels.count(label) > 1:
            told = Message("different labels of 1 to {most} characters", (("most", MAX_LABEL_CHARS),))
            raise BadValue(name="labels", value=repr(label)[:_SHOWN], allowed=told)
    for one in examples:
        _check_places(one, request, info)
    learned = {print for one in request.train for print in (one.fingerprint, one.input_ids)}
    for one in request.held_out:
        if one.fingerprint in learned or one.input_ids in learned:
            raise HeldOutTrained(text=" / ".join(one.texts)[:_SHOWN])
    found = {target for one in request.train for target in one.targets}
    if len(found) == 1 and not is_number:
        raise OneLabelOnly(label=asked.labels[int(*found)])


def _check_places(one: HeadExample, request: HeadRequest, info: ModelInfo) -> None:
    """Refuse an example whose ids, places or targets are none of the model or of the task."""
    asked = request.settings
    for name, given, end in (
        ("input_ids", one.input_ids, info.d_vocab), ("places", one.places, one.n_tokens),
        ("segments", one.segments, one.n_tokens),
    ):  # fmt: skip
        if not all(isinstance(number, int) and 0 <= number < end for number in given):
            raise BadValue(name=name, value=str(given[:8]), allowed=f"0-{end - 1}")
    n_targets = len(one.places) if asked.task == "words" else 1
    if len(one.targets) != n_targets or len(one.segments) not in (0, one.n_tokens):
        raise BadValue(name="targets", value=len(one.targets), allowed=str(n_targets))
    if asked.task == "number":
        check_limits({"target": (one.targets[0], -1e9, 1e9)})
    elif not all(target in range(len(asked.labels)) for target in one.targets):
        raise BadValue(name="targets", value=str(one.targets[:8]), allowed=f"0-{len(asked.labels) - 1}")

"""Task heads that are trained, several runs in turn: alone on vectors read once, or with their encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from playground.core.byte_cache import ByteCache
from playground.engine.contract.task_heads import HeadExample, HeadObservation, HeadRequest
from playground.engine.contract.training import TrainingRequest
from playground.engine.models.finite import check_finite
from playground.engine.models.loaded import LoadedModel
from playground.engine.task_heads.vectors import (
    in_chunks,
    last_states,
    losses,
    outputs,
    text_vector,
    word_vectors,
)
from playground.engine.training.head_slot import HeadSlot
from playground.engine.training.learner import GiveWay
from playground.engine.training.yield_points import yield_between

MAX_NORM = 1.0  # of a step's gradient of a whole encoder; longer ones are shortened (Pascanu et al. 2013)


@dataclass(frozen=True, slots=True)
class KnownVectors:
    """The vectors of one text, for every run that learns from it. Shape [answer, d_model]."""

    vectors: Tensor

    @property
    def size_bytes(self) -> int:
        """Memory of the vectors."""
        return self.vectors.nbytes


class HeadLearner:
    """Trains each head in place, one after another, so there is nothing to unpack.

    Args:
        slots: At least one, of one encoder.
        known: Vectors that frozen encoders gave of texts.
        chunk_tokens: Tokens that are read between two turns of others.
        give_way: Called between two layers, or two chunks of texts: others may use the engine there.
    """

    def __init__(
        self,
        slots: Sequence[HeadSlot],
        known: ByteCache[KnownVectors],
        chunk_tokens: int,
        give_way: GiveWay,
    ) -> None:
        self.slots = slots
        self._known, self._chunk_tokens, self._give_way = known, chunk_tokens, give_way
        # outputs since the last step, by the example's id
        self._told: list[dict[int, tuple[HeadExample, Tensor]]] = [{} for _ in slots]

    def step(self, batches: Sequence[Sequence[HeadExample]]) -> list[float]:
        """One optimizer step of every slot; when one fails, none has changed."""
        found = [self._learned(*one) for one in zip(self.slots, batches, strict=True)]
        for slot in self.slots:
            if slot.is_whole:
                clip_grad_norm_([slot.weight, slot.bias, *slot.layers], MAX_NORM)
            slot.optimizer.step()
            slot.optimizer.zero_grad()
        self._told = [{} for _ in self.slots]
        return found

    def _learned(self, slot: HeadSlot, batch: Sequence[HeadExample]) -> float:
        """The mean loss of a batch's answers; its gradients wait in the slot."""
        slot.optimizer.zero_grad()
        if not slot.is_whole:
            self._read(slot, batch)
        self._give_way()
        with torch.enable_grad():
            vectors = self._vectors(slot, batch)
            made = outputs(vectors * slot.stretch, slot.weight, slot.bias)
            loss = losses(slot.settings.task, made, _targets(batch).to(made.device)).mean()
            (loss + slot.penalty()).backward()  # type: ignore[no-untyped-call]
        self._give_way()
        return loss.item()

    @torch.no_grad()
    def measure(self, index: int, examples: Sequence[HeadExample]) -> list[float]:
        """The loss of each example, summed over its answers."""
        task = self.slots[index].settings.task
        return [
            losses(task, made, _targets([one]).to(made.device)).sum().item()
            for one, made in zip(examples, self._outputs(index, examples), strict=True)
        ]

    @torch.no_grad()
    def observe(self, index: int, request: TrainingRequest, step: int) -> HeadObservation | None:
        """Held-out answers by right and told label; None for numbers, and where nothing is held out."""
        assert isinstance(request, HeadRequest)
        n = len(request.settings.labels)
        if not n or not request.held_out:
            return None
        counts = [[0] * n for _ in range(n)]
        for one, made in zip(request.held_out, self._outputs(index, request.held_out), strict=True):
            for right, told in zip(one.targets, made.argmax(-1).tolist(), strict=True):
                counts[int(right)][told] += 1
        return HeadObservation(step, tuple(map(tuple, counts)))

    def unpack(self, index: int) -> None:
        """Nothing: the slot's numbers are those that are trained."""

    # ---- within

    def _outputs(self, index: int, examples: Sequence[HeadExample]) -> list[Tensor]:
        """The outputs for each example as the slot is now, computed once between two steps."""
        slot, told = self.slots[index], self._told[index]
        for chunk in in_chunks([one for one in examples if id(one) not in told], self._chunk_tokens):
            if not slot.is_whole:
                self._read(slot, chunk)
            made = outputs(self._vectors(slot, chunk) * slot.stretch, slot.weight, slot.bias)
            parts = torch.split(made, [one.n_trained for one in chunk])
            told |= {id(one): (one, part) for one, part in zip(chunk, parts, strict=True)}
            self._give_way()
        return [told[id(one)][1] for one in examples]

    def _vectors(self, slot: HeadSlot, examples: Sequence[HeadExample]) -> Tensor:
        """The vectors of all answers, in the examples' order. Shape [answer, d_model]."""
        if not slot.is_whole:
            return torch.cat([slot.vectors[id(one)][1] for one in examples])
        end = yield_between(slot.encoder, self._give_way)
        try:
            return torch.cat(_read(slot.encoder, examples))
        finally:
            end()

    def _read(self, slot: HeadSlot, examples: Sequence[HeadExample]) -> None:
        """Have the frozen encoder's vectors of examples in the slot."""
        keys = {id(one): (one, _key(slot.loaded, one)) for one in examples if id(one) not in slot.vectors}
        for one, key in keys.values():
            known = self._known.get(key)
            if known is not None:
                slot.vectors[id(one)] = (one, known.vectors)
        left = [one for one, _key in keys.values() if id(one) not in slot.vectors]
        for chunk in in_chunks(left, self._chunk_tokens):
            with torch.no_grad():
                vectors = _read(slot.loaded, chunk)
            check_finite(slot.loaded, *vectors)
            for one, made in zip(chunk, vectors, strict=True):
                slot.vectors[id(one)] = (one, made)
                self._known.put(keys[id(one)][1], KnownVectors(made))
            self._give_way()


def _read(loaded: LoadedModel, examples: Sequence[HeadExample]) -> list[Tensor]:
    """The vectors of each example's answers. Each [answer, d_model]."""
    return [
        word_vectors(states, one.places) if one.places else text_vector(states)
        for states, one in zip(last_states(loaded, examples), examples, strict=True)
    ]


def _key(loaded: LoadedModel, one: HeadExample) -> tuple[object, ...]:
    """All that the vectors of an example depend on."""
    return loaded.info.model_id, loaded.info.revision, one.input_ids, one.segments, one.places


def _targets(examples: Sequence[HeadExample]) -> Tensor:
    """Numbers of the right labels, or the numbers asked for. Shape [answer]."""
    return torch.tensor([target for one in examples for target in one.targets])

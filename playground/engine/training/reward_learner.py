"""Reward models that are trained, several runs in turn, on states that the frozen base gave once."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from playground.core.byte_cache import ByteCache
from playground.engine.contract.preferences import PairExample, RewardObservation, RewardRequest
from playground.engine.contract.training import TrainingRequest
from playground.engine.models.loaded import LoadedModel
from playground.engine.task_heads.rewards import Ids, RewardHead, in_chunks, last_states
from playground.engine.training.learner import GiveWay

Pairs = Sequence[PairExample]


@dataclass(frozen=True, slots=True)
class KnownState:
    """The last state of one text, for every run that learns from it. Shape [d_model]."""

    state: Tensor

    @property
    def size_bytes(self) -> int:
        """Memory of the state."""
        return self.state.nbytes


class RewardSlot:
    """A row of weights with its optimizer.

    Args:
        request: Its run.
        loaded: The base.
    """

    guess_loss = math.inf

    def __init__(self, request: RewardRequest, loaded: LoadedModel) -> None:
        self.settings, self.n_pairs = request.settings, len(request.train)
        self.group: Hashable = id(loaded.template)
        self.start: Hashable = request.settings.model
        self.weight = torch.zeros(loaded.info.d_model, device=loaded.device, requires_grad=True)
        self.states: dict[Ids, Tensor] = {}
        self.optimizer = torch.optim.AdamW([self.weight], lr=self.settings.learning_rate, weight_decay=0.0)
        self._loaded: LoadedModel | None = loaded

    @property
    def loaded(self) -> LoadedModel:
        """The base, of a run that has not ended."""
        assert self._loaded is not None, "its run has ended"
        return self._loaded

    def penalty(self) -> Tensor:
        """The penalty on the weights, divided by the number of pairs that it learns from. Shape []."""
        return self.weight.square().sum() / (2 * self.settings.inverse_penalty * self.n_pairs)

    def snapshot(self, step: int, number: int) -> RewardHead:
        """A copy of what it has learned."""
        return RewardHead(self.settings, step, number, self.weight.detach().clone().cpu())

    def forget(self) -> None:
        """Release its memory and its base; the run has ended."""
        self._loaded = None
        self.states.clear()
        self.optimizer.state.clear()
        self.optimizer.param_groups.clear()


class RewardLearner:
    """Trains each reward model in place, one after another, so there is nothing to unpack.

    The loss of a pair is -log sigmoid(w · (state of the chosen answer - state of the rejected one)): logistic
    regression without an intercept on the differences.

    Args:
        slots: At least one, of one base.
        known: Last states of texts.
        chunk_tokens: Tokens that are read between two turns of others.
        give_way: Called between two chunks: others may use the engine there.
    """

    def __init__(
        self,
        slots: Sequence[RewardSlot],
        known: ByteCache[KnownState],
        chunk_tokens: int,
        give_way: GiveWay,
    ) -> None:
        self.slots = slots
        self._known, self._chunk_tokens, self._give_way = known, chunk_tokens, give_way

    def step(self, batches: Sequence[Pairs]) -> list[float]:
        """One optimizer step of every slot; when one fails, none has changed."""
        found = [self._learned(*one) for one in zip(self.slots, batches, strict=True)]
        for slot in self.slots:
            slot.optimizer.step()
            slot.optimizer.zero_grad()
        return found

    def _learned(self, slot: RewardSlot, pairs: Pairs) -> float:
        """The mean loss of a batch's pairs; its gradients wait in the slot."""
        slot.optimizer.zero_grad()
        chosen, rejected = self._states(slot, pairs)
        self._give_way()
        with torch.enable_grad():
            loss = softplus(-(chosen - rejected) @ slot.weight).mean()
            (loss + slot.penalty()).backward()  # type: ignore[no-untyped-call]
        self._give_way()
        return loss.item()

    @torch.no_grad()
    def measure(self, index: int, examples: Pairs) -> list[float]:
        """The loss of each pair."""
        slot = self.slots[index]
        chosen, rejected = self._states(slot, examples)
        losses: list[float] = softplus(-(chosen - rejected) @ slot.weight).tolist()
        return losses

    @torch.no_grad()
    def observe(self, index: int, request: TrainingRequest, step: int) -> RewardObservation | None:
        """Rewards of the held-out pairs; after the last step of all pairs. None where none is held out."""
        assert isinstance(request, RewardRequest)
        is_last = step >= request.settings.n_steps
        if not request.held_out and not is_last:
            return None
        held_out = self._rewards(index, request.held_out)
        if not is_last:
            return RewardObservation(step, *held_out)
        rest = self._rewards(index, request.train), self._rewards(index, request.general)
        return RewardObservation(step, *held_out, *rest)

    def _rewards(self, index: int, pairs: Pairs) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Rewards of the chosen and of the rejected answers."""
        if not pairs:
            return (), ()
        slot = self.slots[index]
        chosen, rejected = self._states(slot, pairs)
        return tuple((chosen @ slot.weight).tolist()), tuple((rejected @ slot.weight).tolist())

    def unpack(self, index: int) -> None:
        """Nothing: the slot's numbers are those that are trained."""

    def _states(self, slot: RewardSlot, pairs: Pairs) -> tuple[Tensor, Tensor]:
        """Last states of the chosen and of the rejected answers. Each [pair, d_model]."""
        chosen = [(*one.prompt_ids, *one.chosen_ids) for one in pairs]
        rejected = [(*one.prompt_ids, *one.rejected_ids) for one in pairs]
        self._read(slot, [text for both in zip(chosen, rejected, strict=True) for text in both])
        return tuple(torch.stack([slot.states[text] for text in texts]) for texts in (chosen, rejected))  # type: ignore[return-value]

    def _read(self, slot: RewardSlot, texts: Sequence[Ids]) -> None:
        """Have the last states of texts in the slot."""
        keys = {text: (slot.loaded.info.model_id, slot.loaded.info.revision, text) for text in texts}
        left = []
        for text in dict.fromkeys(texts):
            if text in slot.states:
                continue
            if (known := self._known.get(keys[text])) is None:
                left.append(text)
            else:
                slot.states[text] = known.state
        for chunk in in_chunks(left, self._chunk_tokens):
            for text, state in zip(chunk, last_states(slot.loaded, chunk), strict=True):
                slot.states[text] = state.clone()
                self._known.put(keys[text], KnownState(slot.states[text]))
            self._give_way()

"""K policies of one base that learn from rewards in one step: policy gradient with PPO's clipped objective.

A step is one *rollout* and a few updates on it:

    write     each slot answers its prompts with the weights it has; old log-probabilities are kept
    judge     reward of each answer, less kl_beta times its distance to the reference (k1, summed)
    compare   with the other answers to the same prompt: leave-one-out advantages
    update    n_updates times: the ratio to the old probabilities, clipped, times the advantage

The reference is the base without the slots' changes. A rollout belongs to its slot: who rests meanwhile goes
on with it. It is made when a run is observed, before the step that learns from it, so that an observation
after s steps describes the policy of s steps, and that before the first step the base.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from playground.core.rewards import finite_rewards
from playground.engine.contract.policies import PolicyObservation, PromptExample
from playground.engine.contract.training import TrainingRequest
from playground.engine.models.finite import check_finite, is_finite
from playground.engine.models.loaded import LoadedModel
from playground.engine.training.bank import AdapterBank, BatchRows
from playground.engine.training.learner import GiveWay
from playground.engine.training.packing import Packed, packed
from playground.engine.training.policy_slot import Batch, PolicySlot, Rollout
from playground.engine.training.rollouts import ReferenceModel, text_of, write_answers
from playground.errors import Diverged

log = logging.getLogger(__name__)
MAX_SHOWN = 16  # answers of a rollout that are told


class PolicyBank(AdapterBank):
    """Policies of one base that are trained together.

    Args:
        loaded: The base.
        slots: At least one, with the same number of updates a step.
        give_way: Called between two layers of every forward and backward.
    """

    slots: list[PolicySlot]  # type: ignore[assignment]

    def __init__(self, loaded: LoadedModel, slots: Sequence[PolicySlot], give_way: GiveWay) -> None:
        super().__init__(loaded, slots, give_way)
        self._reference = ReferenceModel(loaded, give_way)

    def step(self, texts: Sequence[Sequence[PromptExample]]) -> list[float]:
        """One rollout of every slot, where there is none yet, and the updates that learn from it.

        Args:
            texts: The prompts of each slot.

        Returns:
            Of each slot: the mean over prompts of minus the mean objective of the tokens of their answers,
            before the first update; not finite where the slot has broken down.

        Raises:
            Exception: Whatever went wrong; no slot has changed then.
        """
        restored = [slot.restorer() for slot in self.slots]
        parts = self._values, self._first, self._second
        numbers = [part.clone() for part in parts]
        try:
            return self._learned([tuple(own) for own in texts])
        except BaseException:
            for part, number in zip(parts, numbers, strict=True):
                part.copy_(number)
            for restore in restored:
                restore()
            raise

    def measure(self, index: int, texts: Sequence[PromptExample]) -> list[float]:  # type: ignore[override]
        """The loss of each prompt by the answers that the slot's next step learns from."""
        return self._rollout(index, tuple(texts)).losses if texts else []

    def observe(self, index: int, request: TrainingRequest, step: int) -> PolicyObservation:
        """The policy as it is, by the answers that its next step will learn from."""
        slot = self.slots[index]
        places = slot.places(step)
        found = self._rollout(index, tuple(slot.request.train[at] for at in places))
        return PolicyObservation(
            step,
            reward=float(found.rewards.mean()),
            kl=float(found.kl.mean()),
            k1=float(found.k1.mean()),
            clipped=slot.clipped,
            entropy=float(found.compared.entropy.mean()),
            answers=found.shown(places, MAX_SHOWN),
            spread=found.spread,
        )

    def dropped(self, x: torch.Tensor) -> torch.Tensor:
        """`x` as it is: a policy is judged by what it would write, so dropout is refused.

        Args:
            x: Shape [slot, node, d_in].
        """
        return x

    # ---- rollouts

    def _rollout(self, index: int, batch: Batch) -> Rollout:
        """The judged answers of one slot to these prompts.

        Where it has to write, all whose next answers are due write beside it: a token costs hardly more for
        two slots than for one.
        """
        slot = self.slots[index]
        if not slot.has_written_to(batch):
            due = {at: one.next_batch() for at, one in enumerate(self.slots) if one.written is None}
            try:
                self._write({**due, index: batch})
            except Exception as error:  # whose it is shows where each writes alone
                if not due.keys() - {index}:
                    raise
                log.warning("%d runs cannot write together, one goes on alone", len(due), exc_info=error)
            if not slot.has_written_to(batch):  # out here, where what the failed one held is free again
                self._write({index: batch})
        if slot.rollout is None:
            slot.rollout = self._judged(slot)
        return slot.rollout

    @torch.no_grad()
    def _write(self, wanted: Mapping[int, Batch]) -> None:
        """Have slots answer these prompts: all at once, or where not all have to one after another."""
        restored = [self.slots[index].restorer() for index in wanted]
        try:
            self._written(wanted)
        except BaseException:
            for restore in restored:
                restore()
            raise

    def _written(self, wanted: Mapping[int, Batch]) -> None:
        for index in wanted:
            self.slots[index].drop()
        is_all = len(wanted) == len(self.slots)
        for part in [list(wanted)] if is_all else [[one] for one in wanted]:
            self.rows = BatchRows((), only=None if is_all else part[0])
            writers, prompts, uniform = [self.slots[index] for index in part], [], []
            for index, slot in zip(part, writers, strict=True):
                asked = slot.settings
                prompts.append([one.prompt_ids for one in wanted[index] for _ in range(asked.n_answers)])
                uniform.append(torch.rand((len(prompts[-1]), asked.max_new_tokens), generator=slot.random))
            temperatures = [slot.settings.temperature for slot in writers]
            found = write_answers(self._loaded, self._tree, prompts, uniform, temperatures)
            for index, slot, written in zip(part, writers, found, strict=True):
                slot.written = wanted[index], written

    @torch.no_grad()
    def _judged(self, slot: PolicySlot) -> Rollout:
        assert slot.written is not None
        written, loaded = slot.written[1], self._loaded
        if slot.n_steps and not is_finite(written.logprobs):
            raise Diverged(step=slot.n_steps, loss="nan")
        check_finite(loaded, written.logprobs)
        compared = self._reference.compare(written, slot.settings.temperature)
        texts = tuple(text_of(loaded.tokenizer, one) for one in written.answers)
        rewards = finite_rewards(slot.judge(written, texts))
        return Rollout(written, compared, texts, rewards, slot.settings)

    # ---- updates

    def _learned(self, batches: Sequence[Batch]) -> list[float]:
        stale = {
            index: batch
            for index, (slot, batch) in enumerate(zip(self.slots, batches, strict=True))
            if not slot.has_written_to(batch)
        }
        if stale:
            self._write(stale)
        rollouts = [self._rollout(index, batch) for index, batch in enumerate(batches)]
        batch = packed([one.written.texts() for one in rollouts])
        slot_of = torch.from_numpy(batch.slots).to(self._loaded.device)
        losses = torch.zeros(len(self.slots), device=self._loaded.device)
        is_fine = torch.ones_like(losses, dtype=torch.bool)
        for number in range(self.slots[0].settings.n_updates):
            each, is_clipped = self._carried_back(batch, rollouts)
            if number == 0:
                losses.index_add_(0, slot_of, each)
            is_fine &= self._update()
        for index, slot in enumerate(self.slots):
            slot.clipped = float(is_clipped[slot_of == index].double().mean())
            slot.drop()
        return torch.where(is_fine, losses, torch.nan).tolist()

    def _carried_back(self, batch: Packed, rollouts: Sequence[Rollout]) -> tuple[torch.Tensor, torch.Tensor]:
        """Have the gradients of PPO's clipped objective.

        Returns:
            Share of every token in its slot's loss, and whether it is clipped. Shapes [token].

        Source:
            As `core.policy.ppo.clipped_objective`.
        """
        old = torch.cat([one.written.logprobs for one in rollouts])
        gains, weights, epsilon, temperatures = (
            torch.from_numpy(np.concatenate(part)).to(old)
            for part in zip(*(_targets(one) for one in rollouts), strict=True)
        )
        self.rows = BatchRows(batch.lengths)
        self._grads.zero_()
        with torch.enable_grad():
            ratios = (-self._surprisals(batch, temperatures) - old).exp()
            free = ratios * gains
            within = ratios.clamp(1 - epsilon, 1 + epsilon) * gains
            each = -torch.minimum(free, within) * weights
            each.sum().backward()  # type: ignore[no-untyped-call]
        return each.detach(), (within < free).detach()


def _targets(rollout: Rollout) -> tuple[np.ndarray, ...]:
    """Advantage, weight in the loss, epsilon and temperature of every token of a slot. Each [token]."""
    asked, n = rollout.settings, len(rollout.weights)
    return rollout.gains, rollout.weights, np.full(n, asked.epsilon), np.full(n, asked.temperature)

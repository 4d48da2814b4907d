"""Networks that are trained from nothing on pairs, several runs in turn."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from playground.core.pairs.vocabulary import START
from playground.engine.contract.pairs import PairExample, PairsObservation, PairsRequest
from playground.engine.contract.training import TrainingRequest
from playground.engine.recurrent.building import AnyNetwork, Batch, batch_of, new_network
from playground.engine.recurrent.network import Step, joined
from playground.engine.recurrent.threads import lending, threads
from playground.engine.recurrent.trained import TrainedNetwork
from playground.engine.recurrent.writing import n_right
from playground.engine.training.learner import GiveWay

MAX_NORM = 1.0  # of a step's gradient; longer ones are shortened (Pascanu et al. 2013)
N_OBSERVED = 100  # held-out pairs that are written at each milestone


class PairSlot:
    """One network with its optimizer.

    Args:
        request: Its run.
    """

    group: Hashable = ()

    def __init__(self, request: PairsRequest) -> None:
        settings = request.settings
        self._request: PairsRequest | None = request
        n_source, n_target = len(request.source_characters), len(request.target_characters)
        self.start = (settings.network, settings.seed, n_source, n_target)
        self.guess_loss = float(torch.log(torch.tensor(n_target + 1.0)))
        self.teacher_forcing, self.seed, self.n_steps = settings.teacher_forcing, settings.seed, 0
        self._network: AnyNetwork | None = new_network(settings.network, n_source, n_target, settings.seed)
        self.optimizer = torch.optim.AdamW(
            self._network.parameters(), lr=settings.learning_rate, weight_decay=0.0
        )

    @property
    def network(self) -> AnyNetwork:
        """The network as it is now."""
        assert self._network is not None, "its run has ended"
        return self._network

    def snapshot(self, step: int, number: int) -> TrainedNetwork:
        """A copy of what it has learned."""
        request = self._request
        assert request is not None, "its run has ended"
        values = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        return TrainedNetwork(
            request.settings, request.source_characters, request.target_characters, step, number, values
        )

    def forget(self) -> None:
        """Release its memory."""
        self._network = self._request = None
        self.optimizer.state.clear()
        self.optimizer.param_groups.clear()


class PairLearner:
    """Trains each network in place, one after another, so there is nothing to unpack.

    Args:
        slots: At least one.
        give_way: Called between the parts of a step: others may use the engine there.
    """

    def __init__(self, slots: Sequence[PairSlot], give_way: GiveWay) -> None:
        self.slots, self._give_way = slots, give_way

    def step(self, batches: Sequence[Sequence[PairExample]]) -> list[float]:
        """One optimizer step of every slot; when one fails, none has changed."""
        with threads(1) as all_threads:
            give_way = lending(self._give_way, all_threads)
            losses = [
                self._learned(slot, batch_of(one), give_way)
                for slot, one in zip(self.slots, batches, strict=True)
            ]
            for slot in self.slots:
                clip_grad_norm_(slot.network.parameters(), MAX_NORM)
                slot.optimizer.step()
                slot.optimizer.zero_grad()
                slot.n_steps += 1
        return losses

    def _learned(self, slot: PairSlot, batch: Batch, give_way: GiveWay) -> float:
        """The loss of a batch; its gradients wait in the slot."""
        slot.optimizer.zero_grad()
        with torch.enable_grad():
            logits = self._written(slot, batch)
            give_way()
            loss = cross_entropy(logits[batch.counts], batch.targets[batch.counts])
            loss.backward()  # type: ignore[no-untyped-call]
        give_way()
        return loss.item()

    def _written(self, slot: PairSlot, batch: Batch) -> Tensor:
        """Logits of every step. Shape [row, step, d_vocab]."""
        network = slot.network
        memory = network.read(network.embed(batch.source), batch.lengths)
        if slot.teacher_forcing >= 1:
            return network.forced(batch.inputs, memory).logits
        drawn = torch.Generator().manual_seed((slot.seed << 20) + slot.n_steps)
        is_forced = torch.rand(batch.inputs.shape, generator=drawn) < slot.teacher_forcing
        state, steps, last = memory.first, list[Step](), torch.full((len(batch.inputs),), START)
        for place in range(batch.inputs.shape[1]):
            last = torch.where(is_forced[:, place], batch.inputs[:, place], last) if place else last
            step, state = network.step(last, state, memory)
            steps.append(step)
            last = step.logits[:, 0].argmax(-1)
        return joined(steps).logits

    @torch.no_grad()
    def measure(self, index: int, examples: Sequence[PairExample]) -> list[float]:
        """The loss of each example under teacher forcing, summed over its target and its end."""
        network, batch = self.slots[index].network, batch_of(examples)
        with threads(1):
            memory = network.read(network.embed(batch.source), batch.lengths)
            logits = network.forced(batch.inputs, memory).logits
        losses = cross_entropy(logits.transpose(1, 2), batch.targets, reduction="none")
        self._give_way()
        sums: list[float] = (losses * batch.counts).sum(1).tolist()
        return sums

    @torch.no_grad()
    def observe(self, index: int, request: TrainingRequest, step: int) -> PairsObservation:
        """Exact match on a fixed held-out sample, and the alignment of the shown pair."""
        assert isinstance(request, PairsRequest)
        network, batch = self.slots[index].network, batch_of([request.shown])
        asked = request.held_out[:N_OBSERVED]
        with threads(1) as all_threads:
            shown = network.forced(batch.inputs, network.read(network.embed(batch.source), batch.lengths))
            right = n_right(network, asked, lending(self._give_way, all_threads)) if asked else 0
        weights = None if shown.weights is None else shown.weights[0].numpy()
        return PairsObservation(step, right, len(asked), tuple(shown.logits[0].argmax(-1).tolist()), weights)

    def unpack(self, index: int) -> None:
        """Nothing: the slot's network is the one that is trained."""

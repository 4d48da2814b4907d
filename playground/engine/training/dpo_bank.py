"""Direct preference optimization of K adapters of one base in one step.

    log-ratio   log p(answer | prompt) by the policy, less the same by the reference
    margin      beta · (log-ratio of the chosen answer - log-ratio of the rejected one)
    loss        -log sigmoid(margin), mean of a batch's pairs: ln 2 while the policy is the reference

Both answers to a prompt are branches of the slot's tree, so the prompt is read once. The reference is the
base without an adapter, over the same tensors: its log-probabilities are known after the first time.

Source:
    Rafailov et al. 2023, "Direct Preference Optimization: Your Language Model is Secretly a Reward Model",
    arXiv:2305.18290, equation 7.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from playground.core.byte_cache import ByteCache
from playground.engine.contract.preferences import (
    OBSERVED_TRAIN,
    DpoObservation,
    DpoRequest,
    DpoSettings,
    Ids,
    PairExample,
    PairLogprobs,
)
from playground.engine.contract.training import TrainingRequest, TrainingText
from playground.engine.forward.head import logits_of
from playground.engine.models.loaded import LoadedModel
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.bank import AdapterBank, BatchRows
from playground.engine.training.learner import GiveWay
from playground.engine.training.packing import packed
from playground.engine.training.reference import Known, Reference, chunks, kl_from, parts


@dataclass(frozen=True, slots=True)
class _Told:
    """A pair under one slot and the reference.

    Attributes:
        logprobs: Of both answers by the policy, then by the reference, nats.
        kl: KL divergence from the reference, summed over the tokens of both answers, nats.
        n: Number of those tokens.
    """

    logprobs: tuple[float, float, float, float]
    kl: float
    n: int


class DpoBank(AdapterBank):
    """Adapters of one base that learn from preference pairs together. Only the engine's thread touches it.

    Args:
        loaded: The base.
        slots: At least one, of runs with `DpoSettings`.
        give_way: Called between two layers of every forward and backward.
        known: Texts under references.
        chunk_tokens: Most tokens that are read together without training.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        slots: Sequence[AdapterSlot],
        give_way: GiveWay,
        known: ByteCache[Known],
        chunk_tokens: int,
    ) -> None:
        super().__init__(loaded, slots, give_way)
        self._reference = Reference(loaded, known, give_way, chunk_tokens)
        self._chunk_tokens = chunk_tokens
        self._told: list[dict[PairExample, _Told]] = [{} for _ in slots]  # since the last step

    def _stepped(self, texts: Sequence[Sequence[Any]]) -> list[float]:
        """One step of every slot on its batch of pairs; the loss of each before it, nats a pair."""
        read = [[text for pair in own for text in _texts(pair)] for own in texts]
        flat = [text for own in read for text in own]
        known = torch.cat([one.logprobs for own in read for one in self._reference.of(own)])
        slot_of, betas, weights = self._of_pairs(list(map(len, texts)))
        self._grads.zero_()
        batch = packed(read)
        self.rows = BatchRows(batch.lengths)
        with torch.enable_grad():
            ratios = -self._surprisals(batch) - known
            log_ratios = _summed(ratios, [text.n_trained for text in flat]).view(-1, 2)
            losses = softplus(-betas * (log_ratios[:, 0] - log_ratios[:, 1]))
            (losses * weights).sum().backward()  # type: ignore[no-untyped-call]
        means = torch.zeros(len(texts), device=losses.device)
        means.index_add_(0, slot_of, losses.detach() * weights)
        is_fine = self._update()
        self._told = [{} for _ in self.slots]
        return torch.where(is_fine, means, torch.nan).tolist()

    @torch.no_grad()
    def measure(self, index: int, texts: Sequence[Any]) -> list[float]:
        """The loss of each pair under one slot, nats, without dropout."""
        found: list[float] = _logprobs(self._read(index, texts)).dpo(self._beta(index)).losses.tolist()
        return found

    @torch.no_grad()
    def observe(self, index: int, request: TrainingRequest, step: int) -> DpoObservation:
        """Held-out pairs, and the first of those that are learned from, under policy and reference."""
        assert isinstance(request, DpoRequest)
        held_out = self._read(index, request.held_out)
        train = self._read(index, request.train[:OBSERVED_TRAIN])
        counted = held_out or train
        n = sum(one.n for one in counted)
        kl = math.fsum(one.kl for one in counted) / n
        return DpoObservation(step, _logprobs(held_out), _logprobs(train), kl, n)

    # ---- within

    def _beta(self, index: int) -> float:
        settings = self.slots[index].request.settings
        assert isinstance(settings, DpoSettings)
        return settings.beta

    def _of_pairs(self, sizes: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Slot, beta and weight in its batch's mean of every pair. Each [pair]."""
        device = self._loaded.device
        counts = torch.tensor(sizes, device=device)
        each = (
            torch.arange(len(sizes), device=device),
            torch.tensor([self._beta(index) for index in range(len(sizes))], device=device),
            1 / counts,
        )
        slot_of, betas, weights = (one.repeat_interleave(counts) for one in each)
        return slot_of, betas, weights

    def _read(self, index: int, pairs: Sequence[PairExample]) -> list[_Told]:
        """Pairs under one slot as it is now, computed once between two steps."""
        told = self._told[index]
        new = [pair for pair in dict.fromkeys(pairs) if pair not in told]
        for chunk in chunks([(pair, pair.n_tokens) for pair in new], self._chunk_tokens):
            texts = [text for pair in chunk for text in _texts(pair)]
            found = self._compared(index, texts)
            for pair, chosen, rejected in zip(chunk, found[::2], found[1::2], strict=True):
                policy, reference, kl, n = zip(chosen, rejected, strict=True)
                told[pair] = _Told((*policy, *reference), sum(kl), int(sum(n)))
        return [told[pair] for pair in pairs]

    def _compared(self, index: int, texts: Sequence[TrainingText]) -> list[tuple[float, float, float, float]]:
        """Log-probability of each answer by policy and reference, KL along it, nats, and its tokens."""
        known = self._reference.of(texts)
        batch = packed([texts])
        self.rows = BatchRows((), only=index)
        ids, positions, visible, nodes, labels = (
            torch.from_numpy(part).to(self._loaded.device)
            for part in (batch.input_ids, batch.position_ids, batch.visible, batch.nodes, batch.labels)
        )
        states = self._states(ids, positions, visible)[0, nodes]
        logprobs = torch.cat([self._logprobs(states[part], labels[part]) for part in parts(len(states))])
        kl = kl_from(self._reference, self._tree, states, torch.cat([one.states for one in known]))
        counts = [text.n_trained for text in texts]
        each = zip(torch.split(logprobs, counts), known, torch.split(kl, counts), counts, strict=True)
        return [
            (_total(own), _total(one.logprobs), _total(divergence), float(n))
            for own, one, divergence, n in each
        ]

    def _logprobs(self, states: Tensor, labels: Tensor) -> Tensor:
        """Log-probability of each of these tokens, nats. Shape [token]."""
        logits = logits_of(self._tree, states)
        return logits.log_softmax(-1).gather(-1, labels[:, None])[:, 0]


def _texts(pair: PairExample) -> Iterator[TrainingText]:
    """The chosen and the rejected answer as texts of which only the answer counts."""
    yield answer_text(pair.prompt_ids, pair.chosen_ids)
    yield answer_text(pair.prompt_ids, pair.rejected_ids)


def answer_text(prompt_ids: Ids, answer_ids: Ids) -> TrainingText:
    """A prompt and an answer as a text of which only the answer counts.

    Example:
        >>> answer_text((5, 6), (7,))
        TrainingText(input_ids=(5, 6, 7), is_trained=(False, False, True), n_cut=0)
    """
    return TrainingText((*prompt_ids, *answer_ids), (False,) * len(prompt_ids) + (True,) * len(answer_ids))


def _summed(values: Tensor, counts: Sequence[int]) -> Tensor:
    """Sums of so many values each, in order. Shape [text]."""
    of_text = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts)).to(values.device)
    return values.new_zeros(len(counts)).index_add(0, of_text, values)


def _total(values: Tensor) -> float:
    return math.fsum(values.tolist())


def _logprobs(told: Sequence[_Told]) -> PairLogprobs:
    chosen, rejected, ref_chosen, ref_rejected = (
        tuple(one.logprobs[place] for one in told) for place in range(4)
    )
    return PairLogprobs(chosen, rejected, ref_chosen, ref_rejected)

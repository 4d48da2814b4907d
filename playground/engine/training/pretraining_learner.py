"""Transformers that are trained from random weights: all runs of one shape in one step."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from playground.core.pretraining import ByteWindow
from playground.engine.contract.pretraining import (
    PretrainingObservation,
    PretrainingRequest,
    PretrainingSettings,
)
from playground.engine.contract.training import TrainingRequest
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.traced_attention import collect_attentions, weights_of
from playground.engine.pretraining.bytes import IGNORED, MARKS, N_BYTES, Batch, batch_of
from playground.engine.pretraining.shapes import FAMILY_OF, empty_model, first_values
from playground.engine.pretraining.stacked import Stacked, flat
from playground.engine.pretraining.trained import PretrainedModel
from playground.engine.recurrent.threads import lending, threads
from playground.engine.training.learner import GiveWay
from playground.engine.training.yield_points import yield_before

BETAS, EPS, MAX_NORM = (0.9, 0.99), 1e-8, 1.0
LAST_RATE = 0.1  # of the largest, at the end of the decay
EVERY = 4  # of the fixed sentence's bytes is hidden and filled
N_MEASURED = 16  # windows of one forward
ALONE = 2**17  # numbers of a layer's input below which a second thread costs more than it brings


def rate(settings: PretrainingSettings, step: int) -> float:
    """Learning rate of a step, from 0 on: a linear warm-up, then half a cosine down to a tenth.

    Example:
        >>> from dataclasses import replace
        >>> some = PretrainingSettings("", "", n_steps=100, learning_rate=1.0, warm_up=4)
        >>> rate(some, 0), rate(some, 3), round(rate(some, 99), 3)
        (0.25, 1.0, 0.1)
    """
    if step < settings.warm_up:
        return settings.learning_rate * (step + 1) / settings.warm_up
    if not settings.decays:
        return settings.learning_rate
    gone = (step - settings.warm_up) / max(1, settings.n_steps - 1 - settings.warm_up)
    falling = (1 + math.cos(math.pi * min(1.0, gone))) / 2
    return settings.learning_rate * (LAST_RATE + (1 - LAST_RATE) * falling)


def shape_of(settings: PretrainingSettings) -> tuple[object, ...]:
    """All that says how large a model is."""
    return settings.objective, settings.n_layers, settings.d_model, settings.n_heads, settings.window


class PretrainingSlot:
    """One model with its optimizer, as rows of numbers.

    Attributes:
        values, first, second: Weights, and the two moments of Adam. Shape [number].

    Args:
        request: Its run.
    """

    def __init__(self, request: PretrainingRequest) -> None:
        settings = request.settings
        self.settings, self.n_steps = settings, 0
        self.group: Hashable = (*shape_of(settings), settings.batch_size)
        self.start = (*shape_of(settings), settings.seed)
        self.guess_loss = math.log(N_BYTES + len(MARKS[settings.objective]))
        model = empty_model(settings, is_traced=False)
        self.values = flat(list(first_values(model, settings).values()))
        self.first, self.second = torch.zeros_like(self.values), torch.zeros_like(self.values)

    def snapshot(self, step: int, number: int) -> PretrainedModel:
        """A copy of what it has learned."""
        return PretrainedModel(self.settings, step, number, self.values.clone())

    def forget(self) -> None:
        """Release its memory."""
        self.values = self.first = self.second = torch.zeros(0)


class PretrainingLearner:
    """Trains models of one shape together; the library computes, over layers that hold all their weights.

    The losses are summed, so each model's gradients are those of a run alone. Clipping and Adam are a dozen
    operations over all numbers.

    Args:
        slots: At least one, all of one group.
        give_way: Called between two layers of every forward and backward.
    """

    def __init__(self, slots: Sequence[PretrainingSlot], give_way: GiveWay) -> None:
        self.slots = list(slots)
        self._objective, shape = slots[0].settings.objective, slots[0].settings
        stacked = [
            torch.stack([getattr(one, name) for one in slots]) for name in ("values", "first", "second")
        ]
        self._values, self._first, self._second = stacked
        self._stacked = Stacked(empty_model(shape, is_traced=True), self._values)
        self._lends = _Lends(give_way)
        n_states = len(slots) * shape.batch_size * shape.window * shape.d_model
        self._n_threads = self._lends.n_threads if n_states >= ALONE else 1
        base, family = self._stacked.model.base_model, FAMILIES[FAMILY_OF[self._objective]]
        for path in filter(None, (family.blocks, family.target_blocks)):
            yield_before(base.get_submodule(path), self._lends)

    def step(self, batches: Sequence[Sequence[ByteWindow]]) -> list[float]:
        """One optimizer step of every slot; when one fails, none has changed."""
        batch = _joined([batch_of(self._objective, one) for one in batches])
        with threads(self._n_threads) as self._lends.n_threads:
            with torch.enable_grad():
                logits = self._logits(batch)
                told = cross_entropy(
                    logits.transpose(1, 2), batch.targets, ignore_index=IGNORED, reduction="none"
                )
                counts = (batch.targets != IGNORED).view(len(batches), -1).sum(1)
                losses = told.view(len(batches), -1).sum(1) / counts
                grads = self._stacked.gradients(losses.sum())
            self._update(grads)
        return [float(one) for one in losses.tolist()]

    def _update(self, grads: Tensor) -> None:
        """Clip each slot's gradient, and take AdamW's step without weight decay."""
        norms = torch.linalg.vector_norm(grads, dim=1, keepdim=True)
        grads.mul_((MAX_NORM / (norms + 1e-6)).clamp(max=1.0))
        self._first.lerp_(grads, 1 - BETAS[0])
        self._second.mul_(BETAS[1]).addcmul_(grads, grads, value=1 - BETAS[1])
        steps = [slot.n_steps + 1 for slot in self.slots]
        rates = [
            rate(slot.settings, slot.n_steps) / (1 - BETAS[0] ** step)
            for slot, step in zip(self.slots, steps, strict=True)
        ]
        roots = torch.tensor([(1 - BETAS[1] ** step) ** 0.5 for step in steps])[:, None]
        moves = self._first / self._second.sqrt().div_(roots).add_(EPS)
        self._values.sub_(moves.mul_(torch.tensor(rates)[:, None]))
        for slot, step in zip(self.slots, steps, strict=True):
            slot.n_steps = step

    def _logits(self, batch: Batch, only: int | None = None) -> Tensor:
        """Logits of every place. Shape [row, place, d_vocab]."""
        more: dict[str, Tensor | bool] = {}
        if batch.decoder_ids is not None:
            more["decoder_input_ids"] = batch.decoder_ids
        if self._objective != "masked":
            more["use_cache"] = False
        logits: Tensor = self._stacked(only, input_ids=batch.input_ids, **more).logits
        return logits

    @torch.no_grad()
    def measure(self, index: int, examples: Sequence[ByteWindow]) -> list[float]:
        """The loss of each example under one slot, summed over what counts in it."""
        sums: list[float] = []
        with threads(1) as self._lends.n_threads:
            for start in range(0, len(examples), N_MEASURED):
                batch = batch_of(self._objective, examples[start : start + N_MEASURED])
                logits = self._logits(batch, index)
                told = cross_entropy(
                    logits.transpose(1, 2), batch.targets, ignore_index=IGNORED, reduction="none"
                )
                sums += told.sum(1).tolist()
        return sums

    @torch.no_grad()
    def observe(self, index: int, request: TrainingRequest, step: int) -> PretrainingObservation:
        """Attention on the fixed sentence, rows of the embedding, and gaps filled."""
        assert isinstance(request, PretrainingRequest)
        data = torch.tensor(list(request.fixed))
        with threads(1) as self._lends.n_threads:
            maps = self._attention(index, data)
            filled = self._filled(index, data) if self._objective == "masked" else ""
        table = self._stacked.model.get_input_embeddings().weights[index]
        rows = table.detach()[list(request.mapped)].numpy().astype(np.float16)
        return PretrainingObservation(step, maps.numpy().astype(np.float16), rows, filled)

    def _attention(self, index: int, data: Tensor) -> Tensor:
        """Weights of every head on a sentence. Shape [layer, head, query, key]."""
        if self._objective == "span":
            ids = torch.cat([data, torch.tensor([N_BYTES + 1])])[None]
            found = self._stacked(
                index, input_ids=ids, decoder_input_ids=torch.tensor([[N_BYTES]]), use_cache=False,
                output_attentions=True,
            )  # fmt: skip
            return torch.stack([one[0] for one in found.encoder_attentions])
        with collect_attentions() as calls:
            self._stacked(index, input_ids=_framed(self._objective, data)[None])
        return weights_of(calls)[:, 0]

    def _filled(self, index: int, data: Tensor) -> str:
        """The sentence with every fourth byte as the model fills it."""
        hidden = torch.arange(EVERY - 1, len(data), EVERY)
        ids = _framed(self._objective, data)
        ids[1 + hidden] = N_BYTES
        logits: Tensor = self._stacked(index, input_ids=ids[None]).logits[0, 1 + hidden, :N_BYTES]
        written = data.clone()
        written[hidden] = logits.argmax(-1)
        return bytes(written.tolist()).decode("utf-8", "replace")

    def unpack(self, index: int) -> None:
        """Write what one slot has learned back into it."""
        slot = self.slots[index]
        slot.values, slot.first, slot.second = (
            one[index].clone() for one in (self._values, self._first, self._second)
        )


class _Lends:
    """Lets others use the engine, with all its threads.

    Attributes:
        n_threads: Number of those.
    """

    def __init__(self, give_way: GiveWay) -> None:
        self._give_way, self.n_threads = give_way, torch.get_num_threads()

    def __call__(self) -> None:
        lending(self._give_way, self.n_threads)()


def _framed(objective: str, data: Tensor) -> Tensor:
    """The sentence with the marks that frame a text of one stack."""
    first = [N_BYTES] if objective == "next" else [N_BYTES + 1]
    last = [] if objective == "next" else [N_BYTES + 2]
    return torch.cat([torch.tensor(first), data, torch.tensor(last, dtype=torch.int64)])


def _joined(batches: Sequence[Batch]) -> Batch:
    """The rows of all slots, one after another."""
    decoder = [one.decoder_ids for one in batches if one.decoder_ids is not None]
    return Batch(
        torch.cat([one.input_ids for one in batches]),
        torch.cat([one.targets for one in batches]),
        torch.cat(decoder) if decoder else None,
    )

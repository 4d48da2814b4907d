"""K adapters of one base trained in one step: operations a step do not grow with K.

Every slot keeps what makes a run its own: its texts, learning rate, Adam state and step count, clipping and
random streams. The K losses are summed, so each slot's gradients are exactly those of a run alone. Smaller
ranks and layers a slot does not train are filled with zeros: where A and B are both 0, both gradients are 0,
so the filling stays 0.

    values [number]   all trained numbers of all slots; A [slot, r, d_in] and B [slot, d_out, r] of every
                      layer are views of it, so clipping and Adam are a dozen operations for all of them
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn.functional import cross_entropy, linear

from playground.engine.adapters.layers import wrapped
from playground.engine.adapters.places import Key
from playground.engine.contract.training import Observation, TrainingRequest, TrainingText
from playground.engine.forward.head import logits_of
from playground.engine.models.loaded import LoadedModel
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.fisher import FisherTable
from playground.engine.training.learner import GiveWay
from playground.engine.training.packing import Packed, packed
from playground.engine.training.remedies import Remedies
from playground.engine.training.yield_points import yield_between

BETAS, EPS, MAX_NORM = (0.9, 0.999), 1e-8, 1.0  # torch's AdamW, and the usual clipping


@dataclass
class BatchRows:
    """Rows of a forward: number of tokens of each slot, or the only slot that they all belong to."""

    lengths: Sequence[int]
    only: int | None = None


class _SlotLinear(torch.nn.Module):
    """A frozen layer with the changes of all slots; a row of the batch is a slot."""

    def __init__(self, base: torch.nn.Module, bank: AdapterBank, path: str) -> None:
        super().__init__()
        self.base, self.path = base, path
        # The bank holds this: without a circle both go at once, and with them the base.
        self.bank = weakref.ref(bank)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bank = self.bank()
        assert bank is not None
        y: torch.Tensor = self.base(x)
        B, A = bank.leaves[self.path, "B"], bank.leaves.get((self.path, "A"))
        only = bank.rows.only
        if only is not None:
            own = x.to(B.dtype)
            low = own if A is None else linear(own, A[only])
            return y + (bank.scalings[only] * linear(low, B[only])).to(y.dtype)
        own = x.to(B.dtype).view(len(bank.slots), -1, x.shape[-1])  # OPT's MLP is handed all slots as one
        own = bank.dropped(own)  # [slot, node, d_in]
        low = own if A is None else torch.bmm(own, A.transpose(1, 2))
        added = low * bank.scalings[:, None, None]
        made = torch.baddbmm(y.to(B.dtype).view(*own.shape[:2], -1), added, B.transpose(1, 2))
        return made.to(y.dtype).view_as(y)


class AdapterBank:
    """Adapters of one base that are trained together: a `Learner`. Only the engine's thread touches it.

    Args:
        loaded: The base.
        slots: At least one, all of one method.
        give_way: Called between two layers of every forward and backward.
    """

    def __init__(self, loaded: LoadedModel, slots: Sequence[AdapterSlot], give_way: GiveWay) -> None:
        self.slots = list(slots)
        self.rows = BatchRows([0] * len(slots))
        self._loaded = loaded
        shapes = _largest([{key: value.shape for key, value in slot.values.items()} for slot in slots])
        n = len(slots) * sum(math.prod(shape) for shape in shapes.values())
        self._values, self._grads, self._first, self._second = (
            torch.zeros(n, device=loaded.device) for _ in range(4)
        )
        self._slot_of = torch.zeros(n, dtype=torch.int32, device=loaded.device)  # of every number
        numbers = torch.arange(len(slots), dtype=torch.int32, device=loaded.device)[:, None, None]
        self.leaves: dict[Key, torch.Tensor] = {}
        self._views: dict[Key, tuple[torch.Tensor, ...]] = {}
        start = 0
        for key, shape in shapes.items():
            stop = start + len(slots) * math.prod(shape)
            parts = (self._values, self._first, self._second, self._grads, self._slot_of)
            self._views[key] = tuple(part[start:stop].view(-1, *shape) for part in parts)
            self._views[key][4].copy_(numbers)
            leaf = self._views[key][0].detach().requires_grad_()
            leaf.grad = self._views[key][3]
            self.leaves[key] = leaf
            start = stop
        self.scalings = torch.tensor([slot.scaling for slot in slots], device=loaded.device)
        rates = [slot.request.settings.learning_rate for slot in slots]
        self._rates = torch.tensor(rates, device=loaded.device)
        self._pack()
        self._tree = self._laid_out(list(dict.fromkeys(path for path, _matrix in shapes)))
        yield_between(replace(loaded, model=self._tree), give_way)
        self._remedies = Remedies(loaded, self.slots, give_way)

    def knowing(self, fishers: FisherTable) -> AdapterBank:
        """The same bank, which uses and adds to what is known already for EWC."""
        self._remedies.take(fishers)
        return self

    def step(self, texts: Sequence[Sequence[Any]]) -> list[float]:
        """One optimizer step of every slot.

        Args:
            texts: Batch of each slot: texts, or what another bank learns from.

        Returns:
            The loss of each slot's batch before the step, nats a trained token; not finite where the slot
            has broken down: it must leave.

        Raises:
            Exception: Whatever the model raised; no slot has changed then.
        """
        drawn = [slot.random.get_state() for slot in self.slots]
        try:
            return self._stepped(texts)
        except BaseException:
            for slot, state in zip(self.slots, drawn, strict=True):
                slot.random.set_state(state)
            raise

    def _stepped(self, texts: Sequence[Sequence[TrainingText]]) -> list[float]:
        self._grads.zero_()
        mixed = self._remedies.mixed(texts)
        batch = packed(mixed.texts)
        self.rows = BatchRows(batch.lengths)
        slot_of, weights, told = (
            torch.from_numpy(part).to(self._loaded.device)
            for part in (batch.slots, mixed.weights, mixed.told)
        )
        with torch.enable_grad():
            surprisals = self._surprisals(batch)
            (surprisals * weights).sum().backward()  # type: ignore[no-untyped-call]
        losses = torch.zeros(len(texts), device=surprisals.device)
        losses.index_add_(0, slot_of, surprisals.detach() * told)
        self._remedies.pull(self.leaves)
        is_fine = self._update()
        return torch.where(is_fine, losses, torch.nan).tolist()

    @torch.no_grad()
    def measure(self, index: int, texts: Sequence[TrainingText]) -> list[float]:
        """The sum of the surprisals of each text's trained tokens under one slot, nats, without dropout."""
        self.rows = BatchRows((), only=index)
        counts = [text.n_trained for text in texts]
        return [float(one.sum()) for one in torch.split(self._surprisals(packed([texts])), counts)]

    def observe(self, index: int, request: TrainingRequest, step: int) -> Observation | None:
        """Distance of a slot with a remedy to its start; nothing of another."""
        return self._remedies.observed(index, self.leaves, step)

    def unpack(self, index: int) -> None:
        """Write what one slot has learned back into it."""
        slot = self.slots[index]
        for key, value in slot.values.items():
            into = (value, slot.first[key], slot.second[key])
            for mine, theirs in zip(into, self._views[key], strict=False):
                mine.copy_(theirs[index][: value.shape[0], : value.shape[1]])

    def dropped(self, x: torch.Tensor) -> torch.Tensor:
        """`x` with each slot's dropout, from the slot's own stream and of its own shape."""
        rates = [slot.request.settings.lora.lora_dropout for slot in self.slots]
        if not any(rates):
            return x
        kept = torch.ones_like(x)
        for index, (slot, rate) in enumerate(zip(self.slots, rates, strict=True)):
            if rate:
                own = (self.rows.lengths[index], x.shape[-1])
                drawn = torch.rand(own, generator=slot.random).ge_(rate).div_(1 - rate)
                kept[index, : own[0]] = drawn.to(x.device)
        return x * kept

    # ---- within

    def _laid_out(self, paths: Sequence[str]) -> Any:  # noqa: ANN401  (transformers is untyped)
        """A tree over the base's tensors in which the slots' numbers work at these paths."""
        return wrapped(self._loaded.template, {path: self._wrap(path) for path in paths})

    def _wrap(self, path: str) -> Callable[[torch.nn.Module], torch.nn.Module]:
        return lambda base: _SlotLinear(base, self, path)

    def _states(self, ids: torch.Tensor, positions: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        """The residual stream after the final norm.

        Args:
            ids, positions: Of every node of the trees. Shape [row, node].
            visible: True where a node may look. Shape [row, 1, node, node].

        Returns:
            Shape [row, node, d_model].
        """
        output = self._tree.base_model(
            input_ids=ids, position_ids=positions, attention_mask=visible, use_cache=False
        )
        states: torch.Tensor = output.last_hidden_state
        return states

    def _pack(self) -> None:
        for index, slot in enumerate(self.slots):
            for key, value in slot.values.items():
                rows, columns = value.shape
                own = (value, slot.first[key], slot.second[key])
                for mine, theirs in zip(own, self._views[key], strict=False):
                    theirs[index][:rows, :columns] = mine

    def _surprisals(self, batch: Packed, temperatures: torch.Tensor | None = None) -> torch.Tensor:
        """-log p of every trained token, in nats. Shape [token].

        The vocabulary head, the dearest layer, works only where a trained token is predicted.

        Args:
            batch: The texts.
            temperatures: Divisor of the logits of each token, 1 for all if None. Shape [token].
        """
        ids, positions, visible, slots, nodes, labels = (
            torch.from_numpy(part).to(self._loaded.device)
            for part in (
                batch.input_ids, batch.position_ids, batch.visible, batch.slots, batch.nodes, batch.labels,
            )
        )  # fmt: skip
        states = self._states(ids, positions, visible)
        logits = logits_of(self._tree, states[slots, nodes])
        if temperatures is not None:
            logits = logits / temperatures[:, None]
        return cross_entropy(logits, labels, reduction="none")

    def _update(self) -> torch.Tensor:
        """AdamW without weight decay, each slot clipped alone.

        Returns:
            Whether each slot's gradient was made of numbers.

        Source:
            Kingma & Ba 2015, "Adam", arXiv:1412.6980, algorithm 1.
        """
        squares = [views[3].square().sum((1, 2)) for views in self._views.values()]
        norms = torch.stack(squares).sum(0).sqrt_()
        self._grads.mul_((MAX_NORM / (norms + 1e-6)).clamp_(max=1)[self._slot_of])
        (beta1, beta2), device, counts = BETAS, self._loaded.device, [one.n_updates + 1 for one in self.slots]
        first = torch.tensor([1 - beta1**n for n in counts], device=device)
        second = torch.tensor([math.sqrt(1 - beta2**n) for n in counts], device=device)
        means = torch.lerp(self._first, self._grads, 1 - beta1)
        squared = (self._second * beta2).addcmul_(self._grads, self._grads, value=1 - beta2)
        by = squared.sqrt().div_(second[self._slot_of]).add_(EPS)
        changes = means.div(by).mul_((self._rates / first)[self._slot_of])
        self._values.sub_(changes)  # from here on nothing needs room, so nothing fails halfway
        self._first.copy_(means)
        self._second.copy_(squared)
        for slot, n in zip(self.slots, counts, strict=True):
            slot.n_updates = n
        return norms.isfinite()


def _largest(each: Sequence[Mapping[Key, Sequence[int]]]) -> dict[Key, tuple[int, int]]:
    """Shape of every part, large enough for every slot; in the order of the first slot that has it."""
    largest: dict[Key, tuple[int, int]] = {}
    for shapes in each:
        for key, (rows, columns) in shapes.items():
            old = largest.get(key, (0, 0))
            largest[key] = (max(rows, old[0]), max(columns, old[1]))
    return largest

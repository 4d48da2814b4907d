"""Remedies against forgetting for the slots of a bank: old rows in its batches, and a pull back to the start.

Each slot has its own remedy or none, so runs with and without one share a step. The pull of L2-SP and EWC is
added to the gradients by hand, once the loss has been carried back: with Δ = s·B·A

    L2-SP   λ/2 Σ Δ²       d/dΔ = λ Δ
    EWC     λ/2 Σ F Δ²     d/dΔ = λ F Δ         and  d/dB = s (d/dΔ) Aᵀ,  d/dA = s Bᵀ (d/dΔ)

so no graph is kept for as many numbers as the frozen weights have.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from playground.engine.adapters.places import Key
from playground.engine.contract.adapters import Linear
from playground.engine.contract.limits import check_limits
from playground.engine.contract.remedies import Remedy
from playground.engine.contract.training import FinetuneRequest, RemedyObservation, TrainingText
from playground.engine.models.loaded import LoadedModel
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.fisher import MOST_NUMBERS, Fisher, FisherTable, fisher_of
from playground.engine.training.learner import GiveWay, RunLimits
from playground.engine.training.run import text_order
from playground.errors import BadValue, EmptyText, HeldOutTrained, Message, TooManyTokens

Leaves = Mapping[Key, torch.Tensor]


@dataclass(frozen=True, eq=False)
class Mixed:
    """The batch of each slot with its old rows behind the new ones.

    Attributes:
        texts: Texts of each slot.
        weights: Weight of each trained token in what is made small. Shape [token].
        told: Its weight in the loss that is told, that of the new rows. Shape [token].
    """

    texts: list[list[TrainingText]]
    weights: NDArray[np.float32]
    told: NDArray[np.float32]


class Remedies:
    """The remedies of the slots of one bank.

    Args:
        loaded: The base.
        slots: The slots.
        give_way: Called between the layers while more is estimated.
    """

    def __init__(self, loaded: LoadedModel, slots: Sequence[AdapterSlot], give_way: GiveWay) -> None:
        self._loaded, self._slots, self._give_way = loaded, slots, give_way
        self._orders = [_old_order(slot) for slot in slots]
        self._fishers = FisherTable()
        self._held: dict[int, Fisher] = {}

    def take(self, fishers: FisherTable) -> None:
        """Use what is known already for EWC, and add to it."""
        self._fishers = fishers
        for index, slot in enumerate(self._slots):
            known = fishers.known(self._key(slot)) if _kind(slot) == "ewc" else None
            if known is not None:
                self._held[index] = known

    def mixed(self, texts: Sequence[Sequence[TrainingText]]) -> Mixed:
        """The batches of all slots with their old rows, every one of which comes once before any again."""
        rows: list[list[TrainingText]] = []
        weights, told = list[NDArray[np.float32]](), list[NDArray[np.float32]]()
        for slot, order, new in zip(self._slots, self._orders, texts, strict=True):
            old, share = self._old(slot, order, len(new)), _remedy(slot).strength if len(order) else 0.0
            rows.append([*new, *old])
            n_new, n_old = (sum(text.n_trained for text in part) for part in (new, old))
            weights += [_even(n_new, 1 - share), _even(n_old, share)]
            told += [_even(n_new, 1.0), _even(n_old, 0.0)]
        return Mixed(rows, np.concatenate(weights), np.concatenate(told))

    @torch.no_grad()
    def pull(self, leaves: Leaves) -> None:
        """Add the gradients of all penalties to those of the loss."""
        for index, slot in enumerate(self._slots):
            kind, strength = _kind(slot), _remedy(slot).strength
            if kind not in ("l2sp", "ewc"):
                continue
            fisher = self.fisher(index) if kind == "ewc" else None
            factor = strength * slot.scaling
            for path in slot.layers:
                A, B = leaves[path, "A"], leaves[path, "B"]
                to_A, to_B = A.grad, B.grad
                assert to_A is not None
                assert to_B is not None
                own_A, own_B = A[index], B[index]
                if fisher is None:
                    to_B[index].add_(own_B @ (own_A @ own_A.T), alpha=factor * slot.scaling)
                    to_A[index].add_((own_B.T @ own_B) @ own_A, alpha=factor * slot.scaling)
                else:
                    held = (own_B @ own_A).mul_(fisher.of[path]).mul_(slot.scaling)
                    to_B[index].add_(held @ own_A.T, alpha=factor)
                    to_A[index].add_(own_B.T @ held, alpha=factor)

    @torch.no_grad()
    def observed(self, index: int, leaves: Leaves, step: int) -> RemedyObservation | None:
        """Distance to the start of a slot with a remedy, and its penalty in nats; None without one."""
        slot, remedy = self._slots[index], _remedy(self._slots[index])
        if remedy.kind == "none":
            return None
        fisher = self.fisher(index) if remedy.kind == "ewc" and step else None
        squares = weighted = 0.0
        for path in slot.layers:
            delta = slot.scaling * (leaves[path, "B"][index] @ leaves[path, "A"][index])
            square = delta.square_()
            squares += float(square.sum())
            if fisher is not None:
                weighted += float(square.mul_(fisher.of[path]).sum())
        total = {"l2sp": squares, "ewc": weighted}.get(remedy.kind, 0.0)
        return RemedyObservation(step, math.sqrt(squares), remedy.strength / 2 * total)

    def fisher(self, index: int) -> Fisher:
        """Fisher information for one slot with EWC, estimated when it is first needed."""
        if index not in self._held:
            slot = self._slots[index]
            paths = tuple(slot.layers)
            self._held[index] = self._fishers.get(
                self._key(slot), lambda: fisher_of(self._loaded, paths, slot.request.old, self._give_way)
            )
        return self._held[index]

    def _key(self, slot: AdapterSlot) -> Hashable:
        info = self._loaded.info
        return info.model_id, info.revision, tuple(slot.layers), slot.request.old

    def _old(self, slot: AdapterSlot, order: NDArray[np.int64], n_new: int) -> list[TrainingText]:
        if not len(order):
            return []
        n = _remedy(slot).n_old(n_new)
        first = slot.n_updates * n
        return [slot.request.old[place] for place in order[first : first + n]]


def check_remedy(
    request: FinetuneRequest, limits: RunLimits, loaded: LoadedModel, layers: Mapping[str, Linear]
) -> None:
    """Refuse a remedy that cannot be.

    Raises:
        BadValue: A kind that there is not, a strength out of range, another method than LoRA, or more
            weights than EWC has room for.
        EmptyText: A remedy without the old texts that it reads, or one of them without a token to read.
        HeldOutTrained: An old text is among those that measure what is forgotten.
        TooManyTokens: An old text is too long.
    """
    remedy, old = request.settings.remedy, request.old
    if remedy.kind not in Remedy.LIMITS:
        raise BadValue(name="remedy", value=repr(remedy.kind), allowed=", ".join(Remedy.LIMITS))
    check_limits(
        {
            "strength": (remedy.strength, *Remedy.LIMITS[remedy.kind]),
            "old": (len(old), 0, limits.n_examples),
        }
    )
    if remedy.kind == "none":
        return
    if request.settings.method != "lora":
        allowed = Message("no remedy, or the method LoRA")
        raise BadValue(name="method", value=repr(request.settings.method), allowed=allowed)
    if remedy.needs_old and not (old and all(text.n_trained for text in old)):
        raise EmptyText
    longest = max((text.n_tokens for text in old), default=0)
    if longest > limits.tokens:
        raise TooManyTokens(limit=limits.tokens, got=longest)
    measured = {text.input_ids for text in (*request.general, *request.held_out)}
    for text in old:
        if text.input_ids in measured:
            spelled = b"".join(map(loaded.tokenizer.token_bytes, text.input_ids))
            raise HeldOutTrained(text=spelled.decode("utf-8", "replace"))
    n_weights = sum(one.d_out * one.d_in for one in layers.values())
    if remedy.kind == "ewc" and n_weights > MOST_NUMBERS:
        fewer = Message("layers of {n} weights in all", (("n", f"{MOST_NUMBERS:,}"),))
        raise BadValue(name="target_modules", value=f"{n_weights:,}", allowed=fewer)


def _remedy(slot: AdapterSlot) -> Remedy:
    return slot.request.settings.remedy


def _kind(slot: AdapterSlot) -> str:
    return _remedy(slot).kind


def _old_order(slot: AdapterSlot) -> NDArray[np.int64]:
    """Places of the old rows in the order they are read; none where nothing is rehearsed."""
    asked = slot.request.settings
    n = asked.remedy.n_old(asked.batch_size)
    if not n:
        return np.zeros(0, np.int64)
    return text_order(len(slot.request.old), asked.n_steps * n, asked.seed + 1)


def _even(n_tokens: int, weight: float) -> NDArray[np.float32]:
    """`weight` shared by so many tokens."""
    return np.full(n_tokens, weight / max(1, n_tokens), np.float32)

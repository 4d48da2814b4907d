"""Banks of the adapters that are no change of a weight: bottlenecks, soft prompts, prefixes.

Slots of different sizes share a step: a narrower bottleneck is filled with zeros, of a shorter prefix or
prompt the rest is masked, and each slot's text begins behind its own virtual positions.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch.nn.functional import gelu, linear

from playground.engine.adapters.virtual import PROMPT, begin_behind, by_head, put_before
from playground.engine.contract.adapters import Method
from playground.engine.models.loaded import LoadedModel, template_over
from playground.engine.models.virtual_attention import Before
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.bank import AdapterBank
from playground.engine.training.learner import GiveWay


class _SlotBottleneck(torch.nn.Module):
    """A frozen layer with the bottlenecks of all slots behind it; a row of the batch is a slot."""

    def __init__(self, base: torch.nn.Module, bank: AdapterBank, path: str) -> None:
        super().__init__()
        self.base, self.path = base, path
        self.bank = weakref.ref(bank)  # without a circle, as in the other bank

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bank = self.bank()
        assert bank is not None
        y: torch.Tensor = self.base(x)
        A, B = (bank.leaves[self.path, matrix] for matrix in "AB")
        if (only := bank.rows.only) is not None:
            return y + linear(gelu(linear(y.to(B.dtype), A[only])), B[only]).to(y.dtype)
        own = y.to(B.dtype).view(len(bank.slots), -1, y.shape[-1])
        made = torch.baddbmm(own, gelu(torch.bmm(own, A.transpose(1, 2))), B.transpose(1, 2))
        return made.to(y.dtype).view_as(y)


class BottleneckBank(AdapterBank):
    """Bottlenecks of one base that are trained together."""

    def _wrap(self, path: str) -> Callable[[torch.nn.Module], torch.nn.Module]:
        return lambda base: _SlotBottleneck(base, self, path)


class _VirtualBank(AdapterBank):
    """Virtual positions of one base that are trained together; what they begin as is read here."""

    def __init__(self, loaded: LoadedModel, slots: Sequence[AdapterSlot], give_way: GiveWay) -> None:
        for slot in slots:
            slot.begin()
        numbers = [slot.request.settings.num_virtual_tokens for slot in slots]
        self._numbers = torch.tensor(numbers, device=loaded.device)
        super().__init__(loaded, slots, give_way)

    def n_before(self) -> torch.Tensor:
        """Virtual positions of every row of this forward. Shape [row, 1]."""
        only = self.rows.only
        return (self._numbers if only is None else self._numbers[only : only + 1])[:, None]

    def of_rows(self, path: str, matrix: str) -> torch.Tensor:
        """Numbers of every row of this forward. Shape [row, virtual, d]."""
        leaf, only = self.leaves[path, matrix], self.rows.only
        return leaf if only is None else leaf[only : only + 1, : int(self._numbers[only])]

    def reference(self) -> weakref.ref[_VirtualBank]:
        """A way back for what the tree asks, without a circle."""
        return weakref.ref(self)

    def seen(self, n: int) -> torch.Tensor | None:
        """True where a row has a virtual position; None where all do. Shape [row, 1, 1, virtual]."""
        numbers = self.n_before()
        if bool((numbers == n).all()):
            return None
        return (torch.arange(n, device=numbers.device) < numbers)[:, None, None]


class PrefixBank(_VirtualBank):
    """Prefixes: the attention of every layer is handed keys and values."""

    def _laid_out(self, paths: Sequence[str]) -> Any:  # noqa: ANN401  (transformers is untyped)
        tree, family, me = template_over(self._loaded.template), self._loaded.info.family, self.reference()
        put_before(tree, family, [partial(_before, me, path, self._loaded.info.d_head) for path in paths])
        begin_behind(tree, partial(_n_before, me))
        return tree


def _n_before(me: weakref.ref[_VirtualBank]) -> torch.Tensor:
    bank = me()
    assert bank is not None
    return bank.n_before()


def _before(me: weakref.ref[_VirtualBank], path: str, d_head: int) -> Before:
    bank = me()
    assert bank is not None
    keys, values = (by_head(bank.of_rows(path, matrix), d_head) for matrix in "AB")
    return Before(keys, values, bank.seen(keys.shape[-2]))


class PromptBank(_VirtualBank):
    """Soft prompts: embeddings before those of the text, read by every layer as tokens are."""

    def _laid_out(self, paths: Sequence[str]) -> Any:  # noqa: ANN401  (transformers is untyped)
        return template_over(self._loaded.template)

    def _states(self, ids: torch.Tensor, positions: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        virtual = self.of_rows(PROMPT, "B")
        n_row, n = virtual.shape[:2]
        numbers = self.n_before()
        own = self._tree.get_input_embeddings()(ids)
        places = torch.arange(n, device=ids.device).expand(n_row, n)
        seen = self.seen(n)
        before = places.new_ones((n, n), dtype=torch.bool).tril().expand(n_row, 1, n, n)
        first = visible.new_ones((n_row, 1, ids.shape[1], n))
        if seen is not None:
            before = before & seen | torch.eye(n, dtype=torch.bool, device=ids.device)
            first = first & seen
        above = torch.cat([before, visible.new_zeros((n_row, 1, n, ids.shape[1]))], dim=-1)
        output = self._tree.base_model(
            inputs_embeds=torch.cat([virtual.to(own.dtype), own], dim=1),
            position_ids=torch.cat([places, positions + numbers], dim=1),
            attention_mask=torch.cat([above, torch.cat([first, visible], dim=-1)], dim=-2),
            use_cache=False,
        )
        states: torch.Tensor = output.last_hidden_state[:, n:]
        return states


BANKS: Mapping[Method, type[AdapterBank]] = {
    "lora": AdapterBank,
    "last_block": AdapterBank,
    "bottleneck": BottleneckBank,
    "prompt": PromptBank,
    "prefix": PrefixBank,
}

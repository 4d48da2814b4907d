"""The slot of a run that trains an adapter: its numbers, with Adam's moments."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import replace

import torch

from playground.engine.adapters.adapter import Adapter
from playground.engine.adapters.layers import Change
from playground.engine.contract.adapters import Linear
from playground.engine.contract.training import FinetuneRequest, FinetuneSettings
from playground.engine.models.loaded import LoadedModel

Key = tuple[str, str]  # path of the layer, "A" or "B"


class AdapterSlot:
    """The trained numbers of one run, with Adam's moments.

    Args:
        request: The run.
        loaded: The base.
        layers: Path -> layer that it trains.
    """

    def __init__(self, request: FinetuneRequest, loaded: LoadedModel, layers: Mapping[str, Linear]) -> None:
        self.request, self.layers = request, layers
        self.guess_loss = math.log(loaded.info.d_vocab)
        self.start = request.settings.model
        self.group: Hashable = (id(loaded.template), request.settings.method)
        self.n_updates = 0
        self.random = torch.Generator().manual_seed(request.settings.seed)
        self._loaded: LoadedModel | None = loaded
        self.values = {key: torch.zeros(shape) for key, shape in _shapes(layers, request.settings).items()}
        for (path, matrix), value in self.values.items():
            if matrix == "A":  # as peft: Kaiming uniform with a = sqrt(5); B = 0, so step 0 is the base
                bound = 1 / math.sqrt(layers[path].d_in)
                value.uniform_(-bound, bound, generator=self.random)
        self.first = {key: torch.zeros_like(value) for key, value in self.values.items()}
        self.second = {key: torch.zeros_like(value) for key, value in self.values.items()}

    @property
    def loaded(self) -> LoadedModel:
        """The base, of a run that has not ended."""
        assert self._loaded is not None
        return self._loaded

    @property
    def scaling(self) -> float:
        """Factor of B·A."""
        settings = self.request.settings
        return settings.lora.scaling if settings.method == "lora" else 1.0

    def forget(self) -> None:
        """Release its memory and its base; the run has ended."""
        self._loaded = None
        for part in (self.values, self.first, self.second):
            part.clear()

    def changes(self) -> dict[str, Change]:
        """A copy of what it has learned."""
        return {
            path: Change(
                self.values[path, "A"].clone() if (path, "A") in self.values else None,
                self.values[path, "B"].clone(),
            )
            for path in self.layers
        }

    def snapshot(self, step: int, number: int) -> Adapter:
        """A copy of what it has learned, as an adapter."""
        settings = self.request.settings
        modules = tuple(dict.fromkeys(one.module for one in self.layers.values()))
        return Adapter(
            base_id=settings.model,
            name=settings.name,
            step=step,
            lora=replace(settings.lora, target_modules=modules),
            method=settings.method,
            changes=self.changes(),
            settings=settings,
            run=number,
        )


def n_parameters(layers: Mapping[str, Linear], settings: FinetuneSettings) -> int:
    """Numbers that a run trains."""
    return sum(math.prod(shape) for shape in _shapes(layers, settings).values())


def _shapes(layers: Mapping[str, Linear], settings: FinetuneSettings) -> dict[Key, tuple[int, int]]:
    if settings.method == "last_block":
        return {(path, "B"): (one.d_out, one.d_in) for path, one in layers.items()}
    shapes: dict[Key, tuple[int, int]] = {}
    for path, one in layers.items():
        shapes[path, "A"], shapes[path, "B"] = (settings.lora.r, one.d_in), (one.d_out, settings.lora.r)
    return shapes

"""The slot of a run that trains an adapter: its numbers, with Adam's moments."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import replace

import torch

from playground.engine.adapters.adapter import Adapter
from playground.engine.adapters.layers import Change
from playground.engine.adapters.places import shapes
from playground.engine.adapters.virtual import PROMPT, by_position, keys_and_values
from playground.engine.contract.adapters import VIRTUAL, Linear, Method
from playground.engine.contract.training import AdapterRequest, FinetuneRequest
from playground.engine.models.loaded import LoadedModel


class AdapterSlot:
    """The trained numbers of one run, with Adam's moments.

    Args:
        request: The run.
        loaded: The base.
        layers: Path -> what it trains there.

    Attributes:
        start_ids: Tokens that the virtual positions begin as, drawn from the texts that are learned.
    """

    def __init__(self, request: AdapterRequest, loaded: LoadedModel, layers: Mapping[str, Linear]) -> None:
        self.request, self.layers = request, layers
        self.guess_loss = math.log(loaded.info.d_vocab)
        self.group: Hashable = (id(loaded.template), request.settings.method)
        self.n_updates = 0
        self.random = torch.Generator().manual_seed(request.settings.seed)
        self._loaded: LoadedModel | None = loaded
        self.values = {key: torch.zeros(shape) for key, shape in shapes(layers, request.settings).items()}
        self.start_ids = self._start_ids()
        self.start: Hashable = (request.settings.model, self.start_ids)
        self._has_begun = not self.start_ids
        for (_path, matrix), value in self.values.items():
            # as peft: Kaiming uniform with a = sqrt(5); B = 0, so step 0 is the base
            if matrix == "A" and not self.start_ids:
                bound = 1 / math.sqrt(value.shape[1])
                value.uniform_(-bound, bound, generator=self.random)
        self.first = {key: torch.zeros_like(value) for key, value in self.values.items()}
        self.second = {key: torch.zeros_like(value) for key, value in self.values.items()}

    def begin(self) -> None:
        """Let the virtual positions begin as those of its tokens, once: by the engine's thread."""
        if self._has_begun:
            return
        loaded = self.loaded
        with torch.no_grad():
            ids = torch.tensor(self.start_ids, device=loaded.device)
            embeddings = loaded.model.get_input_embeddings()(ids)
        if self.request.settings.method == "prompt":
            self.values[PROMPT, "B"].copy_(embeddings)
        else:
            for path, read in zip(self.layers, keys_and_values(loaded.template, embeddings), strict=True):
                self.values[path, "A"].copy_(by_position(read.keys[0]))
                self.values[path, "B"].copy_(by_position(read.values[0]))
        self._has_begun = True

    def _start_ids(self) -> tuple[int, ...]:
        settings = self.request.settings
        if settings.method not in VIRTUAL or not isinstance(self.request, FinetuneRequest):
            return ()
        known = sorted({token for text in self.request.train for token in text.input_ids})
        drawn = torch.randint(len(known), (settings.num_virtual_tokens,), generator=self.random)
        return tuple(known[place] for place in drawn.tolist())

    @property
    def method(self) -> Method:
        """The numbers that its run trains."""
        return self.request.settings.method

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

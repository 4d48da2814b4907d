"""The slot of a run that trains a task head: its numbers, and those of the layers it trains with it."""

from __future__ import annotations

import math
from collections.abc import Hashable

import torch

from playground.engine.contract.task_heads import WHOLE, HeadExample, HeadRequest
from playground.engine.models.loaded import LoadedModel
from playground.engine.task_heads.layers import layer_bytes, layers_of, with_own_layers
from playground.engine.task_heads.trained import TrainedHead

HEAD_RATE = 20.0  # learning rate of the head of an encoder that is trained whole, in those of its layers
GUESSES = 5.0  # a loss that many times that of guessing is a breakdown: a batch may be wrong by chance


class HeadSlot:
    """A head with its optimizer, and an encoder with layers of its own once they are to be trained.

    Args:
        request: Its run.
        loaded: The encoder.
    """

    def __init__(self, request: HeadRequest, loaded: LoadedModel) -> None:
        settings = request.settings
        self.settings = settings
        self.n_answers = sum(one.n_trained for one in request.train)
        self.is_whole = settings.objective == WHOLE
        # weights, gradients and two moments
        self.working_bytes = 4 * layer_bytes(loaded) if self.is_whole else 0
        self.group: Hashable = id(loaded.template)
        n_outputs = 1 if settings.task == "number" else len(settings.labels)
        is_number = settings.task == "number"
        mean = sum(one.targets[0] for one in request.train) / len(request.train) if is_number else 0.0
        self.start: Hashable = (settings.model, settings.task, settings.labels, mean)
        # half of it, as twice as much ends a run
        self.guess_loss = math.inf if is_number else GUESSES / 2 * math.log(n_outputs)
        self.stretch = math.sqrt(loaded.info.d_model)
        self.weight = torch.zeros(n_outputs, loaded.info.d_model, device=loaded.device, requires_grad=True)
        self.bias = torch.full((n_outputs,), mean, device=loaded.device, requires_grad=True)
        self.vectors: dict[int, tuple[HeadExample, torch.Tensor]] = {}  # by the example's id
        self._request: HeadRequest | None = request
        self._loaded: LoadedModel | None = loaded
        self._own: LoadedModel | None = None
        self._optimizer: torch.optim.Optimizer | None = None

    @property
    def loaded(self) -> LoadedModel:
        """The encoder as it was, of a run that has not ended."""
        assert self._loaded is not None, "its run has ended"
        return self._loaded

    @property
    def encoder(self) -> LoadedModel:
        """The encoder that it reads with."""
        if not self.is_whole:
            return self.loaded
        if self._own is None:
            self._own = with_own_layers(self.loaded)
        return self._own

    @property
    def has_begun(self) -> bool:
        """True if it has layers of its own."""
        return self._own is not None

    @property
    def layers(self) -> list[torch.nn.Parameter]:
        """The numbers of the encoder that it trains."""
        return list(layers_of(self.encoder).parameters()) if self.is_whole else []

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """AdamW over all of its numbers."""
        if self._optimizer is None:
            rate = self.settings.learning_rate
            groups = [{"params": [self.weight, self.bias], "lr": rate * (HEAD_RATE if self.is_whole else 1)}]
            groups += [{"params": self.layers, "lr": rate}] if self.is_whole else []
            self._optimizer = torch.optim.AdamW(groups, weight_decay=0.0)
        return self._optimizer

    def penalty(self) -> torch.Tensor:
        """The penalty on the weights of a head alone, divided by the number of answers it learns from.

        Returns:
            One number, of shape [].
        """
        if self.is_whole:
            return torch.zeros((), device=self.weight.device)
        squares = (self.weight * self.stretch).square().sum()
        return squares / (2 * self.settings.inverse_penalty * self.n_answers)

    def snapshot(self, step: int, number: int) -> TrainedHead:
        """A copy of what it has learned."""
        assert self._request is not None, "its run has ended"
        weight, bias = (self.weight.detach() * self.stretch).cpu(), self.bias.detach().clone().cpu()
        layers = {}
        if self.is_whole:
            named = layers_of(self.encoder).named_parameters()
            layers = {name: value.detach().clone() for name, value in named}
        return TrainedHead(self.settings, step, number, weight, bias, layers)

    def forget(self) -> None:
        """Release its memory and its encoder; the run has ended."""
        self._request = self._loaded = self._own = None
        self.vectors.clear()
        if self._optimizer is not None:
            self._optimizer.state.clear()
            self._optimizer.param_groups.clear()

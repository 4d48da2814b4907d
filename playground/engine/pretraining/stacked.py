"""Several models of one shape as one: the library's own forward over layers that hold all their weights.

    values [slot, number]   all trained numbers, a row a model; every layer's weights are views of it
    rows   [slot · row]     of a forward: those of the first model, then those of the second, ...

A product of all models is one batched product, a norm one norm: operations a step do not grow with the number
of models. Nothing of a family is written here but its kinds of layers.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding, layer_norm, linear, rms_norm

from playground.engine.pretraining.shapes import parameters_of

KEY_BIAS = ".key.bias"  # of BERT: without effect on what it computes


class _Rows:
    """The rows of a forward: of all models, or of one.

    Attributes:
        n_slots: Number of models.
        n_rows: Rows of each model.
        only: The model that all rows belong to, None where they are of all.
    """

    def __init__(self, n_slots: int) -> None:
        self.n_slots, self.n_rows = n_slots, 1
        self.only: int | None = 0 if n_slots == 1 else None


class _Linear(torch.nn.Module):
    def __init__(self, rows: _Rows, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.rows, self.weights, self.biases = rows, weight, bias

    @property
    def weight(self) -> Tensor:
        """That of the first model: T5 looks at its number format."""
        return self.weights[0]

    def forward(self, x: Tensor) -> Tensor:
        only = self.rows.only
        if only is not None:
            return linear(x, self.weights[only], None if self.biases is None else self.biases[only])
        own = x.reshape(self.rows.n_slots, -1, x.shape[-1])
        W = self.weights.transpose(1, 2)
        y = torch.bmm(own, W) if self.biases is None else torch.baddbmm(self.biases[:, None], own, W)
        return y.view(*x.shape[:-1], -1)


class _Embedding(torch.nn.Module):
    def __init__(self, rows: _Rows, weight: Tensor) -> None:
        super().__init__()
        self.rows, self.weights = rows, weight

    def forward(self, ids: Tensor) -> Tensor:
        only, n_slots = self.rows.only, self.rows.n_slots
        if only is not None:
            return embedding(ids, self.weights[only])
        first = torch.arange(n_slots)[:, None, None] * self.weights.shape[1]
        own = first + (ids if len(ids) == 1 else ids.view(n_slots, -1, ids.shape[-1]))
        table = self.weights.reshape(-1, self.weights.shape[-1])
        return embedding(own, table).view(-1, ids.shape[-1], table.shape[-1])


class _Positions(_Embedding):
    """Rows of positions, alike in all rows of a model: repeated for each where there are several models."""

    def forward(self, ids: Tensor) -> Tensor:
        found = super().forward(ids)
        return found if self.rows.only is not None else found.repeat_interleave(self.rows.n_rows, dim=0)


class _Norm(torch.nn.Module):
    def __init__(
        self, rows: _Rows, weight: Tensor, bias: Tensor | None, eps: float, *, centred: bool
    ) -> None:
        super().__init__()
        self.rows, self.weights, self.biases, self.eps, self.centred = rows, weight, bias, eps, centred

    def forward(self, x: Tensor) -> Tensor:
        only, d = self.rows.only, (x.shape[-1],)
        if only is not None:
            if not self.centred:
                return rms_norm(x, d, self.weights[only], self.eps)
            return layer_norm(x, d, self.weights[only], None if self.biases is None else self.biases[only],
                              self.eps)  # fmt: skip
        y = layer_norm(x, d, None, None, self.eps) if self.centred else rms_norm(x, d, None, self.eps)
        y = y.view(self.rows.n_slots, -1, *d) * self.weights[:, None]
        return (y if self.biases is None else y + self.biases[:, None]).view_as(x)


class Stacked:
    """Models of one shape.

    Args:
        model: An empty model of the shape; it is taken apart.
        values: First values. Shape [slot, number].
    """

    def __init__(self, model: Any, values: Tensor) -> None:  # noqa: ANN401  (transformers is untyped)
        self._rows = _Rows(len(values))
        self._leaves: dict[int, Tensor] = {}
        self._without_effect: list[slice] = []
        start = 0
        for name, parameter in parameters_of(model).items():
            stop = start + parameter.numel()
            if name.endswith(KEY_BIAS):
                self._without_effect.append(slice(start, stop))
            shape = (len(values), *parameter.shape)
            self._leaves[id(parameter)] = values[:, start:stop].view(shape).detach().requires_grad_()
            start = stop
        self._model = self._replaced(model)

    def __call__(self, only: int | None = None, **inputs: Any) -> Any:  # noqa: ANN401
        """The library's output for rows of all models, or of one, its hidden states and attentions too."""
        before = self._rows.only
        self._rows.n_rows = len(inputs["input_ids"]) // self._rows.n_slots
        if only is not None:
            self._rows.only = only
        try:
            return self._model(**inputs)
        finally:
            self._rows.only = before

    @property
    def model(self) -> Any:  # noqa: ANN401
        """The library's model over the stacked layers."""
        return self._model

    def gradients(self, loss: Tensor) -> Tensor:
        """Gradients of a loss with regard to all numbers. Shape [slot, number].

        A bias of keys adds the same to all scores of a query, so its gradient is 0 but for rounding; of that
        Adam would make whole steps, other ones in each batch.
        """
        each = torch.autograd.grad(loss, list(self._leaves.values()))
        found = torch.cat([one.flatten(1) for one in each], dim=1)
        for part in self._without_effect:
            found[:, part] = 0
        return found

    def _replaced(self, model: Any) -> Any:  # noqa: ANN401
        for path, module in list(model.named_modules(remove_duplicate=False)):
            made = self._made(module, path)
            if made is not None:
                parent, _dot, name = path.rpartition(".")
                setattr(model.get_submodule(parent), name, made)
            elif hasattr(module, "compute_bias"):
                module.compute_bias = _biases(module, self._rows)
        return model

    def _made(self, module: torch.nn.Module, path: str) -> torch.nn.Module | None:
        weight = self._leaves.get(id(getattr(module, "weight", None)))
        bias = self._leaves.get(id(getattr(module, "bias", None)))
        if weight is None:
            return None
        if isinstance(module, torch.nn.Linear):
            return _Linear(self._rows, weight, bias)
        if isinstance(module, torch.nn.Embedding):
            if path.endswith("position_embeddings"):
                return _Positions(self._rows, weight)
            return _Embedding(self._rows, weight)
        centred = isinstance(module, torch.nn.LayerNorm)
        eps: Any = module.eps if centred else module.variance_epsilon
        return _Norm(self._rows, weight, bias, eps, centred=centred)


def _biases(attention: Any, rows: _Rows) -> Callable[..., Tensor]:  # noqa: ANN401
    """T5's bias of each model: one for all its rows, which are side by side."""
    whole, own = type(attention).compute_bias, weakref.ref(attention)  # in no circle: it goes at once

    def of_one(query_length: int, key_length: int, **more: Any) -> Tensor:  # noqa: ANN401
        found: Tensor = whole(own(), query_length, key_length, **more)
        return found

    def of_each(query_length: int, key_length: int, **more: Any) -> Tensor:  # noqa: ANN401
        if rows.only is not None:
            return of_one(query_length, key_length, **more)
        each = []
        try:
            for slot in range(rows.n_slots):
                rows.only = slot
                each.append(of_one(query_length, key_length, **more))
        finally:
            rows.only = None
        return torch.cat(each).repeat_interleave(rows.n_rows, dim=0)

    return of_each


def flat(values: Sequence[Tensor]) -> Tensor:
    """Numbers of one model in one row. Shape [number]."""
    return torch.cat([one.reshape(-1) for one in values])


def named(numbers: Tensor, model: Any) -> dict[str, Tensor]:  # noqa: ANN401
    """The parameters of one model by their names, from its row; views of it.

    Args:
        numbers: Shape [number].
        model: An empty model of the shape.
    """
    found, start = dict[str, Tensor](), 0
    for name, parameter in parameters_of(model).items():
        stop = start + math.prod(parameter.shape)
        found[name] = numbers[start:stop].view(parameter.shape)
        start = stop
    return found

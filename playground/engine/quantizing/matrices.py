"""The matrices of a model that can be quantized: linear layers of its blocks, and the tables outside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from playground.engine.adapters.layers import is_linear
from playground.engine.contract.quantization import Matrix
from playground.engine.models.loaded import LoadedModel


@dataclass(frozen=True, slots=True)
class Place:
    """A matrix in a tree of modules.

    Attributes:
        matrix: Facts about it.
        parameter: Its weights, as the layer keeps them.
        is_turned: True if they are kept as [d_in, d_out] (GPT-2's `Conv1D`).
    """

    matrix: Matrix
    parameter: torch.Tensor
    is_turned: bool

    def read(self, first: int = 0, last: int | None = None) -> NDArray[np.float32]:
        """Rows of it as float32, never the model's own memory. Shape [row, d_in]."""
        tensor = self.parameter.detach()
        rows = (tensor.t() if self.is_turned else tensor)[first:last]
        found: NDArray[np.float32] = rows.to("cpu", torch.float32, copy=True).contiguous().numpy()
        return found

    def written(self, weights: NDArray[np.float32]) -> torch.nn.Parameter:
        """Other weights in the layer's own layout, number format and device. Shape [d_out, d_in]."""
        tensor = torch.from_numpy(weights)
        tensor = tensor.t().contiguous() if self.is_turned else tensor
        own = tensor.to(self.parameter.device, self.parameter.dtype)
        return torch.nn.Parameter(own, requires_grad=False)


def places(loaded: LoadedModel, *, whole: bool) -> list[Place]:
    """The matrices in the model's order, each once, also where two layers share it.

    Args:
        loaded: The model.
        whole: True adds the table of embeddings and the vocabulary head.
    """
    found: dict[int, Place] = {}
    for place in _places(loaded, whole):
        found.setdefault(id(place.parameter), place)
    return list(found.values())


def _places(loaded: LoadedModel, whole: bool) -> Iterator[Place]:
    model = loaded.model
    outside = [model.get_input_embeddings(), model.get_output_embeddings()] if whole else []
    is_double = loaded.info.kind == "encoder-decoder"
    for path, module in model.named_modules():
        parts = path.split(".")
        numbers = [int(part) for part in parts if part.isdigit()]
        in_block = bool(numbers) and is_linear(module)
        is_table = any(module is one for one in outside)
        if (in_block or is_table) and module.weight.ndim == 2:
            layer = numbers[0] if in_block else None
            is_turned = is_linear(module) and not isinstance(module, torch.nn.Linear)
            first, second = module.weight.shape
            shape = (second, first) if is_turned else (first, second)
            matrix = Matrix(path, layer, is_double and "decoder" in parts, shape)
            yield Place(matrix, module.weight, is_turned)


def put(tree: Any, old: torch.Tensor, new: torch.nn.Parameter) -> None:  # noqa: ANN401  (transformers)
    """Replace a weight in every layer of a tree that has it; trees over the same tensors keep theirs.

    Args:
        tree: A model.
        old, new: Weights in the layer's own layout. Shape [d_out, d_in] or [d_in, d_out].
    """
    for module in tree.modules():
        if module._parameters.get("weight") is old:
            module.weight = new


def bytes_of(loaded: LoadedModel) -> int:
    """Bytes of all parameters, each counted once."""
    own = {id(one): one for one in loaded.model.parameters()}
    return sum(one.numel() * one.element_size() for one in own.values())

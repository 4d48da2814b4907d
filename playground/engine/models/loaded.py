"""A model in memory, with its tokenizer."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.engine.contract.models import CatalogueEntry, ModelInfo
from playground.engine.models.tokenizing import TextTokenizer

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A model in memory, in eval mode, without gradients.

    Attributes:
        entry: Entry of the model in the catalogue.
        info: Facts about the model, with state "ready".
        model: The transformers model; with its vocabulary head where it has one: decoders,
            encoder-decoders, encoders that fill masks.
        tokenizer: The model's tokenizer.
        device: Device of its weights.
        dtype: Number format of its weights.
        template: The same tensors in a tree of modules that never runs: adapted models are made from it.
    """

    entry: CatalogueEntry
    info: ModelInfo
    model: Any  # a transformers model; the library is untyped
    tokenizer: TextTokenizer
    device: torch.device
    dtype: torch.dtype
    template: Any


def template_over(model: Any) -> Any:  # noqa: ANN401  (transformers is untyped)
    """The model's tree of modules made again over the very same tensors: wrapping in it changes nobody."""
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    return copy.deepcopy(model, shared)

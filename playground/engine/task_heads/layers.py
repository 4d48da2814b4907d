"""An encoder with layers of its own over the shared table of embeddings: one that is trained, or was."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from playground.engine.models.families.table import FAMILIES
from playground.engine.models.loaded import LoadedModel
from playground.errors import Message, Unsupported


def layers_of(loaded: LoadedModel) -> torch.nn.Module:
    """The encoder's blocks, as one module."""
    blocks: torch.nn.Module = loaded.model.base_model.get_submodule(FAMILIES[loaded.info.family].blocks)
    return blocks


def layer_bytes(loaded: LoadedModel) -> int:
    """Memory of the layers alone."""
    return sum(one.nbytes for one in layers_of(loaded).parameters())


def require_trainable(loaded: LoadedModel) -> None:
    """Refuse an encoder in a number format in which a small step of its weights is lost.

    Raises:
        Unsupported.
    """
    if loaded.dtype != torch.float32:
        able = Message("layers that can be trained in {dtype}", (("dtype", loaded.info.dtype),))
        raise Unsupported(model_id=loaded.info.name, capability=able)


def with_own_layers(loaded: LoadedModel, values: Mapping[str, Tensor] | None = None) -> LoadedModel:
    """The same encoder in a tree of its own, whose layers are others; all else is the very same memory.

    Args:
        loaded: The encoder.
        values: Its layers' weights by name, each of its own weight's shape [...]; None: copies of the
            encoder's own, which are to be trained.
    """
    parameters = dict(layers_of(loaded).named_parameters())
    if values is None:
        own = {name: torch.nn.Parameter(one.detach().clone()) for name, one in parameters.items()}
    else:
        own = {
            name: torch.nn.Parameter(values[name].to(loaded.device), requires_grad=False)
            for name in parameters
        }
    template = loaded.template
    shared = {id(tensor): tensor for tensor in (*template.parameters(), *template.buffers())}
    shared |= {id(parameter): own[name] for name, parameter in parameters.items()}
    return replace(loaded, model=copy.deepcopy(template, shared))

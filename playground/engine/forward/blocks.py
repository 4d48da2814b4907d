"""The blocks of a model, and hooks that read or change what they add to the residual stream.

Hooks belong to the engine's thread and are gone when their `with` ends: the shared model is never changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from playground.core.interventions import Intervention
from playground.engine.contract.models import ModelInfo
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.loaded import LoadedModel
from playground.errors import BadValue


@dataclass(frozen=True, slots=True)
class Block:
    """One layer; for encoder-decoder models of the encoder.

    Attributes:
        whole: Reads the residual stream, its first argument.
        attention: Everything with the queries, keys, values and the output.
        attention_output: Reads all heads' outputs side by side, writes into the residual stream.
        mlp: The feed-forward part.
        mlp_output: The last projection of the MLP.
        attention_write, mlp_write: Give what is added to the residual stream: that output itself, or its
            norm.
    """

    whole: torch.nn.Module
    attention: torch.nn.Module
    attention_output: torch.nn.Module
    mlp: torch.nn.Module
    mlp_output: torch.nn.Module
    attention_write: torch.nn.Module
    mlp_write: torch.nn.Module


def blocks(loaded: LoadedModel) -> list[Block]:
    """The layers in order."""
    family = FAMILIES[loaded.info.family]
    paths = family.block
    return [
        Block(
            one,
            one.get_submodule(paths.attention),
            one.get_submodule(paths.attention_output),
            one.get_submodule(paths.mlp),
            one.get_submodule(paths.mlp_output),
            one.get_submodule(paths.attention_norm or paths.attention_output),
            one.get_submodule(paths.mlp_norm or paths.mlp_output),
        )
        for one in loaded.model.base_model.get_submodule(family.blocks)
    ]


@dataclass(frozen=True, slots=True)
class BlockOutputs:
    """Outputs of attention and MLP of each layer. Each [batch, position, d_model], in layer order."""

    attention: list[torch.Tensor] = field(default_factory=list)
    mlp: list[torch.Tensor] = field(default_factory=list)


@contextmanager
def collect_block_outputs(loaded: LoadedModel) -> Iterator[BlockOutputs]:
    """Collect what every block run inside adds to the residual stream."""
    outputs = BlockOutputs()

    def keep(into: list[torch.Tensor]) -> Any:  # noqa: ANN401  (a torch hook)
        def hook(_module: object, _arguments: object, output: torch.Tensor) -> None:
            into.append(output.view_as(outputs.attention[-1]) if into is outputs.mlp else output)

        return hook  # OPT's MLP is handed all rows of the batch as one

    with ExitStack() as hooks:
        for block in blocks(loaded):
            for module, into in (
                (block.attention_write, outputs.attention),
                (block.mlp_write, outputs.mlp),
            ):
                hooks.callback(module.register_forward_hook(keep(into)).remove)
        yield outputs


@contextmanager
def intervened(
    loaded: LoadedModel, interventions: Sequence[Intervention | None], lengths: Sequence[int]
) -> Iterator[None]:
    """Run the rows of a batch with their interventions.

    Args:
        loaded: The model.
        interventions: One per row; None runs the row as the model is.
        lengths: Real tokens of each row; a mean is over those.
    """
    layers = blocks(loaded)
    with ExitStack() as hooks:
        for layer, block in enumerate(layers):
            heads = [_heads_of(one, layer) for one in interventions]
            if any(heads):
                hook = _ablation(heads, interventions, lengths, loaded)
                hooks.callback(block.attention_output.register_forward_pre_hook(hook).remove)
            if any(patch.layer == layer for one in interventions if one for patch in one.patches):
                hook = _patching(layer, interventions)
                hooks.callback(block.whole.register_forward_pre_hook(hook).remove)
        yield


def check_intervention(one: Intervention | None, info: ModelInfo, n_tokens: int) -> Intervention | None:
    """The intervention in one spelling, or None where it changes nothing.

    Raises:
        BadValue: A layer, head or position that is not there, or a state of another length.
    """
    if one is None or not (one.heads or one.patches):
        return None
    for layer, head in one.heads:
        if not (0 <= layer < info.n_layer and 0 <= head < info.n_head):
            allowed = f"0.0-{info.n_layer - 1}.{info.n_head - 1}"
            raise BadValue(name="head", value=f"{layer}.{head}", allowed=allowed)
    for patch in one.patches:
        if not (0 <= patch.layer < info.n_layer and 0 <= patch.position < n_tokens):
            allowed = f"0.0-{info.n_layer - 1}.{n_tokens - 1}"
            raise BadValue(name="patch", value=f"{patch.layer}.{patch.position}", allowed=allowed)
        if len(patch.state) != 4 * info.d_model:
            raise BadValue(name="patch", value=len(patch.state) // 4, allowed=str(info.d_model))
    return Intervention(tuple(sorted(set(one.heads))), one.ablation, one.patches)


def _heads_of(one: Intervention | None, layer: int) -> list[int]:
    return [head for there, head in one.heads if there == layer] if one else []


def _ablation(
    heads: Sequence[list[int]],
    interventions: Sequence[Intervention | None],
    lengths: Sequence[int],
    loaded: LoadedModel,
) -> Any:  # noqa: ANN401  (a torch hook)
    def hook(_module: object, arguments: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        mixed = arguments[0].clone()
        by_head = mixed.view(*mixed.shape[:2], loaded.info.n_head, -1)
        for row, (off, one) in enumerate(zip(heads, interventions, strict=True)):
            if off and one:
                real = by_head[row, : lengths[row], off]
                by_head[row, : lengths[row], off] = (
                    0 if one.ablation == "zero" else real.mean(0, keepdim=True)
                )
        return (mixed, *arguments[1:])

    return hook


def _patching(layer: int, interventions: Sequence[Intervention | None]) -> Any:  # noqa: ANN401  (a torch hook)
    def hook(_module: object, arguments: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        states = arguments[0].clone()
        for row, one in enumerate(interventions):
            for patch in one.patches if one else ():
                if patch.layer == layer:
                    vector = torch.from_numpy(np.frombuffer(patch.state, dtype=np.float32).copy())
                    states[row, patch.position] = vector.to(states)
        return (states, *arguments[1:])

    return hook

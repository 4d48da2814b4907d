"""Sizes of a model that decide what memory it takes, counted on its modules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import torch

from playground.core.memory import ModelSizes
from playground.engine.adapters.layers import is_linear, linears, shape_of
from playground.engine.forward.blocks import Block, blocks
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.loaded import LoadedModel

# Activations that torch has as one operation keep what they read; GPT-2's is eight, which keep more; ReLU
# keeps what it gives, which the next product keeps as well.
_KEPT_BY_MANY, _KEPT_BY_ONE, _KEPT_BY_RELU = 5.0, 2.0, 1.0
_MANY = ("NewGELUActivation", "FastGELUActivation", "QuickGELUActivation")
_SIZES = WeakKeyDictionary[Any, ModelSizes]()  # model -> its sizes


def sizes_of(loaded: LoadedModel) -> ModelSizes:
    """Sizes of a model, counted once; an adapter on it counts for nothing."""
    known = _SIZES.get(loaded.template)
    if known is None:
        known = _SIZES[loaded.template] = _counted(loaded)
    return known


def _counted(loaded: LoadedModel) -> ModelSizes:
    info, template = loaded.info, loaded.template
    block = blocks(replace(loaded, model=template))[0]
    parameters = dict(template.named_parameters())
    n_parameters = sum(one.numel() for one in parameters.values())
    poolers = sum(one.numel() for name, one in parameters.items() if "pooler." in name)
    head, table = template.get_output_embeddings(), template.get_input_embeddings().weight
    norms = [one for name, one in _norms(block.whole) if not _is_of_heads(name)]
    d_ff = shape_of(_last_linear(block.mlp_output))[1]
    return ModelSizes(
        kind=info.kind, n_layer=info.n_layer, n_head=info.n_head, n_kv_head=info.n_kv_head or info.n_head,
        d_head=info.d_head, d_model=info.d_model, d_ff=d_ff, d_vocab=info.d_vocab, n_ctx=info.n_ctx,
        n_parameters=n_parameters, n_trained=n_parameters - poolers, n_embedding=table.numel(),
        is_tied=head is not None and head.weight is table,
        has_logits=bool({"logits", "fill"} & info.capabilities), n_norms=len(norms),
        norm="layer" if isinstance(norms[0], torch.nn.LayerNorm) else "rms",
        has_head_norms=any(_is_of_heads(name) for name, _one in _norms(block.whole)),
        is_merged=FAMILIES[info.family].positions == "rotary" and _is_merged(loaded, block),
        mlp_kept=_mlp_kept(block, d_ff),
        keeps_maps=getattr(template.config, "attn_logit_softcapping", None) is not None,
        linears=tuple((one.d_in, one.d_out) for one in linears(template).values()),
        number_bytes=table.element_size(),
        weight_bytes=sum({one.data_ptr(): one.nbytes for one in parameters.values()}.values()),
    )  # fmt: skip


def _norms(block: torch.nn.Module) -> list[tuple[str, torch.nn.Module]]:
    return [(name, one) for name, one in block.named_modules() if "Norm" in type(one).__name__]


def _is_of_heads(name: str) -> bool:
    return name.rpartition(".")[2] in ("q_norm", "k_norm")


def _last_linear(module: torch.nn.Module) -> torch.nn.Module:
    """The module itself, or of several layers (T5) the last linear one."""
    return [one for one in module.modules() if is_linear(one)][-1]


def _is_merged(loaded: LoadedModel, block: Block) -> bool:
    """True if queries, keys and values come out of one product."""
    info = loaded.info
    width = (info.n_head + 2 * (info.n_kv_head or info.n_head)) * info.d_head
    return any(is_linear(one) and shape_of(one)[0] == width for one in block.attention.modules())


def _mlp_kept(block: Block, d_ff: int) -> float:
    """Numbers that an MLP keeps for the way back, in its inner widths; one with a gate keeps four."""
    attention, output = set(block.attention.modules()), _last_linear(block.mlp_output)
    into = [
        shape_of(one)[0]
        for one in block.whole.modules()
        if is_linear(one) and one not in attention and one is not output
    ]
    if sum(into) >= 2 * d_ff:
        return 4.0
    names = {type(one).__name__ for one in block.whole.modules()}
    if names & set(_MANY):
        return _KEPT_BY_MANY
    return _KEPT_BY_RELU if "ReLU" in names else _KEPT_BY_ONE

"""Weights as plain numbers: last steps of a decoder, output projection of a head, list of all parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from playground.core.residual import Unembedding
from playground.engine.contract.inside import Part
from playground.engine.forward.blocks import blocks
from playground.engine.forward.head import logit_cap
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.loaded import LoadedModel
from playground.errors import BadValue, Message, Unsupported

Array = NDArray[np.float32]
_PARTS = WeakKeyDictionary[Any, tuple[Part, ...]]()  # model -> its parts


def final_norm(loaded: LoadedModel) -> Any:  # noqa: ANN401  (transformers is untyped)
    """The norm between the last block and the vocabulary head.

    Raises:
        Unsupported: The model has no head on a causal stack.
    """
    path = FAMILIES[loaded.info.family].final_norm
    if not path:
        raise Unsupported(model_id=loaded.info.model_id, capability=Message("next-token prediction"))
    return loaded.model.base_model.get_submodule(path)


def unembedding(loaded: LoadedModel, token_ids: tuple[int, ...]) -> Unembedding:
    """Final norm and head rows of some tokens.

    Raises:
        BadValue: A token id outside the vocabulary.
        Unsupported: The model has no head on a causal stack, or a cap stands behind it.
    """
    if logit_cap(loaded.model) is not None:
        raise Unsupported(model_id=loaded.info.model_id, capability=Message("exact attribution of a logit"))
    norm, head = final_norm(loaded), loaded.model.get_output_embeddings()
    wrong = [token for token in token_ids if not 0 <= token < loaded.info.d_vocab]
    if wrong:
        raise BadValue(name="token_ids", value=wrong[0], allowed=f"0-{loaded.info.d_vocab - 1}")
    chosen = list(token_ids)
    bias, head_bias = getattr(norm, "bias", None), getattr(head, "bias", None)
    return Unembedding(
        norm="rms" if bias is None else "layer",
        weight=norm_weight(norm, loaded),
        bias=np.zeros(loaded.info.d_model, np.float32) if bias is None else _array(bias),
        epsilon=norm_epsilon(norm),
        token_ids=token_ids,
        rows=_array(head.weight[chosen]),
        row_bias=np.zeros(len(chosen), np.float32) if head_bias is None else _array(head_bias[chosen]),
    )


def norm_weight(norm: Any, loaded: LoadedModel) -> Array:  # noqa: ANN401  (transformers is untyped)
    """The factors by which a norm of the model scales. Shape [d_model], or [d_head] of a norm of heads."""
    return _array(norm.weight + 1 if FAMILIES[loaded.info.family].norm_adds_one else norm.weight)


def norm_epsilon(norm: Any) -> float:  # noqa: ANN401  (transformers is untyped)
    """The epsilon of a norm, under the name that its class has for it."""
    return float(getattr(norm, "variance_epsilon", None) or norm.eps)


def head_output(loaded: LoadedModel, layer: int, head: int) -> Array:
    """The head's part of W_O, from its mixed values to the residual stream.

    Returns:
        Shape [d_head, d_model].

    Raises:
        BadValue: The model has no such head.
        Unsupported: A norm or a bottleneck stands between the heads and the residual stream.
    """
    info, family = loaded.info, FAMILIES[loaded.info.family]
    if family.block.attention_norm or getattr(blocks(loaded)[0].attention_output, "is_in_series", False):
        raise Unsupported(model_id=info.model_id, capability=Message("output of a single head"))
    if not (0 <= layer < info.n_layer and 0 <= head < info.n_head):
        raise BadValue(
            name="head", value=f"{layer}.{head}", allowed=f"0.0-{info.n_layer - 1}.{info.n_head - 1}"
        )
    projection = blocks(loaded)[layer].attention_output
    weight: Any = projection.weight
    weight = weight if family.stores_in_out else weight.t()
    return _array(weight[head * info.d_head : (head + 1) * info.d_head])


def parts(loaded: LoadedModel) -> tuple[Part, ...]:
    """The parts in the order of its parameters, the order a token meets them; listed once a model."""
    known = _PARTS.get(loaded.model)
    if known is None:
        known = _PARTS[loaded.model] = tuple(_parts(loaded))
    return known


def _parts(loaded: LoadedModel) -> Iterator[Part]:
    inner: dict[str, tuple[str, int]] = {}
    names = {id(module): name for name, module in loaded.model.named_modules()}
    for layer, block in enumerate(blocks(loaded)):
        inner[f"{names[id(block.whole)]}."] = ("norm", layer)
        inner[f"{names[id(block.attention)]}."] = ("attention", layer)
        inner[f"{names[id(block.mlp)]}."] = ("mlp", layer)
        inner[f"{names[id(block.mlp_output)]}."] = ("mlp", layer)
    found: dict[tuple[str, int | None], list[tuple[str, torch.Tensor]]] = {}
    embedding, head = loaded.model.get_input_embeddings().weight, loaded.model.get_output_embeddings()
    base = f"{loaded.model.base_model_prefix}."
    masked_head = FAMILIES[loaded.info.family].masked_head if "fill" in loaded.info.capabilities else ()
    others = ("pooler.", "decoder.") if loaded.info.kind == "encoder-decoder" else ("pooler.",)
    for name, parameter in loaded.model.named_parameters():
        kind: tuple[str, int | None] = ("other", None)
        if not (own := name.removeprefix(base)).startswith(others):
            kind = _outside(own, parameter is embedding, head)
        if parameter is not embedding and name.startswith(tuple(f"{path}." for path in masked_head)):
            kind = ("head", None)
        for prefix in sorted((one for one in inner if name.startswith(one)), key=len):
            kind = inner[prefix]
            if "norm" in name.lower() or ".ln_" in name:
                kind = ("norm", kind[1])
        found.setdefault(kind, []).append((name, parameter))
    if head is not None and head.weight is embedding:
        found.setdefault(("head", None), [])
    for (kind_name, layer_of), tensors in found.items():
        shapes = tuple((name, tuple(parameter.shape)) for name, parameter in tensors)
        n_parameters = sum(parameter.numel() for _name, parameter in tensors)
        yield Part(kind_name, layer_of, shapes, n_parameters)  # type: ignore[arg-type]


def _outside(name: str, is_embedding: bool, head: Any) -> tuple[str, None]:  # noqa: ANN401
    is_norm = "norm" in name.lower() or "ln_" in name
    if is_embedding or (is_norm and "embedding" in name):
        return "embedding", None
    if "position" in name or name.endswith("wpe.weight"):
        return "positions", None
    if is_norm:
        return "final norm", None
    return ("head" if head is not None and "head" in name else "embedding"), None


def _array(tensor: torch.Tensor) -> Array:
    array: Array = tensor.detach().float().cpu().numpy().copy()
    array.flags.writeable = False
    return array

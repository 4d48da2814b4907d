"""Files of soft prompts and prefixes as peft writes them, and of bottlenecks in a form of our own.

    prompt_embeddings            soft prompt [P, d_model]; prefix [P, layer * 2 * kv_head * d_head],
                                 of each layer the keys, then the values
    <path>.down.weight, .up      bottleneck [width, d_model] and [d_model, width]: peft knows no such
                                 adapter, so this app alone reads it

Source:
    peft 0.21, `PromptLearningConfig`, `PeftModel.get_prompt`, `set_peft_model_state_dict`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch

from playground.core.lora import LoraConfig
from playground.engine.adapters.layers import Change
from playground.engine.adapters.peft_config import is_off, is_whole, refused
from playground.engine.adapters.places import output_projections
from playground.engine.adapters.virtual import PROMPT, attentions
from playground.engine.contract.adapters import Method
from playground.engine.models.loaded import LoadedModel
from playground.errors import AdapterMisfit, AdapterShape, BadFile, Message

if TYPE_CHECKING:
    from playground.engine.adapters.adapter import Adapter

TYPES: Mapping[str, Method] = MappingProxyType(
    {"PROMPT_TUNING": "prompt", "PREFIX_TUNING": "prefix", "BOTTLENECK": "bottleneck"}
)
TENSOR = "prompt_embeddings"
_WHOLE = Message("a whole number of at least 1")
# Keys that decide nothing of what is read, or what the shape of the tensor says.
_FREE = frozenset(
    {
        "peft_type", "task_type", "base_model_name_or_path", "num_virtual_tokens", "token_dim", "num_layers",
        "num_attention_heads", "inference_mode", "auto_mapping", "runtime_config", "revision", "peft_version",
        "encoder_hidden_size", "prefix_projection", "init_weights", "prompt_tuning_init",
        "prompt_tuning_init_text",
        "tokenizer_name_or_path", "tokenizer_kwargs", "bottleneck", "activation",
    }
)  # fmt: skip
_LIMITED: Mapping[str, tuple[object, ...]] = MappingProxyType(
    {"task_type": (None, "CAUSAL_LM"), "num_transformer_submodules": (None, 1), "activation": (None, "gelu")}
)


def method_of(config: bytes) -> Method | None:
    """The method of an adapter_config.json that is read here; None for all others."""
    try:
        said = json.loads(config)
    except (ValueError, RecursionError):
        return None
    kind = said.get("peft_type") if isinstance(said, dict) else None
    return TYPES.get(kind) if isinstance(kind, str) else None


def written_config(adapter: Adapter) -> dict[str, Any]:
    """adapter_config.json of an adapter of these methods."""
    kind = next(kind for kind, method in TYPES.items() if method == adapter.method)
    config = {
        "peft_type": kind,
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": adapter.base_id,
        "inference_mode": True,
    }
    if adapter.method == "bottleneck":
        width = next(iter(adapter.changes.values())).B.shape[1]
        return config | {"bottleneck": width, "activation": "gelu"}
    return config | {"num_virtual_tokens": adapter.num_virtual_tokens}


def written_tensors(adapter: Adapter) -> dict[str, torch.Tensor]:
    """Tensors of an adapter of these methods, by the names above and of the shapes there."""
    if adapter.method == "bottleneck":
        return {
            f"{path}.{name}.weight": part.contiguous().cpu()
            for path, change in adapter.changes.items()
            for name, part in (("down", change.A), ("up", change.B))
            if part is not None
        }
    parts = [part for one in adapter.changes.values() for part in (one.A, one.B) if part is not None]
    return {TENSOR: torch.cat(parts, dim=1).contiguous().cpu()}


def read_changes(
    method: Method, config: bytes, tensors: Mapping[str, torch.Tensor], loaded: LoadedModel
) -> tuple[dict[str, Change], str, LoraConfig]:
    """Numbers learned at every place, the name of the base that the file says, and settings to show.

    Args:
        method: The method.
        config: adapter_config.json.
        tensors: Of adapter_model.safetensors, of the shapes above.
        loaded: The base.

    Raises:
        AdapterSetting: A value that is not understood.
        BadFile: Numbers that do not fit the model, or are none.
    """
    said = json.loads(config)
    for name, value in said.items():
        if name in _LIMITED and value not in _LIMITED[name]:
            raise refused(name, value, ", ".join(json.dumps(one) for one in _LIMITED[name]))
        if name not in _FREE and name not in _LIMITED and not is_off(value):
            raise refused(name, value, "null, false")
    base = said.get("base_model_name_or_path") or ""
    if not isinstance(base, str):
        raise refused("base_model_name_or_path", base, Message("a text"))
    fits = {"model": loaded.info.model_id, "base": base or Message("no model")}
    take = _taker(dict(tensors), fits)
    if method == "bottleneck":
        changes = _bottleneck(said.get("bottleneck"), take, loaded)
    else:
        changes = _virtual(method, said, take, loaded)
    if not all(change.is_finite() for change in changes.values()):
        raise BadFile(reason=Message("its weights are not all numbers."))
    return changes, base, LoraConfig(target_modules=(method,))


Take = Callable[[str, tuple[int, ...], bool], torch.Tensor]


def _taker(tensors: dict[str, torch.Tensor], fits: Mapping[str, str | Message]) -> Take:
    def take(name: str, needed: tuple[int, ...], is_last: bool) -> torch.Tensor:
        tensor = tensors.pop(name, None)
        if tensor is None:
            raise AdapterMisfit(tensor=name, reason=Message("is missing"), **fits)
        if tuple(tensor.shape) != needed:
            got, wanted = (" × ".join(map(str, shape)) for shape in (tensor.shape, needed))
            raise AdapterShape(tensor=name, got=got, needed=wanted, **fits)
        if is_last and tensors:
            reason = Message("belongs to nothing that its adapter_config.json names")
            raise AdapterMisfit(tensor=next(iter(tensors)), reason=reason, **fits)
        return tensor.float()

    return take


def _bottleneck(width: object, take: Take, loaded: LoadedModel) -> dict[str, Change]:
    if not is_whole(width):
        raise refused("bottleneck", width, _WHOLE)
    assert isinstance(width, int)
    places = output_projections(loaded)
    last = list(places)[-1]
    return {
        path: Change(
            take(f"{path}.down.weight", (width, one.d_out), False),
            take(f"{path}.up.weight", (one.d_out, width), path == last),
        )
        for path, one in places.items()
    }


def _virtual(method: Method, said: Mapping[str, Any], take: Take, loaded: LoadedModel) -> dict[str, Change]:
    n, info = said.get("num_virtual_tokens"), loaded.info
    most = info.n_ctx - 1 if info.n_ctx else 10**6
    if not is_whole(n) or n > most:  # type: ignore[operator]
        raise refused("num_virtual_tokens", n, f"1-{most}")
    assert isinstance(n, int)
    for name, own in (("num_layers", info.n_layer), ("num_attention_heads", info.n_kv_head)):
        if method == "prefix" and said.get(name) not in (None, own):
            raise refused(name, said[name], str(own))
    if method == "prompt":
        return {PROMPT: Change(None, take(TENSOR, (n, info.d_model), True))}
    width, paths = info.n_kv_head * info.d_head, attentions(loaded.template, info.family)
    whole = take(TENSOR, (n, 2 * width * len(paths)), True)
    parts = [part.clone() for part in torch.split(whole, width, dim=1)]
    return {
        path: Change(*pair)
        for path, pair in zip(paths, zip(parts[::2], parts[1::2], strict=True), strict=True)
    }

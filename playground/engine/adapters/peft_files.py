"""Adapters as peft writes and reads them: a folder with a config and safetensors, in a zip.

    adapter_config.json          how it was trained
    adapter_model.safetensors    base_model.model.<path>.lora_A.weight [r, d_in], lora_B.weight [d_out, r];
                                 of other methods see `other_files`

Nothing of a file is executed: pickles are never opened, JSON and safetensors are data. What is not understood
is refused by its name: a config's value, a tensor without a layer, a layer without its tensors.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from playground.core.files.encoding import one_line
from playground.core.lora import LoraConfig
from playground.engine.adapters.adapter import Adapter
from playground.engine.adapters.layers import Change, is_linear, linears
from playground.engine.adapters.other_files import method_of, read_changes, written_config, written_tensors
from playground.engine.adapters.peft_config import ALL_LINEAR, PeftConfig
from playground.engine.adapters.peft_folder import CONFIG, WEIGHTS, PeftFolder, unpacked
from playground.engine.contract.adapters import CARD, PRODUCTS, Linear
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.patterns import Patterns
from playground.errors import AdapterMisfit, AdapterShape, BadFile, Message, OtherBase
from playground.settings import Settings

_PREFIX = "base_model.model."
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_MAX_STEPS = 10**6  # more than any run here
_MAX_HEADER_BYTES = 2**20  # of safetensors: 10,000 tensors, each with its name and shape


def written(adapter: Adapter, more: Mapping[str, str]) -> bytes:
    """The adapter as a zip that stock peft loads once it is unpacked.

    What was trained in full is written as the product of itself and the identity, which is what it is.

    Args:
        adapter: The adapter.
        more: Further text files, by name; without a run card among them, a short one names the adapter.
    """
    if adapter.method in PRODUCTS:
        config, tensors = _products(adapter)
    else:
        config, tensors = written_config(adapter), written_tensors(adapter)
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as folder:
            folder.writestr(CONFIG, json.dumps(config, indent=2))
            folder.writestr(WEIGHTS, save(tensors, {"format": "pt"}))
            card = {"settings": {"name": adapter.name}, "adapter_step": adapter.step}
            for name, text in {CARD: json.dumps(card, ensure_ascii=False, indent=2), **more}.items():
                folder.writestr(name, text)
        return file.getvalue()


def _products(adapter: Adapter) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    tensors, ranks = {}, {}
    for path, change in adapter.changes.items():
        A, B = change.factors()
        tensors[f"{_PREFIX}{path}.lora_A.weight"] = A.contiguous().cpu()
        tensors[f"{_PREFIX}{path}.lora_B.weight"] = B.contiguous().cpu()
        ranks[path] = A.shape[0]
    return _config(adapter, ranks), tensors


def _config(adapter: Adapter, ranks: Mapping[str, int]) -> dict[str, Any]:
    most = max(ranks.values())
    others = {path: rank for path, rank in ranks.items() if rank != most}
    is_trained_here = (
        adapter.method == "lora" and adapter.settings is not None
    )  # so all layers of these names
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": adapter.base_id,
        "r": most,
        "lora_alpha": adapter.scaling * most,
        "lora_dropout": adapter.lora.lora_dropout,
        "target_modules": list(adapter.lora.target_modules if is_trained_here else ranks),
        "rank_pattern": others,
        "alpha_pattern": {path: adapter.scaling * rank for path, rank in others.items()},
        "bias": "none",
        "fan_in_fan_out": any(path.rpartition(".")[2].startswith("c_") for path in adapter.changes),
        "inference_mode": True,
    }


def read(
    data: bytes, name: str, loaded: LoadedModel, settings: Settings, *, any_base: bool = False
) -> tuple[Adapter, tuple[str, ...]]:
    """An adapter from a zip, for this base, and the names of all files beside it.

    Args:
        data: The file.
        name: Name of the file.
        loaded: The base.
        settings: Limits on its size and on the time of its patterns.
        any_base: True takes it also where the file names another base, or none, and all shapes fit.

    Raises:
        OtherBase: The file names another base, but all shapes fit.
        BadFile: The file is not an adapter, is pickled, for another base, of an unknown kind, or too large.
    """
    folder = unpacked(data, settings)
    method = method_of(folder.config)
    if method is None:
        method, (changes, base, lora) = "lora", _read_lora(folder, loaded, settings)
    else:
        tensors = _tensors(folder.weights, settings.max_adapter_file_bytes)
        changes, base, lora = read_changes(method, folder.config, tensors, loaded)
    is_same = base_name(base) == base_name(loaded.info.model_id)
    if not is_same and not any_base:
        raise OtherBase(base=_named(base), model=loaded.info.model_id)
    given, step = _card(folder.card)
    adapter = Adapter(
        base_id=loaded.info.model_id,
        name=given or one_line(PurePosixPath(name).stem) or "adapter",
        step=step,
        lora=lora,
        method=method,
        changes=changes,
    )
    return adapter, folder.ignored


def _read_lora(
    folder: PeftFolder, loaded: LoadedModel, settings: Settings
) -> tuple[dict[str, Change], str, LoraConfig]:
    """The change of every layer, the name of the base that the file says, and its settings."""
    config = PeftConfig.of(folder.config)
    tensors = _tensors(folder.weights, settings.max_adapter_file_bytes)
    changes = _changes(tensors, config, loaded, Patterns(settings.max_adapter_patterns_s))
    known = linears(loaded.template)
    modules = tuple(dict.fromkeys(known[path].module for path in changes))
    return changes, config.base, LoraConfig(config.r, config.lora_alpha, config.lora_dropout, modules)


def base_name(said: str) -> str:
    r"""Name of a model out of a name or a path on any system: its own name, without its owner's.

    Example:
        >>> base_name("owner/Name"), base_name(r"C:\my\name"), base_name("models--owner--name/snapshots/0a1")
        ('name', 'name', 'name')
    """
    parts = [part for part in said.replace("\\", "/").split("/") if part]
    if parts[-2:-1] == ["snapshots"]:  # the hub's cache: the name is above
        parts = parts[:-2]
    return parts[-1].rpartition("--")[2].casefold() if parts else ""


def _named(base: str) -> str | Message:
    return one_line(base) or Message("no model")


def _card(data: bytes) -> tuple[str, int]:
    """Name and steps out of the run card that this app writes beside an adapter; "" and 0 without one."""
    try:
        card = json.loads(data)
        name, step = card["settings"]["name"], card["adapter_step"]
    except (ValueError, RecursionError, TypeError, KeyError, IndexError):
        return "", 0
    if not isinstance(name, str) or type(step) is not int or not 0 <= step <= _MAX_STEPS:
        return "", 0
    return one_line(name), step


def _tensors(data: bytes, max_bytes: int) -> dict[str, torch.Tensor]:
    if int.from_bytes(data[:8], "little") > _MAX_HEADER_BYTES:
        raise BadFile(reason=Message("it is too large."))
    try:
        tensors = load(data)
    except (SafetensorError, KeyError, ValueError, TypeError, OverflowError):  # also formats it does not know
        raise BadFile(reason=Message("its weights are not a safetensors file.")) from None
    if any(tensor.dtype not in _FLOATS for tensor in tensors.values()):
        raise BadFile(reason=Message("its weights are not all numbers."))
    if 4 * sum(tensor.numel() for tensor in tensors.values()) > max_bytes:
        raise BadFile(reason=Message("it is too large."))
    return tensors


def _changes(
    tensors: Mapping[str, torch.Tensor], config: PeftConfig, loaded: LoadedModel, patterns: Patterns
) -> dict[str, Change]:
    """The change of each layer that the config names; every tensor must belong to one of them."""
    known, fits = linears(loaded.template), {"model": loaded.info.model_id, "base": _named(config.base)}
    targets = _targets(config, loaded, patterns)
    for path in targets:
        if path not in known:
            raise AdapterMisfit(
                tensor=path, reason=Message("is not a layer that an adapter can change here"), **fits
            )
    ends = {f"{_PREFIX}{path}.lora_{matrix}.weight": path for path in targets for matrix in "AB"}
    for name in tensors:
        if name not in ends:
            raise AdapterMisfit(
                tensor=one_line(name),
                reason=Message("belongs to no layer that its target_modules name"),
                **fits,
            )
    for name in ends:
        if name not in tensors:
            raise AdapterMisfit(tensor=name, reason=Message("is missing"), **fits)
    if not targets:
        raise BadFile(reason=Message("its target_modules name no layer of this model."))
    return {path: _change(path, known[path], tensors, config, patterns, fits) for path in targets}


def _targets(config: PeftConfig, loaded: LoadedModel, patterns: Patterns) -> list[str]:
    modules = [(path, module) for path, module in loaded.template.named_modules() if path]
    if isinstance(config.target_modules, str) and config.target_modules.lower() == ALL_LINEAR:
        head = loaded.template.get_output_embeddings()
        every = frozenset(path for path, module in modules if is_linear(module) and module is not head)
        config = replace(config, target_modules=every)
    return [path for path, _module in modules if config.is_target(path, patterns)]


def _change(
    path: str, layer: Linear, tensors: Mapping[str, torch.Tensor], config: PeftConfig, patterns: Patterns,
    fits: Mapping[str, str | Message],
) -> Change:  # fmt: skip
    """B is scaled where the layer's own factor is not that of the whole adapter, lora_alpha / r."""
    r, scaling = config.rank_and_scaling(path, patterns)
    found = []
    for matrix, needed in (("A", (r, layer.d_in)), ("B", (layer.d_out, r))):
        name = f"{_PREFIX}{path}.lora_{matrix}.weight"
        tensor = tensors[name]
        if tensor.shape != needed:
            raise AdapterShape(tensor=name, got=_shape(tensor.shape), needed=_shape(needed), **fits)
        found.append(tensor.float())
    A, B = found
    change = Change(A, B * (scaling * config.r / config.lora_alpha))
    if not change.is_finite():
        raise BadFile(reason=Message("its weights are not all numbers."))
    return change


def _shape(sizes: Sequence[int]) -> str:
    return " × ".join(map(str, sizes))

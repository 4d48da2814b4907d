"""Adapters as peft writes and reads them: a folder with a config and safetensors, in a zip.

    adapter_config.json          how it was trained
    adapter_model.safetensors    base_model.model.<path>.lora_A.weight [r, d_in], lora_B.weight [d_out, r]

Nothing of a file is executed: pickles are refused by name, JSON and safetensors are data.
"""

from __future__ import annotations

import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from playground.engine.adapted import Change, linears
from playground.engine.adapter import Adapter
from playground.errors import N_, BadFile

if TYPE_CHECKING:
    from playground.engine.loading import LoadedModel

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
_PREFIX = "base_model.model."
_UNKNOWN = ("use_dora", "use_rslora", "modules_to_save", "layer_replication", "alora_invocation_tokens")
_MAX_CONFIG_BYTES = 2**17
_MAX_ALPHA = 1e6
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def written(adapter: Adapter, more: Mapping[str, str]) -> bytes:
    """The adapter as a zip that stock peft loads once it is unpacked.

    What was trained in full is written as the product of itself and the identity, which is what it is.

    Args:
        adapter: What was learned.
        more: Further text files, by name.
    """
    tensors, ranks = {}, {}
    for path, change in adapter.changes.items():
        A, B = change.factors()
        tensors[f"{_PREFIX}{path}.lora_A.weight"] = A.contiguous().cpu()
        tensors[f"{_PREFIX}{path}.lora_B.weight"] = B.contiguous().cpu()
        ranks[path] = A.shape[0]
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as folder:
            folder.writestr(CONFIG, json.dumps(_config(adapter, ranks), indent=2))
            folder.writestr(WEIGHTS, save(tensors, {"format": "pt"}))
            for name, text in more.items():
                folder.writestr(name, text)
        return file.getvalue()


def _config(adapter: Adapter, ranks: Mapping[str, int]) -> dict[str, Any]:
    most = max(ranks.values())
    others = {path: rank for path, rank in ranks.items() if rank != most}
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": adapter.base_id,
        "r": most,
        "lora_alpha": adapter.scaling * most,
        "lora_dropout": adapter.lora_dropout,
        "target_modules": list(adapter.target_modules) if adapter.method == "lora" else list(ranks),
        "rank_pattern": others,
        "alpha_pattern": {path: adapter.scaling * rank for path, rank in others.items()},
        "bias": "none",
        "fan_in_fan_out": any(path.rpartition(".")[2].startswith("c_") for path in adapter.changes),
        "inference_mode": True,
    }


def read(data: bytes, name: str, loaded: LoadedModel, *, max_bytes: int) -> Adapter:
    """An adapter from a zip, for this base.

    Args:
        data: The file.
        name: Its name.
        loaded: The base.
        max_bytes: Most that it may hold once unpacked.

    Raises:
        BadFile: It is no adapter, one with pickled weights, one for another base, of another shape or kind,
            or too large.
    """
    files = _unpacked(data, max_bytes)
    config = _read_config(files[CONFIG], loaded)
    try:
        tensors = load(files[WEIGHTS])
    except (SafetensorError, KeyError, ValueError, OverflowError):  # also number formats it does not know
        raise BadFile(reason=N_("its weights are no safetensors file.")) from None
    if any(tensor.dtype not in _FLOATS for tensor in tensors.values()):
        raise BadFile(reason=N_("its weights are not all numbers."))
    if 4 * sum(tensor.numel() for tensor in tensors.values()) > max_bytes:
        raise BadFile(reason=N_("it is too large."))
    changes = _changes(tensors, config, loaded)
    ranks = {change.A.shape[0] for change in changes.values() if change.A is not None}
    stem = PurePosixPath(name).stem[:40]
    known = linears(loaded.tree)
    return Adapter(
        base_id=loaded.info.model_id,
        name=stem or "adapter",
        step=0,
        r=max(ranks),
        lora_alpha=float(max(ranks)),  # every layer's own scaling lies in its B
        lora_dropout=0.0,
        target_modules=tuple(dict.fromkeys(known[path].module for path in changes)),
        method="lora",
        changes=changes,
    )


def _unpacked(data: bytes, max_bytes: int) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as folder:
            members = [one for one in folder.infolist() if not one.is_dir()]
            if any(one.filename.lower().endswith(_PICKLES) for one in members):
                raise BadFile(
                    reason=N_("it has pickled weights, which can run foreign code. Save safetensors.")
                )
            by_name = {PurePosixPath(one.filename).name: one for one in members}
            if CONFIG not in by_name or WEIGHTS not in by_name:
                raise BadFile(reason=N_("it has no adapter_config.json with an adapter_model.safetensors."))
            config, weights = by_name[CONFIG], by_name[WEIGHTS]
            if config.file_size > _MAX_CONFIG_BYTES or weights.file_size > max_bytes:
                raise BadFile(reason=N_("it is too large."))
            return {CONFIG: _limited(folder, config), WEIGHTS: _limited(folder, weights)}
    except (
        zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError, OSError,
        ValueError,
    ):  # fmt: skip
        raise BadFile(reason=N_("it is no zip that can be unpacked.")) from None


def _limited(folder: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with folder.open(member) as file:
        return file.read(member.file_size)


def _read_config(data: bytes, loaded: LoadedModel) -> dict[str, Any]:
    try:
        config = json.loads(data)
    except (ValueError, RecursionError):
        raise BadFile(reason=N_("its adapter_config.json is no valid JSON.")) from None
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        raise BadFile(reason=N_("it is no LoRA adapter."))
    if any(config.get(name) for name in _UNKNOWN) or config.get("bias", "none") != "none":
        raise BadFile(reason=N_("it uses a variant of LoRA that cannot be shown here."))
    base = PurePosixPath(str(config.get("base_model_name_or_path") or "")).name.lower()
    if base and base.rpartition("--")[2] != loaded.info.model_id.rpartition("/")[2].lower():
        raise BadFile(reason=N_("it was trained for another model."))
    return config


def _changes(
    tensors: Mapping[str, torch.Tensor], config: Mapping[str, Any], loaded: LoadedModel
) -> dict[str, Change]:
    known = linears(loaded.tree)
    ends = {f"{_PREFIX}{path}.lora_{matrix}.weight": (path, matrix) for path in known for matrix in "AB"}
    if not tensors or not all(name in ends for name in tensors):
        raise BadFile(reason=N_("its layers are not those of this model."))
    found = {ends[name]: tensor.float() for name, tensor in tensors.items()}
    changes = {}
    for path, layer in known.items():
        A, B = found.get((path, "A")), found.get((path, "B"))
        if A is None and B is None:
            continue
        fits = A is not None and B is not None and A.dim() == B.dim() == 2 and A.shape[0] == B.shape[1]
        if A is None or B is None or not fits or (B.shape[0], A.shape[1]) != (layer.d_out, layer.d_in):
            raise BadFile(reason=N_("its layers have other shapes than those of this model."))
        if not 0 < len(A) <= min(layer.d_out, layer.d_in):
            raise BadFile(reason=N_("its layers have other shapes than those of this model."))
        changes[path] = Change(A, B * _scaling(path, len(A), config))
        if not changes[path].is_finite():
            raise BadFile(reason=N_("its weights are not all numbers."))
    return changes


def _scaling(path: str, r: int, config: Mapping[str, Any]) -> float:
    """lora_alpha / r of one layer; patterns name the ends of paths, as peft matches them."""
    alpha = config.get("lora_alpha", r)
    patterns = config.get("alpha_pattern") or {}
    for end, own in patterns.items() if isinstance(patterns, dict) else ():
        if path == end or path.endswith(f".{end}"):
            alpha = own
    is_number = isinstance(alpha, int | float) and not isinstance(alpha, bool)
    if not is_number or not -_MAX_ALPHA <= alpha <= _MAX_ALPHA:  # also false for NaN
        raise BadFile(reason=N_("its adapter_config.json has a lora_alpha that is no number."))
    return float(alpha) / r

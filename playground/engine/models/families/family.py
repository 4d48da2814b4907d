"""The form in which a family's module says what is particular about it, without torch and transformers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.engine.contract.models import Capability, Kind
from playground.engine.models.config_rules import Rule

Config = Mapping[str, Any]
Positions = Literal["learned", "rotary", "relative"]


def _zero(_config: Config) -> int:
    return 0


def _one(_config: Config) -> float:
    return 1.0


@dataclass(frozen=True, slots=True)
class BlockPaths:
    """Places of the parts of a layer, as dotted paths inside it.

    Attributes:
        attention: Everything with the queries, keys, values and the output.
        attention_output: Reads all heads' outputs side by side; the last projection of the attention.
        mlp: The feed-forward part, its first projection at least.
        mlp_output: The last projection of the MLP.
        attention_norm, mlp_norm: A norm of what the projection before gives, through which alone it reaches
            the residual stream; "" where the projection adds to it itself.
    """

    attention: str
    attention_output: str
    mlp: str
    mlp_output: str
    attention_norm: str = ""
    mlp_norm: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """One family of models: its `model_type` in config.json, where its parts lie, what its configs may say.

    Attributes:
        name: The `model_type`.
        kind: How its models read and write.
        blocks: Dotted path of the list of layers in the library's base model; of the encoder where there are
            two stacks.
        block: Paths inside a layer.
        positions: How it tells positions apart.
        rules: Key of config.json -> the values it may have.
        required: Keys that must be there: the library would take the sizes of another model for them.
        harmless: Keys besides those of every family that no forward pass looks at.
        dependent: Key -> the rule that the other keys make for it, where it is there.
        final_norm: Path of the norm before the vocabulary head in the base model, "" without a head.
        masked_head: Paths of the parts of its masked-LM head, in the library's model with that head: each
            reads what the one before gives, the first reads the last hidden state. A model can fill masks if
            its weights have the last part.
        position_table: Path of the learned position embeddings in the base model, "" where there are none.
        first_row: Config -> the row of the first position in that table.
        ids_are_rows: True if the library's `position_ids` and `max_position_embeddings` are rows of that
            table, False if they count from the first position.
        has_clocks: True if queries and keys of the first head come from one norm, two projections and a
            rotation of the whole head, and nothing else; so they can be computed beside the model.
        ropes: Types of rotation that its configs may name.
        is_partly_rotated: True if a config may let the rotation leave out a part of each head.
        has_ropes_by_layer: True if a config has a rotation for each of its two types of layers.
        window: Config -> number of the last tokens that some layer sees alone, of an encoder the longest text
            that every layer sees whole; 0 where all see everything.
        keeps_layer_types: True if a layer's type says more than whether it has a window.
        norm_adds_one: True if norms scale by 1 + weight.
        other_heads: Pattern of names of weights that belong to heads of other tasks, "" for none.
        lacks: Capabilities of its kind that it does not have here.
        stores_in_out: True if its projections store their weights as [in, out], as GPT-2's `Conv1D`.
        is_traced: True if its attention goes through `traced_attention`.
        output_scale: Config -> factor of what leaves the decoder of two stacks, before the vocabulary head.
        target_blocks: Path of the list of layers of the decoder of two stacks in the base model.
        target_positions: Path of its table of positions, whose first row is that of `first_row`; "" where it
            has none.
    """

    name: str
    kind: Kind
    blocks: str
    block: BlockPaths
    positions: Positions
    rules: Mapping[str, Rule]
    required: tuple[str, ...]
    harmless: frozenset[str] = frozenset()
    dependent: Mapping[str, Callable[[Config], Rule]] = field(default_factory=dict)
    final_norm: str = ""
    masked_head: tuple[str, ...] = ()
    position_table: str = ""
    first_row: Callable[[Config], int] = _zero
    ids_are_rows: bool = False
    has_clocks: bool = False
    ropes: tuple[str, ...] = ()
    is_partly_rotated: bool = False
    has_ropes_by_layer: bool = False
    window: Callable[[Config], int] = _zero
    keeps_layer_types: bool = False
    norm_adds_one: bool = False
    other_heads: str = ""
    lacks: frozenset[Capability] = frozenset()
    stores_in_out: bool = False
    is_traced: bool = True
    output_scale: Callable[[Config], float] = _one
    target_blocks: str = ""
    target_positions: str = ""

"""The form in which a family's module says what is particular about it, without torch and transformers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.engine.contract.models import Kind
from playground.engine.models.config_rules import Rule

Config = Mapping[str, Any]
Positions = Literal["learned", "rotary", "relative"]


def _no_window(_config: Config) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class BlockPaths:
    """Places of the parts of a layer, as dotted paths inside it.

    Attributes:
        attention: Everything with the queries, keys, values and the output.
        attention_output: Reads all heads' outputs side by side; the last projection of the attention.
        mlp: The feed-forward part, its first projection at least.
        mlp_output: The last projection of the MLP.
    """

    attention: str
    attention_output: str
    mlp: str
    mlp_output: str


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
        slides: True if the config lets a window of some layer hide tokens of a long text.
        stores_in_out: True if its projections store their weights as [in, out], as GPT-2's `Conv1D`.
        is_traced: True if its attention goes through `traced_attention`.
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
    slides: Callable[[Config], bool] = _no_window
    stores_in_out: bool = False
    is_traced: bool = True

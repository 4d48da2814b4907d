"""Names of parts and keys of configs that decoders of Llama's make have in common."""

from __future__ import annotations

from playground.engine.models.config_rules import (
    ACTIVATION,
    COUNT,
    OFF,
    POSITIVE,
    SWITCH,
    WHOLE_HEAD,
    Rule,
    divisor_of,
)
from playground.engine.models.families.family import BlockPaths, Config

SIZES = (
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size",
    "max_position_embeddings",
)  # fmt: skip
BLOCK = BlockPaths("self_attn", "self_attn.o_proj", "mlp", "mlp.down_proj")
RULES = {
    "hidden_size": COUNT,
    "intermediate_size": COUNT,
    "num_hidden_layers": COUNT,
    "num_attention_heads": COUNT,
    "num_key_value_heads": COUNT.or_null(),
    "vocab_size": COUNT,
    "max_position_embeddings": COUNT,
    "original_max_position_embeddings": COUNT,
    "hidden_act": ACTIVATION,
    "rms_norm_eps": POSITIVE,
    "attention_bias": SWITCH,
    "rope_theta": POSITIVE,
    "rope_interleaved": OFF,
    "partial_rotary_factor": WHOLE_HEAD,
}
LAYER_TYPES = Rule("[…], null", lambda value: value is None or isinstance(value, list))


def whole_width(config: Config) -> Rule:
    """Heads that share the width of the model."""
    return divisor_of(config["hidden_size"])


def shared_keys(config: Config) -> Rule:
    """Key heads that each serve equally many heads."""
    return divisor_of(config["num_attention_heads"]).or_null()


def layer_types(config: Config) -> Rule:
    """One type per layer; a window only where there is one."""
    has_window = config.get("use_sliding_window") and config.get("sliding_window")
    kinds = ("full_attention", "sliding_attention") if has_window else ("full_attention",)
    n_layer = config["num_hidden_layers"]

    def fits(value: object) -> bool:
        return isinstance(value, list) and len(value) == n_layer and all(one in kinds for one in value)

    return Rule(f"{n_layer} × {' | '.join(kinds)}", fits).or_null()


def either_type(config: Config) -> Rule:
    """One type per layer, of the two."""
    return layer_types({**config, "use_sliding_window": True})


def window_if_switched_on(config: Config) -> int:
    """The window, if a layer uses it: those named, otherwise those from a number on."""
    if not (config.get("use_sliding_window") and config.get("sliding_window")):
        return 0
    kinds, first = config.get("layer_types"), config.get("max_window_layers", 28)  # the library's default
    slides = first < config["num_hidden_layers"] if kinds is None else "sliding_attention" in kinds
    return int(config["sliding_window"]) if slides else 0

"""ModernBERT: an encoder with rotations, whose layers see everything or a stretch around each token."""

from __future__ import annotations

from playground.engine.models.config_rules import ACTIVATION, COUNT, EVEN, ON, POSITIVE, SWITCH, one_of
from playground.engine.models.families.family import BlockPaths, Config, Family
from playground.engine.models.families.rotary import LAYER_TYPES, SIZES, layer_types, whole_width


def _window(config: Config) -> int:
    """Half of the stretch lies on each side of a token."""
    kinds, every = (
        config.get("layer_types"),
        config.get("global_attn_every_n_layers", 3),
    )  # the library's default
    slides = "sliding_attention" in kinds if kinds else every > 1 and config["num_hidden_layers"] > 1
    return int(config.get("local_attention", 128)) // 2 + 1 if slides else 0


MODERNBERT = Family(
    name="modernbert",
    kind="encoder",
    blocks="layers",
    block=BlockPaths("attn", "attn.Wo", "mlp", "mlp.Wo"),
    positions="rotary",
    rules=dict.fromkeys(SIZES, COUNT)
    | {
        "hidden_activation": ACTIVATION,
        "norm_eps": POSITIVE,
        "layer_norm_eps": POSITIVE,
        "norm_bias": SWITCH,
        "attention_bias": SWITCH,
        "mlp_bias": SWITCH,
        "classifier_bias": SWITCH,
        "classifier_activation": ACTIVATION,
        "decoder_bias": ON,  # by it the masked-LM head is known to be there
        "local_attention": EVEN,
        "global_attn_every_n_layers": COUNT,
        "layer_types": LAYER_TYPES,
        "global_rope_theta": POSITIVE,
        "local_rope_theta": POSITIVE,
        "position_embedding_type": one_of("absolute"),  # which no one reads
    },
    required=SIZES,
    harmless=frozenset(
        {
            "embedding_dropout", "mlp_dropout", "classifier_pooling", "deterministic_flash_attn",
            "initializer_cutoff_factor", "sparse_prediction", "sparse_pred_ignore_index", "reference_compile",
            "repad_logits_with_grad",
        }
    ),
    dependent={
        "num_attention_heads": whole_width,
        "layer_types": lambda config: layer_types({**config, "use_sliding_window": 1, "sliding_window": 1}),
        "layer_norm_eps": lambda config: one_of(config.get("norm_eps", 1e-5)),  # the library reads norm_eps
    },
    masked_head=("head", "decoder"),
    other_heads=r"^head\.",
    ropes=("default", "linear"),
    has_ropes_by_layer=True,
    window=_window,
)  # fmt: skip

"""Every key of config.json that the engine understands, family by family, with the values it may have.

A key stands here with the values of which tests show that every answer of the engine is plain transformers'
own, or as one that no forward pass looks at. Needs neither torch nor transformers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from playground.core.files.encoding import one_line


@dataclass(frozen=True, slots=True)
class Rule:
    """The values that a key may have.

    Attributes:
        allowed: The values as the reader is told them, without words.
        fits: Returns True if a value is one of them.
    """

    allowed: str
    fits: Callable[[Any], bool]

    def or_null(self) -> Rule:
        """A rule that allows null too."""
        return Rule(f"{self.allowed}, null", lambda value: value is None or self.fits(value))


def shown(value: object) -> str:
    """A value of a JSON file as a sentence names it."""
    return one_line(json.dumps(value, ensure_ascii=False))


def one_of(*values: Any) -> Rule:  # noqa: ANN401  (JSON)
    """Only these values, each of its own type: 1 is not true.

    Example:
        >>> one_of(True).fits(1), one_of("silu", None).allowed
        (False, '"silu", null')
    """

    def fits(value: object) -> bool:
        return any(type(value) is type(one) and value == one for one in values)

    return Rule(", ".join(map(shown, values)), fits)


def _is_whole(value: object, at_least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= at_least


def _is_number(value: object, above: float = 0.0) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value > above  # type: ignore[operator, arg-type]


def _are_numbers(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_number, value))


_COUNT = Rule("1, 2, 3, …", _is_whole)
_INDEX = Rule("0, 1, 2, …", lambda value: _is_whole(value, 0))
_EVEN = Rule("2, 4, 6, …", lambda value: _is_whole(value) and value % 2 == 0)
POSITIVE = Rule("> 0", _is_number)
_POSITIVES = Rule("[> 0, …]", _are_numbers)
_SWITCH = one_of(False, True)
_OFF, _ON = one_of(False), one_of(True)
_WHOLE_HEAD = one_of(1, 1.0, None)
_ACTIVATIONS = (  # without weights of their own
    "gelu", "gelu_fast", "gelu_new", "gelu_python", "gelu_pytorch_tanh", "quick_gelu", "relu", "relu6",
    "silu", "swish", "tanh",
)  # fmt: skip
_ACTIVATION = one_of(*_ACTIVATIONS)

# No forward pass looks at these; or it does in training with dropout, which the engine never switches on.
HARMLESS = frozenset(
    {
        "architectures", "auto_map", "model_type", "transformers_version", "name_or_path",
        "_name_or_path", "_commit_hash", "author", "created_date", "license", "language", "version",
        "tokenizer_class", "prefix", "xla_device", "is_llama_config", "unsloth_fixed", "unsloth_version",
        "transformers.js_config", "_attn_implementation_autoset", "_flash_attn_2_enabled",
        "max_sequence_length", "model_max_length", "use_cache", "output_past", "output_attentions",
        "output_hidden_states",
        "output_scores", "return_dict_in_generate", "initializer_range", "initializer_factor",
        "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "cls_token_id", "mask_token_id",
        "unk_token_id", "forced_bos_token_id", "forced_eos_token_id", "attention_dropout",
        "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "dropout_rate",
        "resid_pdrop", "embd_pdrop", "attn_pdrop", "id2label", "label2id", "num_labels", "_num_labels",
        "problem_type", "finetuning_task", "task_specific_params", "max_length", "min_length",
        "max_new_tokens", "do_sample", "early_stopping", "num_beams", "num_beam_groups",
        "num_return_sequences", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty",
        "length_penalty", "diversity_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size",
        "bad_words_ids", "suppress_tokens", "begin_suppress_tokens", "remove_invalid_values",
        "exponential_decay_length_penalty",
    }
)  # fmt: skip
OF_ANY_FAMILY = {
    "dtype": one_of("float32", "float16", "bfloat16", "float64", None),
    "torch_dtype": one_of("float32", "float16", "bfloat16", "float64", None),
    "tie_word_embeddings": _SWITCH,
    "chunk_size_feed_forward": one_of(0),
    "gradient_checkpointing": _OFF,
    "torchscript": _OFF,
    "return_dict": _ON,
    "use_bfloat16": _OFF,
    "pruned_heads": one_of({}),
    "is_encoder_decoder": _OFF,
    "is_decoder": _OFF,
    "add_cross_attention": _OFF,
    "tie_encoder_decoder": _OFF,
}
_ROTARY = {
    "hidden_size": _COUNT,
    "intermediate_size": _COUNT,
    "num_hidden_layers": _COUNT,
    "num_attention_heads": _COUNT,
    "num_key_value_heads": _COUNT.or_null(),
    "vocab_size": _COUNT,
    "max_position_embeddings": _COUNT,
    "original_max_position_embeddings": _COUNT,
    "hidden_act": _ACTIVATION,
    "rms_norm_eps": POSITIVE,
    "attention_bias": _SWITCH,
    "rope_theta": POSITIVE,
    "rope_interleaved": _OFF,
    "partial_rotary_factor": _WHOLE_HEAD,
}


@dataclass(frozen=True, slots=True)
class Family:
    """The keys of one family.

    Attributes:
        rules: Key -> its values.
        required: Keys that must be there: the library would take the sizes of another model for them.
        harmless: Keys besides `HARMLESS` that no forward pass of this family looks at.
    """

    rules: Mapping[str, Rule]
    required: tuple[str, ...]
    harmless: frozenset[str] = frozenset()


_SIZES = (
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size",
    "max_position_embeddings",
)  # fmt: skip
FAMILIES: Mapping[str, Family] = {
    "llama": Family(
        _ROTARY | {"head_dim": _EVEN.or_null(), "mlp_bias": _SWITCH},
        _SIZES,
        frozenset({"pretraining_tp"}),  # how the products were shared out over devices
    ),
    "qwen3": Family(
        _ROTARY
        | {
            "head_dim": _EVEN,
            "use_sliding_window": _SWITCH,
            "sliding_window": _COUNT.or_null(),
            "max_window_layers": _INDEX,
        },
        (*_SIZES, "head_dim", "num_key_value_heads"),
    ),
    "gpt2": Family(
        {
            "n_embd": _COUNT,
            "n_layer": _COUNT,
            "n_head": _COUNT,
            "n_inner": _COUNT.or_null(),
            "n_positions": _COUNT,
            "vocab_size": _COUNT,
            "activation_function": _ACTIVATION,
            "layer_norm_epsilon": POSITIVE,
            "scale_attn_weights": _ON,  # the arithmetic of a row divides by the root of the head size
            "scale_attn_by_inverse_layer_idx": _OFF,
            "reorder_and_upcast_attn": _SWITCH,
        },
        ("n_embd", "n_layer", "n_head", "n_positions", "vocab_size"),
        frozenset(
            {
                "n_ctx", "n_special", "predict_special_tokens", "summary_type", "summary_use_proj",
                "summary_activation", "summary_proj_to_labels", "summary_first_dropout",
                "summary_last_dropout",
            }
        ),
    ),
    "bert": Family(
        {
            "hidden_size": _COUNT,
            "intermediate_size": _COUNT,
            "num_hidden_layers": _COUNT,
            "num_attention_heads": _COUNT,
            "vocab_size": _COUNT,
            "type_vocab_size": _COUNT,
            "max_position_embeddings": _COUNT,
            "hidden_act": _ACTIVATION,
            "layer_norm_eps": POSITIVE,
            "position_embedding_type": one_of("absolute"),
        },
        _SIZES,
        frozenset(
            {
                "directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers",
                "pooler_size_per_head", "pooler_type",
            }
        ),
    ),
    "t5": Family(
        {
            "d_model": _COUNT,
            "d_kv": _COUNT,
            "d_ff": _COUNT,
            "num_layers": _COUNT,
            "num_decoder_layers": _COUNT.or_null(),
            "num_heads": _COUNT,
            "vocab_size": _COUNT,
            "n_positions": _COUNT,
            "relative_attention_num_buckets": _EVEN,
            "relative_attention_max_distance": _COUNT,
            "layer_norm_epsilon": POSITIVE,
            "feed_forward_proj": one_of(*_ACTIVATIONS, *(f"gated-{name}" for name in _ACTIVATIONS)),
            "dense_act_fn": _ACTIVATION,
            "is_gated_act": _SWITCH,
            "scale_decoder_outputs": _SWITCH,
            "decoder_start_token_id": _INDEX,
            "is_encoder_decoder": _ON,
        },
        ("d_model", "d_kv", "d_ff", "num_layers", "num_heads", "vocab_size", "decoder_start_token_id"),
    ),
}  # fmt: skip
ROPES = {  # type -> the keys it needs, and those it may have
    "default": ((), ()),
    "linear": (("factor",), ()),
    "dynamic": (("factor",), ()),
    "llama3": (("factor", "low_freq_factor", "high_freq_factor"), ("original_max_position_embeddings",)),
    "yarn": (
        ("factor",),
        (
            "original_max_position_embeddings", "attention_factor", "beta_fast", "beta_slow", "mscale",
            "mscale_all_dim", "truncate",
        ),
    ),
    "longrope": (
        ("short_factor", "long_factor"),
        ("original_max_position_embeddings", "factor", "attention_factor"),
    ),
}  # fmt: skip
ROPE_RULES = {
    "original_max_position_embeddings": _COUNT,
    "short_factor": _POSITIVES,
    "long_factor": _POSITIVES,
    "truncate": _SWITCH,
    "partial_rotary_factor": _WHOLE_HEAD,
}

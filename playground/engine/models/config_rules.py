"""Rules for the values of config.json, and the keys that families have in common.

A key stands here, or in the module of its family, with the values of which tests show that every answer of
the engine is plain transformers' own, or as one that no forward pass looks at. Needs neither torch nor
transformers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
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


def divisor_of(number: int) -> Rule:
    """Numbers that divide this one."""
    return Rule(f"{number}/1, {number}/2, {number}/3, …", lambda value: number % value == 0)


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


COUNT = Rule("1, 2, 3, …", _is_whole)
INDEX = Rule("0, 1, 2, …", lambda value: _is_whole(value, 0))
EVEN = Rule("2, 4, 6, …", lambda value: _is_whole(value) and value % 2 == 0)
POSITIVE = Rule("> 0", _is_number)
_POSITIVES = Rule("[> 0, …]", _are_numbers)
SHARE = Rule("0 < … ≤ 1", lambda value: _is_number(value) and value <= 1)
SWITCH = one_of(False, True)
OFF, ON = one_of(False), one_of(True)
WHOLE_HEAD = one_of(1, 1.0, None)
ACTIVATIONS = (  # without weights of their own
    "gelu", "gelu_fast", "gelu_new", "gelu_python", "gelu_pytorch_tanh", "quick_gelu", "relu", "relu6",
    "silu", "swish", "tanh",
)  # fmt: skip
ACTIVATION = one_of(*ACTIVATIONS)

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
    "tie_word_embeddings": SWITCH,
    "chunk_size_feed_forward": one_of(0),
    "gradient_checkpointing": OFF,
    "torchscript": OFF,
    "return_dict": ON,
    "use_bfloat16": OFF,
    "pruned_heads": one_of({}),
    "is_encoder_decoder": OFF,
    "is_decoder": OFF,
    "add_cross_attention": OFF,
    "tie_encoder_decoder": OFF,
}
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
    "original_max_position_embeddings": COUNT,
    "short_factor": _POSITIVES,
    "long_factor": _POSITIVES,
    "truncate": SWITCH,
    "partial_rotary_factor": WHOLE_HEAD,
}

"""What config.json may say: the real ones of the catalogue, and by name what would change the numbers."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from transformers import (
    BartConfig,
    BertConfig,
    DistilBertConfig,
    ElectraConfig,
    Gemma2Config,
    Gemma3TextConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MarianConfig,
    MBartConfig,
    MistralConfig,
    ModernBertConfig,
    Olmo2Config,
    OPTConfig,
    Phi3Config,
    PreTrainedConfig,
    Qwen2Config,
    Qwen3Config,
    RobertaConfig,
    T5Config,
    XLMRobertaConfig,
)

from playground.engine.models.catalogue import KIND_OF_FAMILY
from playground.engine.models.configs import check_config, context_window
from playground.engine.models.families.table import FAMILIES
from playground.errors import ConfigRefused, UnknownSetting, WrongArchitecture

CONFIGS: tuple[type[PreTrainedConfig], ...] = (
    LlamaConfig, Qwen2Config, Qwen3Config, MistralConfig, Gemma2Config, Gemma3TextConfig, Phi3Config,
    Olmo2Config, GPT2Config, GPTNeoXConfig, OPTConfig, BertConfig, RobertaConfig, XLMRobertaConfig,
    DistilBertConfig, ElectraConfig, ModernBertConfig, T5Config, BartConfig, MBartConfig, MarianConfig,
)  # fmt: skip
LABELS = {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}, "_num_labels": 1}
LLAMA = {
    "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
    "bos_token_id": 0, "eos_token_id": 0, "hidden_act": "silu", "hidden_size": 576,
    "initializer_range": 0.041666666666666664, "intermediate_size": 1536, "is_llama_config": True,
    "max_position_embeddings": 8192, "mlp_bias": False, "model_type": "llama", "num_attention_heads": 9,
    "num_hidden_layers": 30, "num_key_value_heads": 3, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
    "rope_interleaved": False, "rope_scaling": None, "rope_theta": 100000, "tie_word_embeddings": True,
    "torch_dtype": "bfloat16", "transformers_version": "4.40.1", "use_cache": True, "vocab_size": 49152,
}  # fmt: skip
GPT2 = {
    "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1,
    "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02,
    "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12,
    "n_layer": 12, "n_positions": 1024, "resid_pdrop": 0.1, "summary_activation": None,
    "summary_first_dropout": 0.1, "summary_proj_to_labels": True, "summary_type": "cls_index",
    "summary_use_proj": True, "vocab_size": 50257,
    "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
}  # fmt: skip
BERT = {
    "architectures": ["BertForMaskedLM"], "attention_probs_dropout_prob": 0.1,
    "gradient_checkpointing": False, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 768,
    "initializer_range": 0.02, "intermediate_size": 3072, "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512, "model_type": "bert", "num_attention_heads": 12,
    "num_hidden_layers": 12, "pad_token_id": 0, "position_embedding_type": "absolute",
    "transformers_version": "4.6.0.dev0", "type_vocab_size": 2, "use_cache": True, "vocab_size": 30522,
}  # fmt: skip
QWEN3 = {
    "architectures": ["Qwen3ForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
    "bos_token_id": 151643, "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu",
    "hidden_size": 1024, "initializer_range": 0.02, "intermediate_size": 3072,
    "max_position_embeddings": 40960, "max_window_layers": 28, "model_type": "qwen3",
    "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8, "rms_norm_eps": 1e-06,
    "rope_scaling": None, "rope_theta": 1000000, "sliding_window": None, "tie_word_embeddings": True,
    "torch_dtype": "bfloat16", "transformers_version": "4.51.0", "use_cache": True,
    "use_sliding_window": False, "vocab_size": 151936,
}  # fmt: skip
T5 = {
    "architectures": ["T5ForConditionalGeneration"], "d_ff": 2048, "d_kv": 64, "d_model": 512,
    "decoder_start_token_id": 0, "dropout_rate": 0.1, "eos_token_id": 1, "initializer_factor": 1.0,
    "is_encoder_decoder": True, "layer_norm_epsilon": 1e-06, "model_type": "t5", "n_positions": 512,
    "num_heads": 8, "num_layers": 6, "output_past": True, "pad_token_id": 0,
    "relative_attention_num_buckets": 32, "vocab_size": 32128,
    "task_specific_params": {"summarization": {"early_stopping": True, "num_beams": 4, "prefix": "sum: "}},
}  # fmt: skip
REAL = {  # config.json as the hub's repositories hold it
    "HuggingFaceTB/SmolLM2-135M": LLAMA,
    "HuggingFaceTB/SmolLM2-360M-Instruct": LLAMA
    | {
        "hidden_size": 960, "intermediate_size": 2560, "num_attention_heads": 15, "num_hidden_layers": 32,
        "num_key_value_heads": 5, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2,
        "transformers.js_config": {"kv_cache_dtype": {"q4f16": "float16", "fp16": "float16"}},
    },
    "Qwen/Qwen3-0.6B": QWEN3,
    "gpt2": GPT2,
    "distilgpt2": GPT2 | LABELS | {"n_layer": 6},
    "skt/kogpt2-base-v2": GPT2
    | LABELS
    | {
        "activation_function": "gelu", "author": "Heewon(Haven) Jeon", "bos_token_id": 0, "eos_token_id": 1,
        "created_date": "2021-04-28", "gradient_checkpointing": False, "license": "CC-BY-NC-SA 4.0",
        "n_inner": None, "pad_token_id": 3, "transformers_version": "4.5.1", "use_cache": True,
        "vocab_size": 51200,
    },
    "google-bert/bert-base-uncased": BERT,
    "klue/bert-base": BERT | {"vocab_size": 32000},
    "google-t5/t5-small": T5,
    "meta-llama/Llama-3.2-1B": LLAMA
    | {
        "head_dim": 64, "hidden_size": 2048, "num_attention_heads": 32, "num_key_value_heads": 8,
        "max_position_embeddings": 131072, "rope_theta": 500000.0,
        "rope_scaling": {
            "factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
            "original_max_position_embeddings": 8192, "rope_type": "llama3",
        },
    },
    "google/flan-t5-small": T5
    | {"feed_forward_proj": "gated-gelu", "num_decoder_layers": 8, "num_heads": 6, "num_layers": 8,
       "tie_word_embeddings": False, "relative_attention_max_distance": 128, "is_gated_act": True,
       "dense_act_fn": "gelu_new", "d_model": 512},
    "google-bert/bert-base-multilingual-cased": BERT
    | {"directionality": "bidi", "pooler_fc_size": 768, "pooler_num_attention_heads": 12,
       "pooler_num_fc_layers": 3, "pooler_size_per_head": 128, "pooler_type": "first_token_transform"},
}  # fmt: skip
WINDOW = QWEN3 | {"sliding_window": 4096, "use_sliding_window": True}
LINEAR = {"type": "linear", "factor": 2.0}


@pytest.mark.parametrize("model_id", REAL)
def test_the_configs_of_real_models_are_let_in(model_id: str) -> None:
    check_config(model_id, REAL[model_id], KIND_OF_FAMILY)


def test_every_family_has_a_config_of_the_library() -> None:
    assert set(FAMILIES) == set(KIND_OF_FAMILY) == {kind.model_type for kind in CONFIGS}


@pytest.mark.parametrize("kind", CONFIGS)
def test_whatever_this_version_of_the_library_writes_is_let_in(
    kind: type[PreTrainedConfig], tmp_path: Path
) -> None:
    config = kind(**({"decoder_start_token_id": 0} if kind in (T5Config, MBartConfig) else {}))
    check_config("a/b", json.loads(config.to_json_string(use_diff=False)), KIND_OF_FAMILY)
    config.save_pretrained(tmp_path)
    check_config("a/b", json.loads((tmp_path / "config.json").read_text("utf-8")), KIND_OF_FAMILY)


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_new_setting_of_the_library_is_noticed(kind: type[PreTrainedConfig]) -> None:
    """Each field of a config class has a rule, or is known to be harmless."""
    base = json.loads(
        kind(**({"decoder_start_token_id": 0} if kind in (T5Config, MBartConfig) else {})).to_json_string()
    )
    for field in fields(kind):  # type: ignore[arg-type]
        odd = {**base, field.name: ["no", "value"]}
        try:
            check_config("a/b", odd, KIND_OF_FAMILY)
        except UnknownSetting:
            pytest.fail(f"{kind.__name__}.{field.name} is not listed")
        except (ConfigRefused, WrongArchitecture):
            continue


@pytest.mark.parametrize(
    ("base", "change", "key", "value"),
    [
        (LLAMA, {"rope_interleaved": True}, "rope_interleaved", "true"),
        (LLAMA, {"hidden_act": "xielu"}, "hidden_act", '"xielu"'),
        (LLAMA, {"hidden_act": ["silu"]}, "hidden_act", '["silu"]'),
        (LLAMA, {"attention_bias": 1}, "attention_bias", "1"),
        (LLAMA, {"hidden_size": "576"}, "hidden_size", '"576"'),
        (LLAMA, {"hidden_size": 577}, "num_attention_heads", "9"),
        (LLAMA, {"num_key_value_heads": 4}, "num_key_value_heads", "4"),
        (LLAMA, {"num_key_value_heads": 0}, "num_key_value_heads", "0"),
        (LLAMA, {"num_hidden_layers": None}, "num_hidden_layers", "null"),
        (LLAMA, {"head_dim": 63}, "head_dim", "63"),
        (LLAMA, {"rms_norm_eps": float("nan")}, "rms_norm_eps", "NaN"),
        (LLAMA, {"partial_rotary_factor": 0.5}, "partial_rotary_factor", "0.5"),
        (LLAMA, {"is_decoder": True}, "is_decoder", "true"),
        (LLAMA, {"pruned_heads": {"1": [2]}}, "pruned_heads", '{"1": [2]}'),
        (LLAMA, {"torch_dtype": "float8_e4m3fn"}, "torch_dtype", '"float8_e4m3fn"'),
        (LLAMA, {"rope_scaling": "linear"}, "rope_scaling", '"linear"'),
        (LLAMA, {"rope_scaling": {"type": "su", "factor": 2.0}}, "rope_scaling.type", '"su"'),
        (LLAMA, {"rope_scaling": {"rope_type": ["yarn"]}}, "rope_scaling.rope_type", '["yarn"]'),
        (LLAMA, {"rope_scaling": LINEAR | {"factor": 0}}, "rope_scaling.factor", "0"),
        (LLAMA, {"rope_scaling": {"type": "linear"}}, "rope_scaling.factor", "null"),
        (LLAMA, {"rope_scaling": LINEAR | {"rope_type": "dynamic"}}, "rope_scaling.type", '"linear"'),
        (LLAMA, {"rope_parameters": {"partial_rotary_factor": 0.5}}, "rope_parameters.partial", "0.5"),
        (QWEN3, {"use_sliding_window": 1}, "use_sliding_window", "1"),
        (QWEN3, {"layer_types": ["full_attention"]}, "layer_types", '["full_attention"]'),
        (QWEN3, {"layer_types": ["sliding_attention"] * 28}, "layer_types", '["sliding_attention", '),
        (QWEN3, {"head_dim": None}, "head_dim", "null"),
        (GPT2, {"scale_attn_weights": False}, "scale_attn_weights", "false"),
        (GPT2, {"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx", "true"),
        (GPT2, {"add_cross_attention": True}, "add_cross_attention", "true"),
        (GPT2, {"n_head": 5}, "n_head", "5"),
        (BERT, {"position_embedding_type": "relative_key"}, "position_embedding_type", '"relative_key"'),
        (BERT, {"is_decoder": True}, "is_decoder", "true"),
        (BERT, {"add_cross_attention": True}, "add_cross_attention", "true"),
        (BERT, {"chunk_size_feed_forward": 3}, "chunk_size_feed_forward", "3"),
        (T5, {"is_encoder_decoder": False}, "is_encoder_decoder", "false"),
        (T5, {"feed_forward_proj": "gated-gated-gelu"}, "feed_forward_proj", '"gated-gated-gelu"'),
        (T5, {"decoder_start_token_id": None}, "decoder_start_token_id", "null"),
        (T5, {"tie_encoder_decoder": True}, "tie_encoder_decoder", "true"),
    ],
)
def test_a_value_that_is_not_known_is_refused_by_name(
    base: dict[str, Any], change: dict[str, Any], key: str, value: str
) -> None:
    with pytest.raises(ConfigRefused) as refused:
        check_config("a/b", base | change, KIND_OF_FAMILY)
    assert str(refused.value).startswith(f"config.json of a/b sets {key}")
    assert f" to {value}" in str(refused.value)


@pytest.mark.parametrize(
    ("base", "change", "key"),
    [
        (LLAMA, {"sliding_window": 4096}, "sliding_window"),  # a Mistral under another name
        (LLAMA, {"logits_scaling": 8.0}, "logits_scaling"),
        (LLAMA, {"quantization_config": {"quant_method": "gptq", "bits": 4}}, "quantization_config"),
        (LLAMA, {"num_local_experts": 8}, "num_local_experts"),
        (LLAMA, {"per_layer_config": {"0": {"hidden_act": "relu"}}}, "per_layer_config"),
        (LLAMA, {"rope_scaling": LINEAR | {"mrope_section": [8, 12, 12]}}, "rope_scaling.mrope_section"),
        (QWEN3, {"mlp_bias": True}, "mlp_bias"),
        (QWEN3, {"rope_parameters": {"full_attention": {"rope_type": "default"}}}, "rope_parameters.full"),
        (GPT2, {"rope_scaling": LINEAR}, "rope_scaling"),
        (BERT, {"embedding_size": 128}, "embedding_size"),
        (T5, {"tie_last_hidden_states": True}, "tie_last_hidden_states"),
    ],
)
def test_a_key_that_is_not_known_is_refused_by_name(
    base: dict[str, Any], change: dict[str, Any], key: str
) -> None:
    with pytest.raises(UnknownSetting, match=f"config.json of a/b sets {key}"):
        check_config("a/b", base | change, KIND_OF_FAMILY)
    check_config("a/b", base | {"some_day": None}, KIND_OF_FAMILY)  # null is not set


@pytest.mark.parametrize(
    "config", [{}, {"model_type": "mamba"}, {"model_type": ["gpt2"]}, {"model_type": None}]
)
def test_another_family_is_named_with_those_there_are(config: dict[str, Any]) -> None:
    every = ", ".join(sorted(kind.model_type for kind in CONFIGS))
    with pytest.raises(WrongArchitecture, match=f"is not supported; these are: {every}"):
        check_config("a/b", config, KIND_OF_FAMILY)


def test_a_long_value_is_cut_in_the_sentence() -> None:
    with pytest.raises(UnknownSetting) as refused:
        check_config("a/b", LLAMA | {"unknown": list(range(1_000))}, KIND_OF_FAMILY)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    ("config", "n_ctx"),
    [
        (LLAMA, 8192),
        (T5, 512),
        ({key: value for key, value in T5.items() if key != "n_positions"}, 0),
        (QWEN3 | {"sliding_window": 4096}, 40960),
        (WINDOW | {"max_window_layers": 27}, 4096),
        (WINDOW, 40960),  # max_window_layers 28: no layer slides
        (WINDOW | {"layer_types": ["full_attention"] * 28, "max_window_layers": 0}, 40960),
        (WINDOW | {"layer_types": ["full_attention"] * 27 + ["sliding_attention"]}, 4096),
        (LLAMA | {"rope_scaling": {"rope_type": "longrope", "original_max_position_embeddings": 99}}, 99),
        (LLAMA | {"rope_parameters": {"rope_type": "longrope"}, "original_max_position_embeddings": 98}, 98),
        (LLAMA | {"rope_parameters": {"type": "longrope"}}, 8192),
        (LLAMA | {"rope_scaling": LINEAR | {"original_max_position_embeddings": 99}}, 8192),
    ],
)
def test_the_window_ends_where_a_text_would_depend_on_more_than_itself(
    config: dict[str, Any], n_ctx: int
) -> None:
    assert context_window(config) == n_ctx

"""Configs of the families beside the first five, as their makers publish them; values refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from playground.engine.models.catalogue import KIND_OF_FAMILY
from playground.engine.models.configs import check_config, context_window
from playground.errors import ConfigRefused, UnknownSetting
from tests.engine.models.test_configs import BERT, QWEN3, REAL

QWEN2 = {key: value for key, value in QWEN3.items() if key not in ("head_dim", "attention_bias")} | {
    "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 896, "vocab_size": 151936,
    "intermediate_size": 4864, "max_position_embeddings": 32768, "max_window_layers": 21,
    "num_attention_heads": 14, "num_hidden_layers": 24, "num_key_value_heads": 2, "sliding_window": 32768,
}  # fmt: skip
MISTRAL = {
    "architectures": ["MistralForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 1, "eos_token_id": 2,
    "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336,
    "max_position_embeddings": 32768, "model_type": "mistral", "num_attention_heads": 32,
    "num_hidden_layers": 32, "num_key_value_heads": 8, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
    "sliding_window": 4096, "tie_word_embeddings": False, "torch_dtype": "bfloat16", "use_cache": True,
    "vocab_size": 32000,
}  # fmt: skip
GEMMA3 = {
    "architectures": ["Gemma3ForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
    "attn_logit_softcapping": None, "bos_token_id": 2, "cache_implementation": "hybrid",
    "eos_token_id": [1, 106], "final_logit_softcapping": None, "head_dim": 256,
    "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 1152, "initializer_range": 0.02,
    "intermediate_size": 6912, "max_position_embeddings": 32768, "model_type": "gemma3_text",
    "num_attention_heads": 4, "num_hidden_layers": 26, "num_key_value_heads": 1, "pad_token_id": 0,
    "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-06, "rope_local_base_freq": 10000,
    "rope_scaling": None, "rope_theta": 1000000, "sliding_window": 512, "sliding_window_pattern": 6,
    "torch_dtype": "bfloat16", "use_cache": True, "vocab_size": 262144,
}  # fmt: skip
GEMMA2 = {
    "architectures": ["Gemma2ForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
    "attn_logit_softcapping": 50.0, "bos_token_id": 2, "cache_implementation": "hybrid",
    "eos_token_id": [1, 107], "final_logit_softcapping": 30.0, "head_dim": 256,
    "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 2304,
    "initializer_range": 0.02, "intermediate_size": 9216, "max_position_embeddings": 8192,
    "model_type": "gemma2", "num_attention_heads": 8, "num_hidden_layers": 26, "num_key_value_heads": 4,
    "pad_token_id": 0, "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-06, "rope_theta": 10000.0,
    "sliding_window": 4096, "torch_dtype": "bfloat16", "use_cache": True, "vocab_size": 256000,
}  # fmt: skip
NEOX = {
    "architectures": ["GPTNeoXForCausalLM"], "bos_token_id": 0, "eos_token_id": 0, "hidden_act": "gelu",
    "hidden_size": 512, "initializer_range": 0.02, "intermediate_size": 2048, "layer_norm_eps": 1e-05,
    "max_position_embeddings": 2048, "model_type": "gpt_neox", "num_attention_heads": 8,
    "num_hidden_layers": 6, "rotary_emb_base": 10000, "rotary_pct": 0.25, "tie_word_embeddings": False,
    "torch_dtype": "float16", "use_cache": True, "use_parallel_residual": True, "vocab_size": 50304,
}  # fmt: skip
OPT = {
    "_remove_final_layer_norm": False, "activation_dropout": 0.0, "activation_function": "relu",
    "architectures": ["OPTForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 2,
    "do_layer_norm_before": True, "dropout": 0.1, "eos_token_id": 2, "ffn_dim": 3072, "hidden_size": 768,
    "init_std": 0.02, "layerdrop": 0.0, "max_position_embeddings": 2048, "model_type": "opt",
    "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 1, "prefix": "</s>",
    "torch_dtype": "float16", "use_cache": True, "vocab_size": 50272, "word_embed_proj_dim": 768,
}  # fmt: skip
PHI3 = {
    "architectures": ["Phi3ForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
    "bos_token_id": 1, "embd_pdrop": 0.0, "eos_token_id": 32000, "hidden_act": "silu", "hidden_size": 3072,
    "initializer_range": 0.02, "intermediate_size": 8192, "max_position_embeddings": 4096,
    "model_type": "phi3", "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 32,
    "original_max_position_embeddings": 4096, "pad_token_id": 32000, "resid_pdrop": 0.0,
    "rms_norm_eps": 1e-05, "rope_scaling": None, "rope_theta": 10000.0, "sliding_window": 2047,
    "tie_word_embeddings": False, "torch_dtype": "bfloat16", "use_cache": True, "vocab_size": 32064,
}  # fmt: skip
OLMO2 = {
    "architectures": ["Olmo2ForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
    "eos_token_id": 100257, "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02,
    "intermediate_size": 8192, "max_position_embeddings": 4096, "model_type": "olmo2",
    "num_attention_heads": 16, "num_hidden_layers": 16, "num_key_value_heads": 16, "pad_token_id": 100277,
    "rms_norm_eps": 1e-06, "rope_scaling": None, "rope_theta": 500000, "tie_word_embeddings": False,
    "torch_dtype": "float32", "use_cache": False, "vocab_size": 100352,
}  # fmt: skip
ROBERTA = BERT | {
    "architectures": ["RobertaForMaskedLM"], "model_type": "roberta", "max_position_embeddings": 514,
    "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1, "type_vocab_size": 1, "vocab_size": 50265,
    "layer_norm_eps": 1e-05,
}  # fmt: skip
DISTILBERT = {
    "activation": "gelu", "architectures": ["DistilBertForMaskedLM"], "attention_dropout": 0.1, "dim": 768,
    "dropout": 0.1, "hidden_dim": 3072, "initializer_range": 0.02, "max_position_embeddings": 512,
    "model_type": "distilbert", "n_heads": 12, "n_layers": 6, "pad_token_id": 0, "qa_dropout": 0.1,
    "seq_classif_dropout": 0.2, "sinusoidal_pos_embds": False, "tie_weights_": True, "vocab_size": 30522,
}  # fmt: skip
ELECTRA = BERT | {
    "architectures": ["ElectraForPreTraining"], "model_type": "electra", "embedding_size": 768,
    "summary_activation": "gelu", "summary_last_dropout": 0.1, "summary_type": "first",
    "summary_use_proj": True, "vocab_size": 35000,
}  # fmt: skip
MODERNBERT = {
    "architectures": ["ModernBertForMaskedLM"], "attention_bias": False, "attention_dropout": 0.0,
    "bos_token_id": 50281, "classifier_activation": "gelu", "classifier_bias": False,
    "classifier_dropout": 0.0, "classifier_pooling": "mean", "cls_token_id": 50281, "decoder_bias": True,
    "deterministic_flash_attn": False, "embedding_dropout": 0.0, "eos_token_id": 50282,
    "global_attn_every_n_layers": 3, "global_rope_theta": 160000.0, "gradient_checkpointing": False,
    "hidden_activation": "gelu", "hidden_size": 768, "initializer_cutoff_factor": 2.0,
    "initializer_range": 0.02, "intermediate_size": 1152, "layer_norm_eps": 1e-05, "local_attention": 128,
    "local_rope_theta": 10000.0, "max_position_embeddings": 8192, "mlp_bias": False, "mlp_dropout": 0.0,
    "model_type": "modernbert", "norm_bias": False, "norm_eps": 1e-05, "num_attention_heads": 12,
    "num_hidden_layers": 22, "pad_token_id": 50283, "position_embedding_type": "absolute",
    "sep_token_id": 50282, "tie_word_embeddings": True, "torch_dtype": "float32", "vocab_size": 50368,
}  # fmt: skip
BART = {
    "activation_dropout": 0.1, "activation_function": "gelu", "add_bias_logits": False,
    "add_final_layer_norm": False, "architectures": ["BartModel"], "attention_dropout": 0.1,
    "bos_token_id": 0, "classif_dropout": 0.1, "classifier_dropout": 0.0, "d_model": 768,
    "decoder_attention_heads": 12, "decoder_ffn_dim": 3072, "decoder_layerdrop": 0.0, "decoder_layers": 6,
    "decoder_start_token_id": 2, "dropout": 0.1, "early_stopping": True, "encoder_attention_heads": 12,
    "encoder_ffn_dim": 3072, "encoder_layerdrop": 0.0, "encoder_layers": 6, "eos_token_id": 2,
    "forced_bos_token_id": 0, "forced_eos_token_id": 2, "gradient_checkpointing": False, "init_std": 0.02,
    "is_encoder_decoder": True, "max_position_embeddings": 1024, "model_type": "bart",
    "no_repeat_ngram_size": 3, "normalize_before": False, "normalize_embedding": True, "num_beams": 4,
    "num_hidden_layers": 6, "pad_token_id": 1, "scale_embedding": False, "torch_dtype": "float32",
    "use_cache": True, "vocab_size": 50265,
}  # fmt: skip
KOBART = BART | {
    "author": "Heewon Jeon", "bos_token_id": 1, "decoder_start_token_id": 1, "eos_token_id": 1,
    "extra_pos_embeddings": 2, "force_bos_token_to_be_generated": False, "kobart_version": 2.0,
    "max_position_embeddings": 1026, "pad_token_id": 3, "static_position_embeddings": False,
    "vocab_size": 30000,
}  # fmt: skip
MBART = BART | {
    "activation_function": "relu", "add_final_layer_norm": True, "d_model": 1024, "encoder_layers": 12,
    "decoder_attention_heads": 16, "decoder_layers": 12, "encoder_attention_heads": 16,
    "forced_bos_token_id": 250004, "model_type": "mbart", "normalize_before": True, "num_hidden_layers": 12,
    "scale_embedding": True, "static_position_embeddings": False, "tokenizer_class": "MBart50Tokenizer",
    "vocab_size": 250054,
}  # fmt: skip
MARIAN = BART | {
    "_num_labels": 3, "activation_function": "swish", "bad_words_ids": [[65000]], "d_model": 512,
    "decoder_attention_heads": 8, "decoder_ffn_dim": 2048, "decoder_start_token_id": 65000,
    "decoder_vocab_size": 65001, "encoder_attention_heads": 8, "encoder_ffn_dim": 2048, "eos_token_id": 0,
    "forced_bos_token_id": None, "forced_eos_token_id": 0, "max_length": 512,
    "max_position_embeddings": 512, "model_type": "marian", "normalize_embedding": False,
    "pad_token_id": 65000, "scale_embedding": True, "share_encoder_decoder_embeddings": True,
    "static_position_embeddings": True, "vocab_size": 65001,
}  # fmt: skip


PUBLISHED: tuple[tuple[dict[str, Any], int], ...] = (
    (QWEN2, 32768),
    (QWEN2 | {"use_sliding_window": True, "sliding_window": 4096}, 4096),
    (MISTRAL, 4096),
    (MISTRAL | {"sliding_window": None}, 32768),
    ({key: value for key, value in MISTRAL.items() if key != "sliding_window"}, 4096),
    (GEMMA3, 512),
    (GEMMA3 | {"layer_types": ["full_attention"] * 26}, 32768),
    (GEMMA2, 4096),
    (NEOX, 2048),
    (NEOX | {"rotary_pct": 0.5, "num_steps": "global_step213000"}, 2048),  # Polyglot-Ko
    (OPT, 2048),
    (PHI3, 2047),
    (OLMO2, 4096),
    (ROBERTA, 512),
    (ROBERTA | {"model_type": "xlm-roberta", "vocab_size": 250002}, 512),
    (DISTILBERT, 512),
    (ELECTRA, 512),
    (MODERNBERT, 8192),  # its windows hide nothing from whoever reads a text in one go
    (BART, 1024),
    (KOBART, 1026),
    (MBART, 1024),
    (MARIAN, 512),
)


def test_every_family_has_a_published_config() -> None:
    known = {config["model_type"] for config in (*REAL.values(), *(one for one, _n_ctx in PUBLISHED))}
    assert known == set(KIND_OF_FAMILY)


@pytest.mark.parametrize(("config", "n_ctx"), PUBLISHED)
def test_a_published_config_is_let_in_with_its_window(config: dict[str, Any], n_ctx: int) -> None:
    check_config("a/b", config, KIND_OF_FAMILY)
    assert context_window(config) == n_ctx


LINEAR = {"rope_type": "linear", "factor": 8.0}


@pytest.mark.parametrize(
    ("base", "change", "key"),
    [
        (QWEN2, {"use_mrope": True}, "use_mrope"),
        (MISTRAL, {"num_key_value_heads": None}, "num_key_value_heads"),
        (GEMMA3, {"use_bidirectional_attention": True}, "use_bidirectional_attention"),
        (GEMMA3, {"query_pre_attn_scalar": 168}, "query_pre_attn_scalar"),
        (GEMMA3, {"attn_logit_softcapping": 50.0}, "attn_logit_softcapping"),
        (GEMMA3, {"final_logit_softcapping": 30.0}, "final_logit_softcapping"),
        (GEMMA3, {"sliding_window": None}, "sliding_window"),
        (GEMMA3, {"layer_types": ["chunked_attention"] * 26}, "layer_types"),
        (GEMMA3, {"rope_parameters": {"full_attention": {"rope_type": "yarn"}}}, "rope_parameters.full"),
        (NEOX, {"rotary_pct": 1.5}, "rotary_pct"),
        (NEOX, {"rope_parameters": {"partial_rotary_factor": 0.0}}, "rope_parameters.partial_rotary"),
        (OPT, {"do_layer_norm_before": False}, "do_layer_norm_before"),  # opt-350m
        (OPT, {"word_embed_proj_dim": 512}, "word_embed_proj_dim"),
        (OPT, {"layer_norm_elementwise_affine": False}, "layer_norm_elementwise_affine"),
        (PHI3, {"rope_scaling": {"type": "su", "factor": 2.0}}, "rope_scaling.type"),
        (PHI3, {"lm_head_bias": True}, "lm_head_bias"),
        (ROBERTA, {"position_embedding_type": "relative_key"}, "position_embedding_type"),
        (ROBERTA, {"pad_token_id": None}, "pad_token_id"),
        (DISTILBERT, {"n_heads": 11}, "n_heads"),
        (ELECTRA, {"embedding_size": None}, "embedding_size"),
        (MODERNBERT, {"decoder_bias": False}, "decoder_bias"),
        (MODERNBERT, {"local_attention": 7}, "local_attention"),
        (MODERNBERT, {"layer_norm_eps": 1e-12}, "layer_norm_eps"),
        (MODERNBERT, {"layer_types": ["full_attention"] * 21}, "layer_types"),
        (MODERNBERT, {"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, "rope_scaling.rope_type"),
        (BART, {"normalize_before": True}, "normalize_before"),
        (BART, {"num_hidden_layers": 7}, "num_hidden_layers"),  # a second name of encoder_layers
        (BART, {"hidden_size": 512}, "hidden_size"),
        (BART, {"decoder_attention_heads": 7}, "decoder_attention_heads"),
        (BART, {"tie_word_embeddings": False}, "tie_word_embeddings"),
        (BART, {"decoder_start_token_id": None}, "decoder_start_token_id"),
        (BART, {"force_bos_token_to_be_generated": True}, "force_bos_token_to_be_generated"),
        (MBART, {"normalize_before": False}, "normalize_before"),
        (MBART, {"decoder_start_token_id": None}, "decoder_start_token_id"),
        (MARIAN, {"share_encoder_decoder_embeddings": False}, "share_encoder_decoder_embeddings"),
        (MARIAN, {"decoder_vocab_size": 32001}, "decoder_vocab_size"),
        (MARIAN, {"static_position_embeddings": False}, "static_position_embeddings"),
    ],
)
def test_a_value_that_is_not_known_is_refused_by_name(
    base: dict[str, Any], change: dict[str, Any], key: str
) -> None:
    with pytest.raises(ConfigRefused, match=f"config.json of a/b sets {key}"):
        check_config("a/b", base | change, KIND_OF_FAMILY)


@pytest.mark.parametrize(
    ("base", "change", "key"),
    [
        (QWEN2, {"attention_bias": False}, "attention_bias"),
        (QWEN2, {"head_dim": 32}, "head_dim"),
        (MISTRAL, {"layer_types": ["sliding_attention"] * 32}, "layer_types"),  # a Ministral
        (GEMMA3, {"rope_parameters": {"rope_type": "default"}}, "rope_parameters.rope_type"),
        (NEOX, {"rope_theta": 1e6}, "rope_theta"),  # the library reads rotary_emb_base
        (OLMO2, {"clip_qkv": 8.0}, "clip_qkv"),
        (DISTILBERT, {"hidden_size": 768}, "hidden_size"),
        (MODERNBERT, {"head_dim": 32}, "head_dim"),
        (MODERNBERT, {"sliding_window": 64}, "sliding_window"),
        (BART, {"encoder_no_such_norm": True}, "encoder_no_such_norm"),
        (MARIAN, {"extra_pos_embeddings": 2}, "extra_pos_embeddings"),
    ],
)
def test_a_key_that_is_not_known_is_refused_by_name(
    base: dict[str, Any], change: dict[str, Any], key: str
) -> None:
    with pytest.raises(UnknownSetting, match=f"config.json of a/b sets {key}"):
        check_config("a/b", base | change, KIND_OF_FAMILY)

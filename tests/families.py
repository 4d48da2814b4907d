"""Tiny random models of every family, each with the values of its config that change a forward."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from playground.engine.models.catalogue import model_folder
from playground.engine.models.families.table import FAMILIES
from playground.settings import Settings
from tests import tiny

N_CTX, WINDOW, D_VOCAB = 64, 24, 300
SIZES: dict[str, Any] = {
    "vocab_size": D_VOCAB, "hidden_size": 64, "intermediate_size": 48, "num_hidden_layers": 3,
    "num_attention_heads": 4, "max_position_embeddings": N_CTX,
}  # fmt: skip
NO_MARKS = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
ROTARY = SIZES | NO_MARKS | {"num_key_value_heads": 2}
PLAIN_ROPE = {"rope_type": "default", "rope_theta": 1e4}
LINEAR = {"rope_parameters": {"rope_type": "linear", "factor": 2.5, "rope_theta": 1e4}}
LLAMA3 = {
    "rope_parameters": {
        "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16, "rope_theta": 1e4,
    }
}  # fmt: skip
YARN = {
    "rope_parameters": {
        "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "rope_theta": 1e4,
    }
}  # fmt: skip
DYNAMIC = {"rope_parameters": {"rope_type": "dynamic", "factor": 3.0, "rope_theta": 1e4}}
SOME_SLIDE = {"layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}
LONG = {
    "rope_type": "longrope", "short_factor": [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5], "rope_theta": 1e4,
    "long_factor": [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0],
}  # fmt: skip
TIED, UNTIED = {"tie_word_embeddings": True}, {"tie_word_embeddings": False}
GEMMA = ROTARY | {
    "head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": WINDOW, "pad_token_id": 0,
    "num_hidden_layers": 4,
}  # fmt: skip
CAPS = {"final_logit_softcapping": 3.0, "attn_logit_softcapping": 2.0}
OPT = {
    "vocab_size": D_VOCAB, "hidden_size": 64, "ffn_dim": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
    "max_position_embeddings": N_CTX, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1,
}  # fmt: skip
DISTILBERT = {
    "vocab_size": D_VOCAB, "dim": 64, "hidden_dim": 48, "n_layers": 3, "n_heads": 4, "pad_token_id": 0,
    "max_position_embeddings": N_CTX,
}  # fmt: skip
MODERNBERT = SIZES | {
    "num_hidden_layers": 4, "pad_token_id": 0, "bos_token_id": None, "eos_token_id": None,
    "cls_token_id": None, "sep_token_id": None, "tie_word_embeddings": False,
}  # fmt: skip
TWO_STACKS = {
    "vocab_size": D_VOCAB, "d_model": 64, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "max_position_embeddings": N_CTX, "bos_token_id": None, "eos_token_id": None, "pad_token_id": 1,
    "decoder_start_token_id": 2, "forced_eos_token_id": None,
}  # fmt: skip
T5 = {
    "vocab_size": D_VOCAB, "d_model": 64, "d_kv": 16, "d_ff": 48, "num_heads": 4, "num_layers": 2,
    "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": None,
}  # fmt: skip
UNEVEN = {
    "encoder_layers": 3, "decoder_layers": 2, "decoder_attention_heads": 2, "decoder_ffn_dim": 40,
}  # fmt: skip
SHALLOW = {"encoder_layers": 2, "decoder_layers": 4, "encoder_attention_heads": 8, "encoder_ffn_dim": 40}
SCALED = {"scale_embedding": True, "activation_function": "relu"}

# family -> names of the library's classes, sizes, and the variants with what each changes
Case = tuple[str, str, dict[str, Any], dict[str, dict[str, Any]]]
CASES: dict[str, Case] = {
    "llama": ("LlamaConfig", "LlamaForCausalLM", ROTARY, {
        "plain": TIED, "biases": {"attention_bias": True, "mlp_bias": True},
    }),
    "qwen2": ("Qwen2Config", "Qwen2ForCausalLM", ROTARY, {
        "plain": {}, "tied": TIED, "llama3": LLAMA3, "yarn": YARN, "dynamic": DYNAMIC,
        "window": {"use_sliding_window": True, "sliding_window": WINDOW, "max_window_layers": 1},
        "layers": {"use_sliding_window": True, "sliding_window": WINDOW} | SOME_SLIDE,
    }),
    "qwen3": ("Qwen3Config", "Qwen3ForCausalLM", ROTARY | {"head_dim": 32}, {"plain": {}}),
    "mistral": ("MistralConfig", "MistralForCausalLM", ROTARY, {
        "plain": {"sliding_window": None}, "window": {"sliding_window": WINDOW},
        "head-dim": {"sliding_window": None, "head_dim": 32} | TIED, "yarn": {"sliding_window": None} | YARN,
    }),
    "gemma2": ("Gemma2Config", "Gemma2ForCausalLM", GEMMA | CAPS, {
        "plain": {}, "no-caps": {"final_logit_softcapping": None, "attn_logit_softcapping": None},
        "layers": {"num_hidden_layers": 3} | SOME_SLIDE | UNTIED, "linear": LINEAR,
    }),
    "gemma3_text": ("Gemma3TextConfig", "Gemma3ForCausalLM", GEMMA, {
        "plain": {}, "layers": {"num_hidden_layers": 3} | SOME_SLIDE, "biases": {"attention_bias": True},
        "untied": UNTIED, "full": {"layer_types": ["full_attention"] * 4},
        "head-dim": {"head_dim": 32, "query_pre_attn_scalar": 32, "num_key_value_heads": 1},
        "linear": {
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
                "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
            },
            "layer_types": ["full_attention", "sliding_attention"] * 2,
        },
    }),
    "phi3": ("Phi3Config", "Phi3ForCausalLM", ROTARY | {"original_max_position_embeddings": WINDOW}, {
        "plain": {}, "tied": TIED, "window": {"sliding_window": WINDOW},
        "partial": {"rope_parameters": PLAIN_ROPE | {"partial_rotary_factor": 0.75}},
        "longrope": {"rope_parameters": LONG},
    }),
    "olmo2": ("Olmo2Config", "Olmo2ForCausalLM", ROTARY, {
        "plain": {}, "biases": {"attention_bias": True} | TIED, "linear": LINEAR,
    }),
    "gpt2": ("GPT2Config", "GPT2LMHeadModel", {
        "vocab_size": D_VOCAB, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": N_CTX,
        "bos_token_id": 0, "eos_token_id": 0,
    }, {"plain": {}}),
    "gpt_neox": ("GPTNeoXConfig", "GPTNeoXForCausalLM", SIZES | NO_MARKS, {
        "plain": {}, "serial": {"use_parallel_residual": False, "hidden_act": "gelu_fast"},
        "whole": {"rope_parameters": PLAIN_ROPE | {"partial_rotary_factor": 1.0}},
        "no-biases": {"attention_bias": False} | TIED,
        "linear": {
            "rope_parameters": {
                "rope_type": "linear", "factor": 2.0, "rope_theta": 1e4, "partial_rotary_factor": 0.5,
            }
        },
    }),
    "opt": ("OPTConfig", "OPTForCausalLM", OPT, {
        "plain": {}, "no-biases": {"enable_bias": False} | UNTIED, "gelu": {"activation_function": "gelu"},
    }),
    "bert": ("BertConfig", "BertForMaskedLM", SIZES, {"plain": {}}),
    "roberta": ("RobertaConfig", "RobertaForMaskedLM", SIZES | {"pad_token_id": 1}, {
        "plain": {}, "padding": {"pad_token_id": 3, "type_vocab_size": 1},
    }),
    "xlm-roberta": ("XLMRobertaConfig", "XLMRobertaForMaskedLM", SIZES | {"pad_token_id": 1}, {"plain": {}}),
    "distilbert": ("DistilBertConfig", "DistilBertForMaskedLM", DISTILBERT, {
        "plain": {}, "sinusoids": {"sinusoidal_pos_embds": True, "activation": "relu"},
    }),
    "electra": ("ElectraConfig", "ElectraForMaskedLM", SIZES | {"embedding_size": 64}, {
        "plain": {}, "narrow": {"embedding_size": 32},
    }),
    "modernbert": ("ModernBertConfig", "ModernBertForMaskedLM", MODERNBERT, {
        "plain": {}, "tied": TIED | {"classifier_bias": True, "hidden_activation": "silu"},
        "biases": {"attention_bias": True, "mlp_bias": True, "norm_bias": True},
        "window": {"local_attention": 8},
        "alternate": {"global_attn_every_n_layers": 2, "local_attention": 10},
        "layers": {"num_hidden_layers": 3, "local_attention": 6} | SOME_SLIDE,
        "full": {"layer_types": ["full_attention"] * 4},
        "linear": {
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e5},
                "sliding_attention": {"rope_type": "default", "rope_theta": 1e3},
            }
        },
    }),
    "t5": ("T5Config", "T5ForConditionalGeneration", T5, {
        "plain": {}, "uneven": {"num_layers": 3, "num_decoder_layers": 2},
        "gated": {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    }),
    "bart": ("BartConfig", "BartForConditionalGeneration", TWO_STACKS, {
        "plain": {}, "scaled": SCALED, "uneven": UNEVEN, "shallow": SHALLOW, "forced": {"forced": 7},
    }),
    "mbart": ("MBartConfig", "MBartForConditionalGeneration", TWO_STACKS, {
        "plain": {}, "scaled": SCALED, "language": UNEVEN | SCALED | {"forced": 290},
    }),
    "marian": ("MarianConfig", "MarianMTModel", TWO_STACKS, {
        "plain": {}, "scaled": SCALED | {"activation_function": "swish", "never": 1}, "uneven": UNEVEN,
        "shallow": SHALLOW,
    }),
}  # fmt: skip
VARIANTS = tuple(f"tiny/{family}-{name}" for family, case in CASES.items() for name in case[3])


def family_of(model_id: str) -> str:
    """The family of a tiny model's id; "gemma3_text" of "tiny/gemma3_text-plain"."""
    name = model_id.removeprefix("tiny/")
    return max((one for one in CASES if name.startswith(f"{one}-")), key=len)


def of_kind(kind: str) -> tuple[str, ...]:
    """The tiny models of a kind."""
    return tuple(one for one in VARIANTS if FAMILIES[family_of(one)].kind == kind)


def made(model_id: str) -> Any:
    """A tiny model, its weights still those that the library begins with."""
    family = family_of(model_id)
    config, model, sizes, variants = CASES[family]
    chosen = variants[model_id.removeprefix(f"tiny/{family}-")]
    own = {key: value for key, value in (sizes | chosen).items() if key not in ("forced", "never")}
    built: Any = getattr(transformers, model)(getattr(transformers, config)(**own))
    if "final_logits_bias" in dict(built.named_buffers()):
        built.final_logits_bias.normal_(generator=torch.Generator().manual_seed(0))
    if "forced" in chosen:
        built.generation_config.forced_bos_token_id = chosen["forced"]
    if "never" in chosen:  # and it would be written: as in Marian, nothing keeps its logit low
        built.generation_config.bad_words_ids = [[chosen["never"]]]
        built.final_logits_bias[0, chosen["never"]] = 4.0
    return built


def make(cache_dir: Path, models: tuple[str, ...] = VARIANTS) -> Settings:
    """Write these models below `cache_dir`; gives settings that allow them."""
    settings = Settings(
        cache_dir=cache_dir, extra_models=models, default_model=models[0], device="cpu", HF_HUB_OFFLINE=True
    )
    byte_level, word_piece = tiny.byte_level_tokenizer(D_VOCAB), tiny.word_piece_tokenizer(D_VOCAB)
    for seed, model_id in enumerate(models):
        family = FAMILIES[family_of(model_id)]
        tokenizer, names = byte_level, {}
        if family.kind == "encoder":
            tokenizer, names = word_piece, {"mask_token": "[MASK]"}
        folder, around = model_folder(model_id, settings), 0.0 if family.norm_adds_one else 1.0
        tiny.save(folder, made(model_id), tokenizer, seed=seed, std=0.15, norms=around, **names)
    return settings

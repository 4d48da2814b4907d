"""The config.json of every model of the list, as their makers publish them, is let in."""

from __future__ import annotations

from typing import Any

import pytest

from playground.engine.models.catalogue import KIND_OF_FAMILY, catalogue
from playground.engine.models.configs import check_config, context_window
from playground.engine.models.families.table import FAMILIES
from playground.errors import WrongArchitecture
from playground.settings import Settings
from playground.ui import text
from playground.ui.translations import languages
from tests.engine.models.test_configs import BERT, QWEN3, REAL
from tests.engine.models.test_family_configs import (
    BART,
    DISTILBERT,
    ELECTRA,
    GEMMA3,
    KOBART,
    MISTRAL,
    MODERNBERT,
    NEOX,
    OLMO2,
    QWEN2,
    ROBERTA,
)

LLAMA3 = {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "rope_type": "llama3",
          "original_max_position_embeddings": 8192}  # fmt: skip
LLAMA = {
    "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
    "bos_token_id": 128000, "eos_token_id": 128001, "head_dim": 64, "hidden_act": "silu",
    "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192, "mlp_bias": False,
    "max_position_embeddings": 131072, "model_type": "llama", "num_attention_heads": 32,
    "num_hidden_layers": 16, "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
    "rope_scaling": LLAMA3, "rope_theta": 500000.0, "tie_word_embeddings": True,
    "torch_dtype": "bfloat16", "use_cache": True, "vocab_size": 128256,
}  # fmt: skip
TINY_LLAMA = {key: value for key, value in LLAMA.items() if key not in ("head_dim", "mlp_bias")} | {
    "rope_scaling": None, "rope_theta": 10000.0, "tie_word_embeddings": False, "num_key_value_heads": 4,
    "num_hidden_layers": 22, "intermediate_size": 5632, "max_position_embeddings": 2048, "vocab_size": 32000,
    "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
GEMMA_270M = GEMMA3 | {
    "hidden_size": 640, "intermediate_size": 2048, "num_hidden_layers": 18, "rope_local_base_freq": 10000.0,
    "layer_types": (["sliding_attention"] * 5 + ["full_attention"]) * 3, "_sliding_window_pattern": 6,
    "use_bidirectional_attention": False,
}  # fmt: skip
POLYGLOT = NEOX | {
    "attention_dropout": 0.0, "hidden_dropout": 0.0, "hidden_size": 2048, "intermediate_size": 8192,
    "num_attention_heads": 16, "num_hidden_layers": 24, "num_steps": "global_step102000", "rotary_pct": 0.5,
    "vocab_size": 30080, "eos_token_id": 2,
}  # fmt: skip
KLUE_ROBERTA = ROBERTA | {
    "position_embedding_type": "absolute", "tokenizer_class": "BertTokenizer", "vocab_size": 32000,
    "gradient_checkpointing": False,
}  # fmt: skip
XLM_R = ROBERTA | {"model_type": "xlm-roberta", "vocab_size": 250002, "output_past": True}
FLAN = REAL["google-t5/t5-small"] | {
    "d_ff": 1024, "feed_forward_proj": "gated-gelu", "num_heads": 6, "num_layers": 8, "num_decoder_layers": 8,
    "tie_word_embeddings": False, "output_past": True,
}  # fmt: skip
CONFIGS: dict[str, dict[str, Any]] = REAL | {
    "EleutherAI/polyglot-ko-1.3b": POLYGLOT,
    "klue/roberta-small": KLUE_ROBERTA | {"num_hidden_layers": 6},
    "klue/roberta-base": KLUE_ROBERTA,
    "gogamza/kobart-base-v2": KOBART | {"do_blenderbot_90_layernorm": False},
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0": TINY_LLAMA,
    "Felladrin/TinyMistral-248M-Chat-v2": MISTRAL | {"hidden_size": 1024, "intermediate_size": 4096},
    "google/gemma-3-270m": GEMMA_270M,
    "google/gemma-3-270m-it": GEMMA_270M,
    "google/gemma-3-1b-pt": GEMMA3,
    "google/gemma-3-1b-it": GEMMA3,
    "allenai/OLMo-2-0425-1B-Instruct": OLMO2,
    "EleutherAI/pythia-70m": NEOX,
    "EleutherAI/pythia-160m": NEOX | {"hidden_size": 768, "num_attention_heads": 12, "num_hidden_layers": 12},
    "FacebookAI/roberta-base": ROBERTA,
    "distilbert/distilbert-base-uncased": DISTILBERT,
    "google/electra-base-discriminator": ELECTRA,
    "answerdotai/ModernBERT-base": MODERNBERT,
    "facebook/bart-base": BART,
    "Qwen/Qwen2.5-0.5B": QWEN2 | {"max_window_layers": 24, "use_mrope": False},
    "Qwen/Qwen2.5-0.5B-Instruct": QWEN2,
    "Qwen/Qwen3-0.6B-Base": QWEN3 | {"max_position_embeddings": 32768},
    "meta-llama/Llama-3.2-1B": LLAMA,
    "meta-llama/Llama-3.2-1B-Instruct": LLAMA | {"eos_token_id": [128001, 128008, 128009]},
    "distilbert/distilbert-base-multilingual-cased": DISTILBERT | {"vocab_size": 119547, "output_past": True},
    "FacebookAI/xlm-roberta-base": XLM_R,
    "intfloat/multilingual-e5-base": XLM_R | {"architectures": ["XLMRobertaModel"]},
    "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2": BERT | {"vocab_size": 250037},
    "google/flan-t5-small": FLAN,
}
HUB = {entry.model_id: entry for entry in catalogue(Settings()).values() if entry.source == "hub"}


def test_every_model_of_the_hub_that_is_listed_has_its_config_here() -> None:
    assert set(HUB) <= set(CONFIGS)


@pytest.mark.parametrize("model_id", HUB)
def test_a_listed_model_is_of_the_family_of_its_row_and_let_in(model_id: str) -> None:
    check_config(model_id, CONFIGS[model_id], {HUB[model_id].family})
    assert context_window(CONFIGS[model_id]) >= 512 or HUB[model_id].family == "modernbert"


@pytest.mark.parametrize("language", languages())
def test_a_family_that_is_not_read_is_answered_with_all_that_are(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "language", lambda: language)
    with pytest.raises(WrongArchitecture) as raised:
        check_config("teacher/mamba", {"model_type": "mamba"}, KIND_OF_FAMILY)
    said = text.sentence(raised.value)
    assert "mamba" in said
    assert all(text.plain(family) in said for family in FAMILIES)
    assert len({text.in_language(one, raised.value.msgid) for one in languages()}) == len(languages())

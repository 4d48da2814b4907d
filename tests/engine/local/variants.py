"""Small models for each value of config.json that is let in."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from playground.engine.models.catalogue import model_folder
from playground.settings import Settings
from tests.engine.conftest import oracle

WINDOW, N_CTX = 24, 64


BIAS = {"attention_bias": True}


LLAMA3 = {
    "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}  # fmt: skip


YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "mscale": 0.7}


LONG = {
    "rope_type": "longrope", "short_factor": [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5], "factor": 4.0,
    "long_factor": [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0], "original_max_position_embeddings": WINDOW,
}  # fmt: skip


ACTIVATIONS = ("gelu", "gelu_fast", "gelu_new", "gelu_python", "gelu_pytorch_tanh", "quick_gelu", "relu",
               "relu6", "swish", "tanh")  # fmt: skip


RETURNED = {"output_attentions": True, "output_hidden_states": True}


LLAMAS: dict[str, dict[str, Any]] = {
    "biases": BIAS | {"mlp_bias": True},
    "attention-bias": BIAS,
    "mlp-bias": {"mlp_bias": True},
    "untied": {"tie_word_embeddings": False},
    "head-dim": {"head_dim": 32, "num_key_value_heads": 4},
    "linear": {"rope_parameters": {"rope_type": "linear", "factor": 2.5}},
    "llama3": {"rope_parameters": LLAMA3},
    "yarn": {"rope_parameters": YARN},
    "dynamic": {"rope_parameters": {"rope_type": "dynamic", "factor": 3.0}},
    "longrope": {"rope_parameters": LONG},
    "pretraining": {"pretraining_tp": 2},
    "returning": RETURNED,
} | {name: {"hidden_act": name} for name in ACTIVATIONS}


QWENS: dict[str, dict[str, Any]] = {
    "plain": {},
    "biases": BIAS,
    "window": {"use_sliding_window": True, "sliding_window": WINDOW, "max_window_layers": 1},
    "layers": {
        "use_sliding_window": True, "sliding_window": WINDOW,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    },
}  # fmt: skip


GPT2S: dict[str, dict[str, Any]] = {
    "upcast": {"reorder_and_upcast_attn": True},
    "untied": {"tie_word_embeddings": False},
    "inner": {"n_inner": 40, "activation_function": "gelu"},
}


BERTS: dict[str, dict[str, Any]] = {"plain": {}, "relu": {"hidden_act": "relu", "type_vocab_size": 1}}


T5S: dict[str, dict[str, Any]] = {
    "uneven": {"num_layers": 3, "num_decoder_layers": 2},
    "shallow": {"num_layers": 1, "num_decoder_layers": 4},
    "gated": {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    "gated-silu": {"feed_forward_proj": "gated-silu", "d_kv": 8},
    "buckets": {"relative_attention_num_buckets": 8, "relative_attention_max_distance": 20},
}


DECODERS = (
    *(f"tiny/llama-{name}" for name in LLAMAS),
    *(f"tiny/qwen3-{name}" for name in QWENS),
    *(f"tiny/gpt2-{name}" for name in GPT2S),
)


ENCODERS = tuple(f"tiny/bert-{name}" for name in BERTS)


BOTH = tuple(f"tiny/t5-{name}" for name in T5S)


WINDOWED = ("tiny/qwen3-window", "tiny/qwen3-layers", "tiny/llama-longrope")


def made(model_id: str) -> PreTrainedModel:
    family, _, name = model_id.removeprefix("tiny/").partition("-")
    own = deepcopy({"llama": LLAMAS, "qwen3": QWENS, "gpt2": GPT2S, "bert": BERTS, "t5": T5S}[family][name])
    own = {key: value for key, value in own.items() if key not in RETURNED}
    sizes: dict[str, Any] = {
        "vocab_size": 300, "hidden_size": 64, "intermediate_size": 48, "num_hidden_layers": 3,
        "num_attention_heads": 4, "max_position_embeddings": N_CTX,
    }  # fmt: skip
    rotary = sizes | {"num_key_value_heads": 2, "bos_token_id": None, "eos_token_id": None}
    if family == "llama":
        return LlamaForCausalLM(LlamaConfig(**(rotary | {"tie_word_embeddings": True} | own)))
    if family == "qwen3":
        return Qwen3ForCausalLM(Qwen3Config(**(rotary | {"head_dim": 16} | own)))
    if family == "bert":
        return BertForMaskedLM(BertConfig(**(sizes | own)))
    if family == "gpt2":
        sizes = {"vocab_size": 300, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": N_CTX}
        return GPT2LMHeadModel(GPT2Config(**(sizes | {"bos_token_id": 0, "eos_token_id": 0} | own)))
    sizes = {"vocab_size": 200, "d_model": 64, "d_kv": 16, "d_ff": 48, "num_heads": 4}
    return T5ForConditionalGeneration(T5Config(**(sizes | {"decoder_start_token_id": 0} | own)))


def plain(settings: Settings, model: str, ids: list[int], **more: Any) -> Any:
    with torch.no_grad():
        return oracle(settings, model)(
            input_ids=torch.tensor([ids]), output_attentions=True, output_hidden_states=True,
            return_dict=True, **more,
        )  # fmt: skip


# what is not let in


def changed(settings: Settings, tmp_path: Path, model: str, **values: object) -> Settings:
    """The model with other words in its config.json."""
    mine = settings.model_copy(update={"cache_dir": tmp_path})
    source, folder = model_folder(model, settings), model_folder(model, mine)
    folder.mkdir(parents=True)
    for path in source.iterdir():
        (folder / path.name).hardlink_to(path)
    config = json.loads((source / "config.json").read_text("utf-8")) | values
    (folder / "config.json").unlink()
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return mine

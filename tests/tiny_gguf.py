"""A plain llama folder written as llama.cpp's GGUF, so that the conversion has something to undo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFWriter, TokenType
from numpy.typing import NDArray
from safetensors.torch import load_file

_BLOCK_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm"}


def write(path: Path, folder: Path, matrices: GGMLQuantizationType) -> dict[str, torch.Tensor]:
    """Write the model in `folder` to `path`, its matrices in the given format.

    Returns:
        The weights that went in, float32.
    """
    config = json.loads((folder / "config.json").read_text("utf-8"))
    writer = GGUFWriter(path, "llama")
    _write_config(writer, config)
    _write_tokenizer(writer, json.loads((folder / "tokenizer.json").read_text("utf-8")))
    weights = load_file(folder / "model.safetensors")
    for name, weight in weights.items():
        values = _permuted(name, weight.numpy(), config)
        kind = matrices if values.ndim == 2 else GGMLQuantizationType.F32
        writer.add_tensor(_gguf_name(name), gguf.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return weights


def _write_config(writer: GGUFWriter, config: dict[str, Any]) -> None:
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_vocab_size(config["vocab_size"])


def _write_tokenizer(writer: GGUFWriter, tokenizer: dict[str, Any]) -> None:
    vocab = sorted(tokenizer["model"]["vocab"].items(), key=lambda item: item[1])
    special = {token["id"] for token in tokenizer["added_tokens"]}
    kinds = [TokenType.CONTROL if token_id in special else TokenType.NORMAL for _, token_id in vocab]
    writer.add_token_list([token for token, _ in vocab])
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(merge) for merge in tokenizer["model"]["merges"]])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_pad_token_id(0)
    writer.add_unk_token_id(0)
    writer.add_chat_template("{{ messages[0].content }}")


def _gguf_name(name: str) -> str:
    stem = name.removesuffix(".weight")
    if not stem.startswith("model.layers."):
        return f"{_NAMES[stem]}.weight"
    _, _, block, part = stem.split(".", 3)
    return f"blk.{block}.{_BLOCK_NAMES[part]}.weight"


def _permuted(name: str, values: NDArray[np.float32], config: dict[str, Any]) -> NDArray[np.float32]:
    """Queries and keys in llama.cpp's order.

    Source:
        llama.cpp, `convert_hf_to_gguf.py`, `LlamaModel.permute`.
    """
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
    n = heads.get(name.split(".")[-2])
    if n is None:
        return values
    split = values.reshape(n, 2, values.shape[0] // n // 2, *values.shape[1:])
    return np.ascontiguousarray(split.swapaxes(1, 2).reshape(values.shape))

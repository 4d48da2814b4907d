"""SmolLM2 from its GGUF: weights de-quantised to float32, the tokenizer rebuilt.

The tokenizer is rebuilt here and not by transformers, whose reader needs one more package, takes five times
as long and forgets that this tokenizer cuts numbers into digits.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.engine.models.whole_folder import Progress, write_json, write_weights
from playground.errors import Message

if TYPE_CHECKING:
    import numpy as np
    from gguf import GGUFReader
    from numpy.typing import NDArray
    from tokenizers import Tokenizer


def convert(weights: Path, partial: Path, progress: Progress) -> None:
    """Write the model of a GGUF file as a plain transformers folder.

    Args:
        weights: The GGUF file, architecture llama.
        partial: An empty folder.
        progress: Told what happens and how far it is, 0..1.
    """
    from gguf import GGUFReader

    progress(Message("Reading the compressed weights"), 0.05)
    reader = GGUFReader(weights)
    config = _llama_config(reader)
    tensors: dict[str, NDArray[np.float32]] = {}
    for i, tensor in enumerate(reader.tensors):
        progress(Message("Unpacking the weights"), 0.5 + 0.3 * i / len(reader.tensors))
        name, values = _llama_tensor(tensor, config)
        tensors[name] = values
    progress(Message("Writing the weights"), 0.8)
    write_weights(partial / "model.safetensors", tensors)
    write_json(partial / "config.json", config)
    (partial / "tokenizer.json").write_text(_smollm_tokenizer(reader).to_str(), "utf-8")
    write_json(partial / "tokenizer_config.json", _tokenizer_config(reader, config))
    template = reader.fields["tokenizer.chat_template"].contents()
    (partial / "chat_template.jinja").write_text(template, "utf-8")


def _llama_config(reader: GGUFReader) -> dict[str, Any]:
    """The config.json of a llama model, from the GGUF header."""

    def field(name: str) -> Any:  # noqa: ANN401  (int, float or string)
        return reader.fields[name].contents()

    d_model, n_head = field("llama.embedding_length"), field("llama.attention.head_count")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": d_model,
        "intermediate_size": field("llama.feed_forward_length"),
        "num_hidden_layers": field("llama.block_count"),
        "num_attention_heads": n_head,
        "num_key_value_heads": field("llama.attention.head_count_kv"),
        "head_dim": d_model // n_head,
        "vocab_size": field("llama.vocab_size"),
        "max_position_embeddings": field("llama.context_length"),
        "rms_norm_eps": round(field("llama.attention.layer_norm_rms_epsilon"), 12),  # stored as float32
        "rope_parameters": {"rope_type": "default", "rope_theta": field("llama.rope.freq_base")},
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": all(tensor.name != "output.weight" for tensor in reader.tensors),
        "bos_token_id": field("tokenizer.ggml.bos_token_id"),
        "eos_token_id": field("tokenizer.ggml.eos_token_id"),
        "pad_token_id": field("tokenizer.ggml.padding_token_id"),
        "dtype": "float32",
    }


_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def _llama_tensor(tensor: Any, config: dict[str, Any]) -> tuple[str, NDArray[np.float32]]:  # noqa: ANN401
    """One GGUF tensor under its transformers name, de-quantised.

    Source:
        llama.cpp, `convert_hf_to_gguf.py`, `LlamaModel.permute`: queries and keys are stored with the two
        halves of each rotary pair side by side; this is its inverse.
    """
    import numpy as np
    from gguf import dequantize

    values = np.ascontiguousarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
    *block, part, _ = tensor.name.split(".")
    heads = {"attn_q": "num_attention_heads", "attn_k": "num_key_value_heads"}.get(part)
    if heads is not None:
        n, (rows, columns) = config[heads], values.shape
        values = values.reshape(n, rows // n // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)
    prefix = f"model.layers.{block[1]}." if block else ""
    return f"{prefix}{_NAMES[part]}.weight", values


def _smollm_tokenizer(reader: GGUFReader) -> Tokenizer:
    """Byte-level BPE that cuts numbers into digits first.

    Source:
        llama.cpp, `llama-vocab.cpp`, LLAMA_VOCAB_PRE_TYPE_SMOLLM.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(merge.split(" ")) for merge in reader.fields["tokenizer.ggml.merges"].contents()]
    types = reader.fields["tokenizer.ggml.token_type"].contents()
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = 3  # gguf.TokenType.CONTROL
    special = [token for token, kind in zip(tokens, types, strict=True) if kind == control]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


def _tokenizer_config(reader: GGUFReader, config: dict[str, Any]) -> dict[str, Any]:
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    names = {f"{name}_token": tokens[config[f"{name}_token_id"]] for name in ("bos", "eos", "pad")}
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": config["max_position_embeddings"],
        **names,
        "unk_token": tokens[reader.fields["tokenizer.ggml.unknown_token_id"].contents()],
    }

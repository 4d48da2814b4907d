"""Bytes as tokens: the tokenizer of each objective, and windows as what a model reads and answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
from torch import Tensor

from playground.core.objectives.masking import Vocabulary, mask_tokens
from playground.core.objectives.span_corruption import corrupt_spans
from playground.core.pretraining import ByteWindow
from playground.engine.models.whole_folder import write_whole

N_BYTES, N_SENTINELS = 256, 32
START, MASK, CLS, SEP, PAD, END = "<|endoftext|>", "[MASK]", "[CLS]", "[SEP]", "<pad>", "</s>"
MARKS: Mapping[str, tuple[str, ...]] = {  # of ids 256 and up
    "next": (START,),
    "masked": (MASK, CLS, SEP, "[PAD]"),
    "span": (PAD, END, *(f"<extra_id_{number}>" for number in range(N_SENTINELS))),
}
_TEMPLATES = {"next": f"{START} $A", "masked": f"{CLS} $A {SEP}", "span": f"$A {END}"}
_NAMED: Mapping[str, Mapping[str, str]] = {
    "next": {"bos_token": START, "eos_token": START},
    "masked": {"mask_token": MASK, "cls_token": CLS, "sep_token": SEP, "pad_token": "[PAD]"},
    "span": {"pad_token": PAD, "eos_token": END},
}
_ENDS = {"next": N_BYTES, "span": N_BYTES + 1}
IGNORED = -100  # a place that does not count, as in torch's cross entropy


def byte_tokenizer(objective: str) -> Tokenizer:
    """A tokenizer whose ids 0-255 are the bytes, with the marks of an objective behind them."""
    letters = {byte: letter for letter, byte in _alphabet().items()}
    vocab = {letters[byte]: byte for byte in range(N_BYTES)}
    tokenizer = Tokenizer(models.BPE(vocab, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    marks = MARKS[objective]
    tokenizer.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in marks])
    framing = [(mark, N_BYTES + place) for place, mark in enumerate(marks)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=_TEMPLATES[objective],
        special_tokens=[one for one in framing if one[0] in _TEMPLATES[objective].split()],
    )
    return tokenizer


def _alphabet() -> dict[str, int]:
    """The letters that byte-level tokenizers write bytes with, and the bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(N_BYTES) if byte not in printable]
    known = {chr(byte): byte for byte in printable}
    return known | {chr(N_BYTES + place): byte for place, byte in enumerate(others)}


def tokenizer_files(objective: str) -> dict[str, str]:
    """File name -> content of all that transformers reads a tokenizer from."""
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **_NAMED[objective]}
    generation = {"eos_token_id": _ENDS[objective]} if objective in _ENDS else {}
    return {
        "tokenizer.json": byte_tokenizer(objective).to_str(),
        "tokenizer_config.json": json.dumps(config),
        "generation_config.json": json.dumps(generation),
    }


def tokenizer_folder(cache_dir: Path, objective: str) -> Path:
    """The folder of an objective's tokenizer; written when it is not there yet."""
    files = tokenizer_files(objective)
    seal = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:12]
    folder = cache_dir / "tokenizers" / f"bytes-{objective}-{seal}"
    for name, content in sorted(files.items(), reverse=True):  # tokenizer.json is not the last to come
        if not (folder / name).is_file():
            write_whole(folder / name, content.encode())
    return folder


# ---- examples


@dataclass(frozen=True)
class Batch:
    """Rows of a forward, all of one length.

    Attributes:
        input_ids: Tokens that are read. Shape [row, position].
        targets: Token that is to be told at each place, `IGNORED` where none counts; of two stacks places
            of the decoder. Shape [row, place].
        decoder_ids: Tokens that the decoder of two stacks reads, None of one stack. Shape [row, place].
    """

    input_ids: Tensor
    targets: Tensor
    decoder_ids: Tensor | None = None


def batch_of(objective: str, windows: Sequence[ByteWindow]) -> Batch:
    """Windows of one size as what a model reads and answers.

    Raises:
        AttributeError: Something that is no window.
    """
    rows = [_ROWS[objective](one) for one in windows]
    ids, targets, decoder = (torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True))
    return Batch(ids, targets, decoder if objective == "span" else None)


Row = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
_NOTHING = np.zeros(0, dtype=np.int64)


def _next(window: ByteWindow) -> Row:
    data = np.frombuffer(window.data, np.uint8).astype(np.int64)
    targets = data.copy()
    targets[: window.n_context] = IGNORED
    return np.concatenate([[N_BYTES], data[:-1]]), targets, _NOTHING


def _masked(window: ByteWindow) -> Row:
    data = np.frombuffer(window.data, np.uint8).astype(np.int64)
    masked = mask_tokens(data, range(len(data)), Vocabulary(N_BYTES, np.unique(data)), _random(window))
    hidden = np.full(len(data), IGNORED, dtype=np.int64)
    hidden[masked.positions] = data[masked.positions]
    ids = np.concatenate([[N_BYTES + 1], masked.input_ids, [N_BYTES + 2]])
    return ids, np.concatenate([[IGNORED], hidden, [IGNORED]]), _NOTHING


def _span(window: ByteWindow) -> Row:
    data = np.frombuffer(window.data, np.uint8).astype(np.int64)
    corrupted = corrupt_spans(data, _random(window))
    source, target = (np.array(one) for one in (corrupted.input_ids, corrupted.target_ids))
    source, target = (np.where(one < 0, N_BYTES + 1 - one, one) for one in (source, target))
    source, target = (np.append(one, N_BYTES + 1) for one in (source, target))
    return source, target, np.concatenate([[N_BYTES], target[:-1]])


_ROWS = {"next": _next, "masked": _masked, "span": _span}


def _random(window: ByteWindow) -> np.random.Generator:
    """A source of masks that belongs to this window and draw alone."""
    seed = hashlib.sha256(window.draw.to_bytes(4, "little") + window.data).digest()[:8]
    return np.random.default_rng(int.from_bytes(seed, "little"))

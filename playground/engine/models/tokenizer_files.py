"""tokenizer.json as a tokenizer that reads any text as text."""

from __future__ import annotations

import json
from typing import Any, Literal

from tokenizers import Tokenizer

Scheme = Literal["bytes", "wordpiece", "metaspace"]


def _types(part: Any) -> set[str]:  # noqa: ANN401  (a parsed JSON tree)
    """All `type` names in one part of tokenizer.json."""
    if isinstance(part, list):
        return set().union(*(_types(item) for item in part))
    if not isinstance(part, dict):
        return set()
    nested = (value for value in part.values() if isinstance(value, dict | list))
    return (
        {str(part["type"])}.union(*map(_types, nested))
        if "type" in part
        else set().union(*map(_types, nested))
    )


def scheme_of(spec: dict[str, Any]) -> Scheme:
    """The scheme by which the tokens of a tokenizer.json stand for text."""
    if "ByteLevel" in _types(spec["decoder"]) | _types(spec["pre_tokenizer"]):
        return "bytes"
    if spec["model"]["type"] in ("WordPiece", "WordLevel"):
        return "wordpiece"
    return "metaspace"


def backend_of(text: str, spec: dict[str, Any]) -> Tokenizer:
    """The tokenizer of a tokenizer.json without padding, truncation and special tokens in the text."""
    if spec["model"]["type"] == "Unigram":
        _hide_special_pieces(spec)
        text = json.dumps(spec)
    backend = Tokenizer.from_str(text)
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = True
    return backend


def _hide_special_pieces(spec: dict[str, Any]) -> None:
    """Keep a Unigram model from finding `</s>` in the text: there it is a piece like any other.

    The pieces keep their ids under names with a space; text has none left when it is cut into pieces.
    """
    vocab = spec["model"]["vocab"]
    hidden = [token for token in spec["added_tokens"] if token["special"] and token["id"] < len(vocab)]
    for token in hidden:
        vocab[token["id"]][0] = " " + token["content"]
    spec["added_tokens"] = [token for token in spec["added_tokens"] if token not in hidden]

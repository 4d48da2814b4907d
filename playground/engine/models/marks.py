"""Special tokens of a model that stand before and after a whole text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

END_OF_TEXT = "<|endoftext|>"


def end_ids(folder: Path, added: Mapping[int, str]) -> frozenset[int]:
    """Tokens that end a text: those of the configs, and `<|endoftext|>` wherever it is known.

    Args:
        folder: Folder of the model.
        added: Id -> text of the tokens that its tokenizer has added to its pieces.
    """
    found: set[int] = set()
    for name in ("config.json", "generation_config.json"):
        ids = _read(folder / name).get("eos_token_id")
        found.update([ids] if isinstance(ids, int) else ids or [])
    return frozenset(found.union(token_id for token_id, name in added.items() if name == END_OF_TEXT))


def start_id(folder: Path, added: Mapping[int, str]) -> int | None:
    """The token that stood before a text in training; None where the files name none.

    `<|endoftext|>` wherever it is known: GPT-2, SmolLM and Qwen read their training texts with that token
    between them. The tokenizer of a chat model often names the mark of its messages as `bos_token` instead.

    Args:
        folder, added: As in `end_ids`.
    """
    ids = {name: token_id for token_id, name in added.items()}
    return ids.get(END_OF_TEXT, ids.get(_named(folder, "bos_token")))


def mask_id(folder: Path, added: Mapping[int, str]) -> int | None:
    """The token that stands for one the model cannot see; None where the files name none.

    Args:
        folder, added: As in `end_ids`.
    """
    return {name: token_id for token_id, name in added.items()}.get(_named(folder, "mask_token"))


def let_masks_be_found(spec: dict[str, Any], mask_id: int | None) -> None:
    """Change the content of a tokenizer.json so that a text's masks are found, and no other special token.

    A mask stands for a piece. Where pieces begin with their space, so does the mask, and what follows it
    without a space goes on with the word.
    """
    begins = spec["pre_tokenizer"] or {}
    with_space = begins.get("type") == "Metaspace"
    for token in spec["added_tokens"]:
        is_mask = token["id"] == mask_id
        token["special"] = token["special"] and not is_mask
        token["lstrip"] = token["lstrip"] or (is_mask and with_space)
    if with_space and begins.get("prepend_scheme") == "always":
        begins["prepend_scheme"] = "first"


def _named(folder: Path, role: str) -> str:
    """The token that the tokenizer's config names for a role, "" where it names none."""
    named = _read(folder / "tokenizer_config.json").get(role)
    return str((named.get("content") if isinstance(named, dict) else named) or "")


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}

"""Which tokens begin and end a text, read off a model's files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from playground.engine.models.marks import end_ids, start_id

ADDED = {0: "<|endoftext|>", 1: "<|im_start|>", 2: "<s>"}


@pytest.mark.parametrize(
    ("config", "added", "expected"),
    [
        ({"bos_token": "<|im_start|>"}, ADDED, 0),  # the mark of a chat's messages begins no text
        ({"bos_token": "<s>"}, {1: "<|im_start|>", 2: "<s>"}, 2),
        ({"bos_token": {"content": "<s>", "lstrip": False}}, {2: "<s>"}, 2),
        ({"bos_token": None}, {2: "<s>"}, None),
        ({"bos_token": "<bos>"}, {2: "<s>"}, None),
        (None, {2: "<s>"}, None),
    ],
)
def test_a_text_begins_with_what_stood_before_it_in_training(
    config: dict[str, Any] | None, added: dict[int, str], expected: int | None, tmp_path: Path
) -> None:
    if config is not None:
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    assert start_id(tmp_path, added) == expected


def test_a_text_ends_with_what_any_config_says(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"eos_token_id": 2}), "utf-8")
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": [7, 8]}), "utf-8")
    assert end_ids(tmp_path, ADDED) == {0, 2, 7, 8}
    assert end_ids(tmp_path / "none", {}) == frozenset()

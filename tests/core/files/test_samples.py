"""The sample files that a reader can download: each language has its own, and every row of them is read."""

from __future__ import annotations

import re

import pytest

from playground.core.files.examples import read_examples
from playground.core.files.pairs import read_pairs
from playground.core.files.prompts import read_prompts
from playground.core.files.training_rows import read_training
from playground.paths import site_root

SAMPLES = site_root() / "assets" / "samples"


def _texts(language: str, name: str) -> list[str]:
    data = (SAMPLES / language / name).read_bytes()
    if name == "prompts.csv":
        prompts = read_prompts(name, data)
        assert not prompts.rejected
        return list(prompts.prompts)
    if name == "examples.csv":
        examples = read_examples(name, data)
        assert not examples.rejected
        return [text for one in examples.examples for text in (one.text, one.label)]
    if name == "minimal_pairs.csv":
        pairs = read_pairs(name, data)
        assert not pairs.rejected
        return [text for one in pairs.pairs for text in (one.group, one.a, one.b)]
    rows = read_training(name, data)
    assert not rows.rejected
    return [content for row in rows.rows for _role, content in row.messages]


@pytest.mark.parametrize("name", ["prompts.csv", "examples.csv", "training.csv", "minimal_pairs.csv"])
def test_a_sample_is_in_its_readers_language(name: str) -> None:
    english, korean = _texts("en", name), _texts("ko", name)
    assert len(korean) == len(english) >= 5
    hangul = sum(bool(re.search("[가-힣]", text)) for text in korean)
    assert hangul >= 0.8 * len(korean), "one prompt is English: the first model was trained on it"
    assert sum(bool(re.search("[가-힣]", text)) for text in english) <= 1

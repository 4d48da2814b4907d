"""Where a word's tokens are, what is the same before any layer, and how own sentences are read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core import contexts
from playground.core.tokens import Tokenization
from playground.engine.models.catalogue import catalogue
from playground.engine.models.loading import load_tokenizer
from playground.settings import Settings
from tests import tiny


def cut(settings: Settings, model: str, text: str) -> Tokenization:
    return load_tokenizer(catalogue(settings)[model], settings).tokenize(text)


@pytest.mark.parametrize("model", tiny.FAMILIES)
@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("cat", "the dog sat on the cat"),
        ("Cat", "the cat and the CAT"),
        ("서울", "나는 오늘 서울에 갑니다"),
        ("cat sat", "the cat sat on"),
        ("😀", "a 😀 b"),
        ("İx", "an İx is here"),
    ],
)
def test_tokens_found_cover_the_word_and_touch_it_all(
    model: str, word: str, text: str, tiny_settings: Settings
) -> None:
    tokens = cut(tiny_settings, model, text)
    found = contexts.positions_of(word, tokens)
    start = text.lower().rfind(word.lower()) if len(text.lower()) == len(text) else text.rfind(word)
    covered = {i for p in found for i in range(*tokens.offsets[p])}
    assert covered >= set(range(start, start + len(word))) - {i for i, c in enumerate(text) if c.isspace()}
    assert all(set(range(*tokens.offsets[p])) & set(range(start, start + len(word))) for p in found)


@given(st.text(max_size=30), st.text(max_size=5))
def test_any_text_and_word_give_positions_or_none(text: str, word: str) -> None:
    n = len(text)
    made = Tokenization(
        "m", text, tuple(range(n)), ("",) * n, (b"",) * n, tuple((i, i + 1) for i in range(n)), (False,) * n
    )
    found = contexts.positions_of(word, made)
    if word == "" or word.lower() not in text.lower():
        if word == "" or word not in text:
            assert found == ()
    else:
        assert all(0 <= position < n for position in found)


def test_the_same_word_is_one_point_before_the_first_layer() -> None:
    vectors = np.random.default_rng(0).normal(size=(4, 6, 12)).astype(np.float32)
    vectors[0] = vectors[0, 0]
    found = contexts.compare([f"s{i}" for i in range(6)], [0, 0, 0, 1, 1, 1], range(4), vectors)
    assert found.scores[0] == 0
    np.testing.assert_allclose(found.cosines[0], 1, atol=1e-6)
    assert not found.maps[0].any()
    assert found.best_layer in range(1, 4) or max(s for s in found.scores if s is not None) == 0


def test_maps_of_neighbouring_layers_keep_their_sides() -> None:
    rng = np.random.default_rng(1)
    vectors = np.repeat(rng.normal(size=(1, 8, 16)), 5, axis=0).astype(np.float32)
    vectors[1::2, :, 0] *= 1.001
    found = contexts.compare([""] * 8, [0] * 4 + [1] * 4, range(5), vectors)
    for before, after in zip(found.maps, found.maps[1:], strict=False):
        np.testing.assert_allclose(before, after, atol=0.05)


def test_one_sense_has_no_best_layer() -> None:
    vectors = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    assert contexts.compare([""] * 4, [0] * 4, range(3), vectors).best_layer is None


@given(st.lists(st.lists(st.text("ab한 ", min_size=1).filter(str.strip), min_size=1), min_size=1, max_size=4))
def test_empty_lines_part_the_senses(senses: list[list[str]]) -> None:
    text = "\n\n\n".join("\n".join(sense) for sense in senses)
    sentences, groups = contexts.grouped(text)
    assert list(sentences) == [s.strip() for sense in senses for s in sense]
    assert list(groups) == [i for i, sense in enumerate(senses) for _ in sense]

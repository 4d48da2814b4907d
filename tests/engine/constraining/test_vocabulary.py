"""A vocabulary holds the exact bytes of a model's tokens, whatever its tokenizer's scheme."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from playground.core.constraints.characters import ALL
from playground.engine.constraining.form import form_of
from playground.engine.constraining.vocabulary import Vocabulary, vocabulary_of
from playground.engine.contract.constraints import Constraint
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.table import ModelTable
from playground.engine.models.tokenizing import TextTokenizer
from playground.settings import DATES_MODEL, DEFAULT_DECODER, Settings
from tests import tiny

SCHEMES = {
    "byte-level": tiny.byte_level_tokenizer,
    "pieces": tiny.unigram_tokenizer,
    "pieces and bytes": lambda: tiny.unigram_tokenizer(byte_fallback=True),
}
TEXTS = ["서울은 한국의 수도입니다.", "the cat 0 1", "나는 오늘"]


@pytest.mark.parametrize("make", SCHEMES.values(), ids=SCHEMES)
def test_the_trie_has_the_bytes_of_every_token(make: Callable[[], Tokenizer], tmp_path: Path) -> None:
    tiny.save_tokenizer(tmp_path, make(), revision="x")
    tokenizer = TextTokenizer("x", tmp_path)
    token_bytes = [tokenizer.token_bytes(at) for at in range(tokenizer.d_vocab)]
    vocabulary = Vocabulary(token_bytes, tokenizer.eos_ids)
    for at, own in enumerate(token_bytes):
        if own[:1] == b"\xff":  # in no text: with it the library marks what is no text
            continue
        named = f"<[{at}]>".encode()  # what the library calls a token without bytes
        assert vocabulary.trie.decode_bytes([at]) == (own if own and at not in tokenizer.eos_ids else named)
    for text in TEXTS:
        ids = tokenizer.encode(text, add_special_tokens=False)
        assert vocabulary.trie.decode_bytes(list(ids)).decode().strip() == text


def test_what_can_be_written_is_known_by_character(tmp_path: Path) -> None:
    found = {}
    for name, make in SCHEMES.items():
        tiny.save_tokenizer(tmp_path, make(), revision="x")
        tokenizer = TextTokenizer("x", tmp_path)
        one = Vocabulary([tokenizer.token_bytes(at) for at in range(tokenizer.d_vocab)], tokenizer.eos_ids)
        found[name] = [one.writes(((ord(char), ord(char)),)) for char in "a서뷁{"]
        assert one.writes(ALL)
        assert not one.writes(())
    assert found == {
        "byte-level": [True, True, True, True],
        "pieces": [True, True, False, False],
        "pieces and bytes": [True, True, True, True],
    }


def test_characters_written_byte_by_byte_are_those_whose_bytes_are_tokens() -> None:
    """SmolLM2 lacks six control characters and the first bytes of the planes 4 to 11; here others too."""
    missing = {0x07, 0xC3, 0xED, 0xF1}
    one = Vocabulary([bytes([byte]) for byte in range(256) if byte not in missing], frozenset({0}))
    for code in [1, 7, 8, 0x7F, 0x80, 0xBF, 0xC0, 0xFF, 0x100, 0x7FF, 0x800, 0xD000, 0xD7FF, 0xE000, 0xFFFF,
                 0x10000, 0x3FFFF, 0x40000, 0x7FFFF, 0x80000, 0x10FFFF]:  # fmt: skip
        assert one.writes(((code, code),)) == missing.isdisjoint(chr(code).encode()), hex(code)
    assert not one.writes(((0xC0, 0xFF), (0xD000, 0xD7FF)))
    assert one.writes(((0xC0, 0x100),))
    only = Vocabulary([*(bytes([byte]) for byte in range(255)), b"", "é".encode()], frozenset({255}))
    assert only.writes(((0xE9, 0xE9),))


def allowed_by_hand(one: LoadedModel, texts: list[str], so_far: bytes) -> list[int]:
    whole = [text.encode() for text in texts]
    ends = one.tokenizer.eos_ids if so_far in whole else frozenset()
    found = []
    for at in range(one.info.d_vocab):
        own = one.tokenizer.token_bytes(at)
        if at in ends or (own and any(text.startswith(so_far + own) for text in whole)):
            found.append(at)
    return found


@pytest.mark.real
def test_of_a_real_vocabulary_the_same_tokens_are_allowed_as_by_hand(real_settings: Settings) -> None:
    """49,152 tokens, both marks of the end, Korean in parts of characters."""
    one = ModelTable(real_settings).load(DEFAULT_DECODER).result()
    texts = ["서울입니다", "서산", "London", "Lond", "2026-11-29", " London"]
    for text in texts:
        form, so_far = form_of(Constraint("regex", "|".join(texts)), one), b""
        for token_id in one.tokenizer.encode(text, add_special_tokens=False):
            assert form.allowed().tolist() == allowed_by_hand(one, texts, so_far)
            form.take(token_id)
            so_far += one.tokenizer.token_bytes(token_id)
        assert form.matches
        assert form.is_over == (text != "Lond")
    assert len(one.tokenizer.eos_ids) == 2


def test_a_shipped_model_of_pieces_writes_a_date_of_a_form(tiny_settings: Settings) -> None:
    one = ModelTable(tiny_settings).load(DATES_MODEL).result()
    form = form_of(Constraint("regex", r"\d{4}-\d{2}-\d{2}"), one)
    for token_id in one.tokenizer.encode("2026-05-03", add_special_tokens=False):
        assert token_id in form.allowed()
        form.take(token_id)
    assert form.matches


def test_a_vocabulary_goes_with_its_tokenizer(tiny_settings: Settings) -> None:
    table = ModelTable(tiny_settings)
    one = table.load(tiny.GPT2).result()
    kept = weakref.ref(vocabulary_of(one))
    assert kept() is not None
    table.close()
    del table, one
    gc.collect()
    assert kept() is None

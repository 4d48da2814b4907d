"""Tokens carry the bytes and the characters of the text, whatever the text."""

from __future__ import annotations

import json
import unicodedata
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer

from playground.core.tokens import Tokenization
from playground.engine.models.catalogue import catalogue, model_folder
from playground.engine.models.loading import load_tokenizer
from playground.engine.models.tokenizing import TextTokenizer
from playground.settings import DEFAULT_DECODER, DEFAULT_ENCODER, Settings
from tests import tiny
from tests.engine.models.hard_texts import HARD_TEXTS

any_text = st.text(st.characters(codec="utf-8"), max_size=60)


def folder_of(tokenizer: Tokenizer, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="session")
def byte_level(tiny_settings: Settings) -> TextTokenizer:
    return load_tokenizer(catalogue(tiny_settings)[tiny.GPT2], tiny_settings)


@pytest.fixture(scope="session")
def word_piece(tiny_settings: Settings) -> TextTokenizer:
    return load_tokenizer(catalogue(tiny_settings)[tiny.BERT], tiny_settings)


@pytest.fixture(scope="session")
def unigram(tiny_settings: Settings) -> TextTokenizer:
    return load_tokenizer(catalogue(tiny_settings)[tiny.T5], tiny_settings)


@pytest.fixture(scope="session")
def byte_fallback(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    folder = tmp_path_factory.mktemp("fallback")
    return TextTokenizer("tiny/fallback", folder_of(tiny.unigram_tokenizer(byte_fallback=True), folder))


@pytest.fixture(scope="session")
def smollm(real_settings: Settings) -> TextTokenizer:
    return load_tokenizer(catalogue(real_settings)[DEFAULT_DECODER], real_settings)


@pytest.fixture(scope="session")
def minilm(real_settings: Settings) -> TextTokenizer:
    return load_tokenizer(catalogue(real_settings)[DEFAULT_ENCODER], real_settings)


@cache
def known_bytes(tokenizer: TextTokenizer) -> frozenset[int]:
    """The bytes that occur in the vocabulary."""
    return frozenset(byte for i in range(tokenizer.d_vocab) for byte in tokenizer.token_bytes(i))


def check_offsets(tokens: Tokenization) -> None:
    """Starts and ends never go back, and stay in the text."""
    assert all(0 <= start <= end <= len(tokens.text) for start, end in tokens.offsets)
    assert [start for start, _ in tokens.offsets] == sorted(start for start, _ in tokens.offsets)
    assert [end for _, end in tokens.offsets] == sorted(end for _, end in tokens.offsets)


def check_bytes_and_characters(tokens: Tokenization) -> None:
    """Law of byte-level tokenizers: the bytes are the text, each token covers its own characters."""
    assert b"".join(tokens.token_bytes) == tokens.text.encode()
    check_offsets(tokens)
    done = b""
    for piece, (start, end) in zip(tokens.token_bytes, tokens.offsets, strict=True):
        before, inside = tokens.text[:start].encode(), tokens.text[start:end].encode()
        assert len(before) <= len(done) < len(before) + max(1, len(tokens.text[start : start + 1].encode()))
        assert piece in inside
        done += piece


@given(any_text)
@example("나는 👨‍👩‍👧")
@example("<|endoftext|>")
@example("Ġ▁\x00")
def test_the_bytes_of_a_byte_level_tokenizer_are_the_text(byte_level: TextTokenizer, text: str) -> None:
    check_bytes_and_characters(byte_level.tokenize(text))


@pytest.mark.real
@settings(max_examples=300)
@given(any_text)
@example("나는 학교에 갑니다")
@example("<|im_start|>  7")
@example("\x04\U00040000a")
def test_the_bytes_of_smollm_are_those_of_the_text_that_it_knows(smollm: TextTokenizer, text: str) -> None:
    known = known_bytes(smollm)
    tokens = smollm.tokenize(text)
    assert b"".join(tokens.token_bytes) == bytes(byte for byte in text.encode() if byte in known)
    check_offsets(tokens)
    if known.issuperset(text.encode()):
        check_bytes_and_characters(tokens)


def one_by_one(text: str) -> str:
    """What halves of surrogate pairs stand for, code unit by code unit."""
    found, at = "", 0
    while at < len(text):
        unit, after = ord(text[at]), ord(text[at + 1]) if at + 1 < len(text) else 0
        is_pair = 0xD800 <= unit < 0xDC00 <= after < 0xE000
        pair = chr(0x10000 + (unit - 0xD800) * 0x400 + after - 0xDC00) if is_pair else ""
        found += pair or ("\ufffd" if 0xD800 <= unit < 0xE000 else text[at])
        at += 1 + is_pair
    return found


@given(st.text(st.characters() | st.characters(categories=["Cs"]), max_size=30))
@example("\ud83d\udc4d")
@example("\udc4d\ud83d")
@example("a\ud83d\ud83d\udc4d\udc4d")
def test_halves_of_a_pair_are_its_character_and_lone_ones_the_replacement_character(
    byte_level: TextTokenizer, text: str
) -> None:
    tokens = byte_level.tokenize(text)
    assert tokens.text == one_by_one(text)
    assert byte_level.encode(text) == tokens.input_ids
    check_bytes_and_characters(tokens)


@pytest.mark.parametrize("text", HARD_TEXTS)
@pytest.mark.parametrize("name", ["byte_level", "word_piece", "unigram", "byte_fallback"])
def test_all_schemes_keep_their_columns_together(
    request: pytest.FixtureRequest, name: str, text: str
) -> None:
    tokenizer: TextTokenizer = request.getfixturevalue(name)
    tokens = tokenizer.tokenize(text)
    columns = (tokens.tokens, tokens.token_bytes, tokens.offsets, tokens.special)
    assert {len(column) for column in columns} == {len(tokens.input_ids)}
    assert tokenizer.encode(text) == tokens.input_ids
    check_offsets(tokens)
    for token, added, (start, end) in zip(tokens.tokens, tokens.special, tokens.offsets, strict=True):
        assert token
        assert not added or start == end


@pytest.mark.real
def test_a_syllable_cut_into_bytes_is_covered_by_each_of_its_tokens(smollm: TextTokenizer) -> None:
    tokens = smollm.tokenize("나는")
    assert tokens.tokens == ("<EB>", "<82>", "<98>", "<EB>", "<8A>", "<94>")
    assert tokens.offsets == ((0, 1), (0, 1), (0, 1), (1, 2), (1, 2), (1, 2))


@pytest.mark.real
def test_minilm_spells_a_syllable_in_jamo_and_each_covers_it(minilm: TextTokenizer) -> None:
    tokens = minilm.tokenize("나는")
    assert tokens.tokens == ("[CLS]", "ᄂ", "##ᅡ", "##ᄂ", "##ᅳ", "##ᆫ", "[SEP]")
    assert tokens.offsets == ((0, 0), (0, 1), (0, 1), (1, 2), (1, 2), (1, 2), (2, 2))
    assert tokens.special == (True, False, False, False, False, False, True)
    assert unicodedata.normalize("NFC", b"".join(tokens.token_bytes).decode()) == "나는"


@pytest.mark.real
def test_smollm_cuts_numbers_into_digits_after_the_spaces(smollm: TextTokenizer) -> None:
    assert smollm.tokenize("a  2026").tokens == ("a", "  ", "2", "0", "2", "6")


@pytest.mark.real
@pytest.mark.parametrize("text", HARD_TEXTS)
@pytest.mark.parametrize("name", ["smollm", "minilm"])
def test_ids_are_those_of_transformers(request: pytest.FixtureRequest, name: str, text: str) -> None:
    tokenizer: TextTokenizer = request.getfixturevalue(name)
    for framed in (True, False):
        expected = tokenizer.tokenizer(text, add_special_tokens=framed, split_special_tokens=True)
        assert list(tokenizer.tokenize(text, framed).input_ids) == expected.input_ids


@pytest.mark.parametrize("text", [text for text in HARD_TEXTS if "[CLS]" not in text])
@pytest.mark.parametrize("name", ["byte_level", "word_piece", "unigram"])
def test_ids_of_every_scheme_are_those_of_transformers(
    request: pytest.FixtureRequest, name: str, text: str
) -> None:
    tokenizer: TextTokenizer = request.getfixturevalue(name)
    assert list(tokenizer.encode(text)) == tokenizer.tokenizer(text).input_ids


@pytest.mark.real
def test_the_bytes_of_every_smollm_token_are_what_transformers_decodes(smollm: TextTokenizer) -> None:
    ids = [token_id for token_id in range(smollm.d_vocab) if smollm.token_bytes(token_id)]
    assert len(ids) == 49_152 - 17
    decoded = smollm.tokenizer.batch_decode([[token_id] for token_id in ids])
    ours = [smollm.token_bytes(token_id).decode(errors="replace") for token_id in ids]
    assert ours == decoded


@pytest.mark.parametrize("name", ["byte_level", "word_piece", "unigram", "byte_fallback"])
def test_what_a_reader_types_is_never_a_special_token(request: pytest.FixtureRequest, name: str) -> None:
    tokenizer: TextTokenizer = request.getfixturevalue(name)
    typed = tokenizer.tokenize("<|endoftext|><|im_start|>[CLS][SEP]</s><pad>", add_special_tokens=False)
    assert tokenizer._special
    found = {tokenizer.token_texts([token_id])[0] for token_id in set(typed.input_ids) & tokenizer._special}
    assert found <= {"[UNK]", "<unk>"}
    assert not any(typed.special)


def test_a_special_token_beside_a_unigram_vocabulary_keeps_its_id_and_name(tmp_path: Path) -> None:
    backend = tiny.unigram_tokenizer()
    n_vocab = backend.get_vocab_size()
    backend.add_special_tokens(["<extra>"])
    tokenizer = TextTokenizer("tiny/extra", folder_of(backend, tmp_path))
    assert tokenizer.d_vocab == n_vocab + 1
    assert tokenizer.token_texts([1, n_vocab]) == ("</s>", "<extra>")
    assert n_vocab not in tokenizer.encode("the <extra>")


def test_an_unknown_token_stands_for_the_characters_it_hides(word_piece: TextTokenizer) -> None:
    tokens = word_piece.tokenize("the ☃☃ sat")
    assert tokens.tokens[2] == "[UNK]"
    assert tokens.offsets[2] == (4, 6)
    assert tokens.token_bytes[2] == "☃☃".encode()
    assert not tokens.special[2]


@pytest.mark.parametrize("text", ["the cat sat on the mat", " the cat", "서울은 한국의 수도"])
def test_the_bytes_of_a_sentencepiece_tokenizer_are_the_text_without_its_first_space(
    unigram: TextTokenizer, text: str
) -> None:
    tokens = unigram.tokenize(text)
    assert b"".join(tokens.token_bytes).decode() == text
    assert tokens.tokens[-1] == "</s>"
    assert tokens.special[-1]


def test_byte_fallback_spells_an_unknown_character_in_its_bytes(byte_fallback: TextTokenizer) -> None:
    tokens = byte_fallback.tokenize("the 꿿")
    assert tokens.tokens[-4:-1] == ("<EA>", "<BF>", "<BF>")
    assert tokens.offsets[-4:-1] == ((4, 5), (4, 5), (4, 5))
    assert b"".join(tokens.token_bytes).decode() == "the 꿿"


def test_offsets_point_into_the_text_when_a_byte_level_tokenizer_composes_it(tmp_path: Path) -> None:
    backend = tiny.byte_level_tokenizer()
    backend.normalizer = normalizers.NFC()
    composing = TextTokenizer("tiny/composing", folder_of(backend, tmp_path))
    text = "cafe\u0301 on"
    tokens = composing.tokenize(text)
    assert b"".join(tokens.token_bytes).decode() == "caf\u00e9 on"
    check_offsets(tokens)
    assert tokens.offsets[-1][1] == len(text)


def test_readable_forms_of_special_and_missing_ids(
    word_piece: TextTokenizer, byte_level: TextTokenizer
) -> None:
    assert word_piece.token_texts([2, 10**6]) == ("[CLS]", "<1000000>")
    assert word_piece.token_bytes(2) == b""
    assert word_piece.token_bytes(10**6) == b""
    assert byte_level.token_texts([0]) == ("<|endoftext|>",)


def test_an_added_token_that_is_not_special_keeps_its_bytes(tmp_path: Path) -> None:
    backend = tiny.byte_level_tokenizer()
    backend.add_tokens(["<think>"])
    thinking = TextTokenizer("tiny/thinking", folder_of(backend, tmp_path))
    tokens = thinking.tokenize("a<think>b")
    assert tokens.tokens == ("a", "<think>", "b")
    check_bytes_and_characters(tokens)


def test_padding_and_truncation_of_the_file_are_switched_off(tmp_path: Path) -> None:
    backend = tiny.byte_level_tokenizer()
    backend.enable_truncation(max_length=2)
    backend.enable_padding(length=8)
    tokenizer = TextTokenizer("tiny/cut", folder_of(backend, tmp_path))
    check_bytes_and_characters(tokenizer.tokenize("the capital of England"))


@pytest.mark.real
@pytest.mark.parametrize("model", tiny.FAMILIES)
@pytest.mark.parametrize("text", ["the cat sat on the mat and the dog sat on the cat", "서울은 한국의", "a"])
def test_the_beginning_of_a_text_is_cut_as_transformers_cuts_it(
    tiny_settings: Settings, model: str, text: str
) -> None:
    folder = model_folder(model, tiny_settings)
    ours, theirs = TextTokenizer(model, folder), AutoTokenizer.from_pretrained(folder)
    for n in range(3, len(ours.encode(text)) + 2):
        expected = theirs(text, truncation=True, max_length=n, split_special_tokens=True).input_ids
        assert list(ours.beginning(text, n)) == expected


def test_the_end_of_a_text_is_known(smollm: TextTokenizer) -> None:
    assert set(smollm.token_texts(smollm.eos_ids)) == {"<|im_end|>", "<|endoftext|>"}


def test_end_of_text_may_be_a_list(tmp_path: Path) -> None:
    folder = folder_of(tiny.unigram_tokenizer(), tmp_path)
    (folder / "config.json").write_text(json.dumps({"eos_token_id": None}))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [1, 5]}))
    assert TextTokenizer("tiny/ends", folder).eos_ids == {1, 5}


@pytest.mark.real
def test_the_chat_template_frames_a_message(smollm: TextTokenizer) -> None:
    messages = [{"role": "user", "content": "Hello"}]
    text = smollm.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert "<|im_start|>user\nHello<|im_end|>" in text
    assert text.endswith("<|im_start|>assistant\n")


def test_a_word_piece_vocabulary_may_mark_its_pieces_otherwise(tmp_path: Path) -> None:
    vocab = {"[UNK]": 0, "cat": 1, "@@s": 2}
    backend = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", continuing_subword_prefix="@@"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.decoder = decoders.WordPiece(prefix="@@")
    tokens = TextTokenizer("tiny/marks", folder_of(backend, tmp_path)).tokenize("cats")
    assert tokens.tokens == ("cat", "@@s")
    assert tokens.token_bytes == (b"cat", b"s")

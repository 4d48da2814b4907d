"""Byte pair encoding against the `tokenizers` library, a naive training, and the textbook."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from playground.core import bpe
from playground.paths import site_root

ALPHABET = [bpe.LETTERS[byte] for byte in bpe.BYTES]
N_MERGES = 60
FEW_LETTERS = st.sampled_from(["a", "ab", "abc", "가나", "a b", "é😀", "=-"]).flatmap(
    lambda letters: st.lists(st.text(letters, min_size=1, max_size=30), min_size=1, max_size=6)
)


def letters(token: bytes) -> str:
    return "".join(bpe.LETTERS[byte] for byte in token)


def library_merges(words: list[str], n_vocab: int) -> list[tuple[str, str]]:
    """The merges the library learns from words it does not cut any further."""
    tokenizer = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(vocab_size=n_vocab, initial_alphabet=ALPHABET, show_progress=False)
    tokenizer.train_from_iterator([letters(word.encode()) for word in words], trainer)
    return [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


def naive(words: list[str], n_merges: int) -> list[tuple[int, int]]:
    """The definition: count everything, merge the best pair everywhere, again."""
    texts = [bpe.byte_ids(word) for word in words]
    merges = []
    for _ in range(n_merges):
        counts = Counter(pair for text in texts for pair in pairwise(text))
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        texts = [bpe.merge(text, best, 256 + len(merges))[0] for text in texts]
        merges.append(best)
    return merges


# ---------------------------------------------------------------- the textbook


def test_textbook_example_gives_the_textbook_merges() -> None:
    trained = bpe.train("aaabdaaabac", 3)
    assert trained.merges == ((b"a", b"a"), (b"a", b"b"), (b"aa", b"ab"))
    assert [step.count for step in trained.steps] == [4, 2, 2]
    assert [step.n_tied for step in trained.steps] == [1, 2, 1]
    assert [step.n_tokens for step in trained.steps] == [9, 7, 5]
    assert [trained.vocab[i] for i in trained.encode("aaabdaaabac")] == [b"aaab", b"d", b"aaab", b"a", b"c"]


def test_first_256_ids_are_gpt2s() -> None:
    tiktoken = pytest.importorskip("tiktoken")
    from playground.engine.models import tiktoken_files
    from playground.settings import Settings

    assert tiktoken
    official = tiktoken_files.encoding("r50k_base", Settings().cache_dir)
    assert [official.decode_single_token_bytes(i) for i in range(256)] == [bytes([b]) for b in bpe.BYTES]


# ---------------------------------------------------------------- oracles


@given(words=FEW_LETTERS)
@settings(max_examples=300)
def test_merges_are_the_librarys(words: list[str]) -> None:
    ours = bpe.train_words(words, N_MERGES)
    mine = [(letters(left), letters(right)) for left, right in ours.merges]
    theirs = library_merges(words, 256 + N_MERGES)
    assert mine == theirs


@given(words=FEW_LETTERS | st.lists(st.text(max_size=20), max_size=8))
@settings(max_examples=300)
def test_merges_are_those_of_counting_everything_each_time(words: list[str]) -> None:
    assert [step.pair for step in bpe.train_words(words, N_MERGES).steps] == naive(words, N_MERGES)


@pytest.mark.parametrize("code", ["en", "ko"])
def test_merges_of_a_real_text_are_those_of_a_plain_byte_level_training(code: str) -> None:
    text = (site_root() / "assets" / "samples" / f"corpus_{code}.txt").read_text("utf-8")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=256 + 800, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator([text], trainer)
    theirs = [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    ours = bpe.train(text, 800)
    assert [(letters(left), letters(right)) for left, right in ours.merges] == theirs
    assert list(ours.encode(text)) == tokenizer.encode(text).ids


@pytest.fixture(scope="module")
def trained() -> bpe.BytePairEncoding:
    texts = (
        (site_root() / "assets" / "samples" / f"corpus_{c}.txt").read_text("utf-8") for c in ("en", "ko")
    )
    return bpe.train("\n".join(texts), 700)


@pytest.fixture(scope="module")
def downloaded(trained: bpe.BytePairEncoding, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """The library's tokenizer made from the two files a reader can download."""
    folder: Path = tmp_path_factory.mktemp("bpe")
    (folder / "merges.txt").write_text(trained.merges_txt(), "utf-8")
    (folder / "vocab.json").write_text(trained.vocab_json(), "utf-8")
    tokenizer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


@given(text=st.text() | st.text("나는 최근파리여행을the lighthouse", max_size=80))
@settings(max_examples=300)
def test_downloaded_files_cut_a_text_in_the_same_tokens(
    text: str, trained: bpe.BytePairEncoding, downloaded: Tokenizer
) -> None:
    theirs = [i for word in bpe.words(text) for i in downloaded.encode(letters(word.encode())).ids]
    assert list(trained.encode(text)) == theirs


# ---------------------------------------------------------------- laws


@given(text=st.text())
@settings(max_examples=300)
def test_decoding_an_encoding_gives_the_text(text: str, trained: bpe.BytePairEncoding) -> None:
    assert trained.decode(trained.encode(text)) == text
    assert "".join(bpe.words(text)) == text


@given(text=st.text(max_size=60), n=st.integers(0, 40))
def test_every_step_counts_the_tokens_it_leaves(text: str, n: int) -> None:
    trained = bpe.train(text, 40)
    here = trained.first(n)
    assert len(here.steps) <= n
    n_tokens = here.steps[-1].n_tokens if here.steps else here.n_bytes
    assert len(here.encode(text)) == n_tokens
    assert trained.n_bytes == len(text.encode())


@given(words=FEW_LETTERS)
def test_candidates_are_the_most_frequent_pairs_in_the_order_they_win(words: list[str]) -> None:
    trained = bpe.train_words(words, 12)
    texts = [bpe.byte_ids(word) for word in words]
    for step in trained.steps:
        counts = Counter(pair for text in texts for pair in pairwise(text))
        expected = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: bpe.N_CANDIDATES]
        assert list(step.candidates) == expected
        assert step.n_tied == sum(n == step.count for n in counts.values())
        texts = [bpe.merge(text, step.pair, step.token_id)[0] for text in texts]


def test_ties_are_counted_among_all_pairs_not_among_the_candidates() -> None:
    steps = bpe.train("many small birds sing loudly every morning", 5).steps
    # "in", "ma", " s" and "ng" stand there twice; once they are merged, 27 pairs are left, each of them once.
    assert [(step.count, step.n_tied) for step in steps] == [(2, 4), (2, 3), (2, 2), (2, 1), (1, 27)]
    letters_once = bpe.train("abcdefghijklmnop", 1).steps[0]
    assert (letters_once.n_tied, len(letters_once.candidates)) == (15, bpe.N_CANDIDATES)


def test_the_halves_of_an_emoji_are_trained_on_as_the_emoji() -> None:
    assert bpe.words("a \ud83d\udc4d\ud83d") == ["a", " 👍\ufffd"]


@pytest.mark.parametrize("text", ["", "a", "가", " ", "\ud800"])
def test_text_with_hardly_anything_in_it(text: str) -> None:
    trained = bpe.train(text, 10)
    assert trained.decode(trained.encode("any text 안녕")) == "any text 안녕"
    assert len(trained.steps) <= 2


def test_training_text_of_one_character_a_hundred_thousand_times() -> None:
    trained = bpe.train("a" * 100_000, 100)
    assert [len(step.token) for step in trained.steps] == [2, 4, 8, 16, 32, 64]


def test_words_the_training_never_saw_are_written_in_bytes() -> None:
    trained = bpe.train("low low lower", 10)
    assert [trained.vocab[i] for i in trained.encode("힣")] == [bytes([b]) for b in "힣".encode()]

"""Which characters a token covers follows from its bytes, under every scheme and for every text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from playground.core import pieces
from playground.core.tokenization import cells
from playground.core.tokens import Tokenization
from playground.engine.contract.tokenizers import TIKTOKEN, UNIGRAM
from playground.engine.models.embedded import WHEELS
from playground.engine.models.named_tokenizers import NamedTokenizers, train_unigram
from playground.engine.models.table import ModelTable
from playground.engine.models.tokenizing import TextTokenizer
from playground.settings import Settings
from tests import tiny

LETTERS = "aé漢字ㅋ한ﬁİßｱ¼▁Ġ"
OTHERS = "\u3000 \n\t\x00\x08\u200b\u200d\ufe0f\u0301\u0323\u1112\u1161\u11ab\ud83d\udc4d"
LONGER = ("👨‍👩‍👧", "👍🏽", "e\u0301\u0323", "<0x0A>", "</s>", "##", "\r\n", "  ", "the cat")
# NFKC makes one syllable of a letter that stands alone and a vowel or final to be joined, which no keyboard
# writes; the library notes the first of both only, so the second would be in no span.
ALONE_AND_JOINED = re.compile("[\u3131-\u318e\uffa0-\uffdc][\u1160-\u11ff]")
ODD = (
    st.lists(st.sampled_from([*LETTERS, *OTHERS, *LONGER]) | st.characters(), max_size=14)
    .map("".join)
    .filter(lambda text: not ALONE_AND_JOINED.search(text))
)


def read_back(tokenizer: Tokenizer, folder: Path) -> TextTokenizer:
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    return TextTokenizer("tiny/odd", folder)


def composing() -> Tokenizer:
    """Qwen's scheme: byte-level after NFC; the library's own offsets leave out the space before a word."""
    made = tiny.byte_level_tokenizer()
    made.normalizer = normalizers.NFC()
    made.post_processor = processors.ByteLevel(trim_offsets=True)
    return made


def without_some_bytes() -> Tokenizer:
    """SmolLM2's scheme: bytes that its training text had not are left out of every text."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=300, show_progress=False)
    made.train_from_iterator([*tiny.CORPUS, "한漢字é"], trainer)
    return made


def bpe_of_characters(normalizer: normalizers.Normalizer) -> Tokenizer:
    """The scheme of Llama 2 and Gemma: BPE over characters, bytes for those that are unknown."""
    made = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    made.normalizer = normalizer
    names = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=330, special_tokens=["<unk>", *names], show_progress=False)
    made.train_from_iterator(tiny.CORPUS, trainer)
    spec = json.loads(made.to_str())
    spec["added_tokens"] = spec["added_tokens"][:1]
    spec["decoder"] = {"type": "ByteFallback"}
    return Tokenizer.from_str(json.dumps(spec))


def like_t5() -> Tokenizer:
    """Words first, then Unigram with one unknown piece; spaces are folded."""
    made = tiny.unigram_tokenizer()
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    return made


def replace_spaces() -> normalizers.Normalizer:
    return normalizers.Replace(" ", "▁")


MADE = {
    "byte-level": tiny.byte_level_tokenizer,
    "byte-level, NFC": composing,
    "byte-level, bytes missing": without_some_bytes,
    "WordPiece": tiny.word_piece_tokenizer,
    "Unigram": tiny.unigram_tokenizer,
    "Unigram, words first": like_t5,
    "Unigram, NFKC and bytes": lambda: tiny.unigram_tokenizer(byte_fallback=True),
    "Unigram, bytes": lambda: Tokenizer.from_str(train_unigram(list(tiny.CORPUS), 200)),
    "Llama 2": lambda: bpe_of_characters(normalizers.Sequence([normalizers.Prepend("▁"), replace_spaces()])),
    "Gemma": lambda: bpe_of_characters(replace_spaces()),
}
KEEP_THE_TEXT = ("byte-level", "Unigram, bytes", "Llama 2", "Gemma")  # but for ▁, which is their space


@pytest.fixture(scope="module", params=MADE)
def named(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, TextTokenizer]:
    name = str(request.param)
    return name, read_back(MADE[name](), tmp_path_factory.mktemp("odd") / "tokenizer")


def as_read(tokenizer: TextTokenizer, text: str) -> str:
    """What the normaliser makes of a stretch of a text, its spaces written as spaces."""
    normalizer = tokenizer._backend.normalizer
    read = str(text if normalizer is None else normalizer.normalize_str(text))
    return read.replace("▁", " ") if tokenizer._scheme == "metaspace" else read


def has(read: str, piece: bytes, dropped: frozenset[int]) -> bool:
    """Whether the bytes of a token, but for its spaces, follow one another in what was read."""
    return piece.strip() in bytes(byte for byte in read.encode() if byte not in dropped)


def check(tokenizer: TextTokenizer, found: Tokenization) -> None:
    """The span of a token holds its bytes and no character more; only what is dropped is in no span."""
    for side in (0, 1):
        assert [span[side] for span in found.offsets] == sorted(span[side] for span in found.offsets)
    dropped = tokenizer._dropped
    for piece, (start, end), added in zip(found.token_bytes, found.offsets, found.special, strict=True):
        inside = found.text[start:end]
        assert (start == end) == (not piece) or added
        if piece == inside.encode():
            continue
        assert has(as_read(tokenizer, inside), piece, dropped), (piece, inside)
        covered = [char for char in pieces.characters(inside) if as_read(tokenizer, char).strip()]
        assert len(covered) <= max(1, len(piece)), (piece, inside)
    within = {place for start, end in found.offsets for place in range(start, end)}
    left = "".join(char for place, char in enumerate(found.text) if place not in within)
    assert not set(as_read(tokenizer, left).strip().encode()) - dropped, left


@settings(max_examples=150)
@given(text=ODD)
@example(text="漢字 ㅋㅋㅋ")
@example(text="the cafe\u0301 on \u1112\u1161\u11ab")
@example(text=" a  ▁b\n")
@example(text="<0x0A>A")
@example(text="\ud83d\udc4d\ud83d")
def test_the_span_of_a_token_is_where_its_bytes_come_from(
    named: tuple[str, TextTokenizer], text: str
) -> None:
    name, tokenizer = named
    found = tokenizer.tokenize(text)
    check(tokenizer, found)
    if name in KEEP_THE_TEXT and not ("▁" in text and name != "byte-level"):
        assert b"".join(found.token_bytes) == found.text.encode()


@pytest.mark.parametrize("name", ["Unigram, bytes", "Unigram, NFKC and bytes", "Llama 2", "Gemma"])
def test_every_unknown_character_has_a_box_of_its_own(name: str, tmp_path: Path) -> None:
    tokenizer = read_back(MADE[name](), tmp_path / "tokenizer")
    found = tokenizer.tokenize("漢字 ㅎㅎ", add_special_tokens=False)
    of_characters = [cell for cell in cells(found) if cell.start < cell.stop]
    assert [(cell.start, cell.stop) for cell in of_characters] == [(i, i + 1) for i in range(5)]
    n_tokens = [cell.last - cell.first for cell in of_characters]
    assert n_tokens == [len(char.encode()) for char in "漢字 ㅎㅎ"] or name == "Unigram, NFKC and bytes"


def test_a_letter_that_is_composed_is_covered_with_all_its_marks(tmp_path: Path) -> None:
    tokenizer = read_back(composing(), tmp_path / "tokenizer")
    found = tokenizer.tokenize("a e\u0301\u0323 \u1112\u1161\u11ab")
    assert b"".join(found.token_bytes).decode() == "a \u1eb9\u0301 한"
    of_letter = {span for span in found.offsets if 2 <= span[0] < 5}
    assert of_letter == {(2, 5)}, "the letter, its accent and the dot below that the normaliser moved"
    assert found.offsets[-1] == (6, 9), "three jamo of one syllable"


@pytest.fixture(scope="module")
def of_the_page(with_e5: Settings) -> NamedTokenizers:
    return NamedTokenizers(with_e5, ModelTable(with_e5).tokenizer)


@pytest.mark.real
@settings(max_examples=150)
@given(text=ODD)
@example(text="漢字 ㅋㅋㅋ")
@example(text="ƚ\u200d\u200d")
@pytest.mark.parametrize("name", [*TIKTOKEN, UNIGRAM, *WHEELS])
def test_the_tokenizers_of_the_page_obey_the_laws(of_the_page: NamedTokenizers, name: str, text: str) -> None:
    found = of_the_page.tokenize(name, text, add_special_tokens=False)
    if name in TIKTOKEN:
        assert b"".join(found.token_bytes) == found.text.encode()
    else:
        tokenizer = of_the_page._get(name)
        assert isinstance(tokenizer, TextTokenizer)
        is_unknown = tokenizer._backend.token_to_id("<unk>") in found.input_ids
        if is_unknown and len(pieces.characters(found.text)) < len(found.text):
            return  # an unknown letter with marks of its own: the library's spans are all there is
        check(tokenizer, found)


@pytest.mark.real
def test_the_unigram_of_the_page_gives_each_character_its_bytes(of_the_page: NamedTokenizers) -> None:
    found = of_the_page.tokenize(UNIGRAM, "漢字 ㅋㅋㅋ", add_special_tokens=False)
    assert found.offsets == (
        (0, 0), *[(0, 1)] * 3, *[(1, 2)] * 3, (2, 3), *[(3, 4)] * 3, *[(4, 5)] * 3, *[(5, 6)] * 3,
    )  # fmt: skip

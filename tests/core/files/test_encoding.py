"""Bytes become the text that was written, or the reader is asked: never another text in silence."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.files.encoding import decode, guess_encoding, readable_text
from playground.errors import BadFile, UnclearEncoding

WESTERN = [
    "Don’t panic, it’s a drill", "It’s", "café", "Größe", "Fußgänger", "Ärger im Büro", "l’été",
    "Él dijo: “¿Qué?”", "À bientôt, mon ami", "AÇÃO E NAÇÃO", "Preis: 5 €", "25°C", "½ cup", "• item",
    "prompt\nThe café’s owner\nCrème brûlée", "text;label\nSüß;gut\nZu spät;schlecht",
]  # fmt: skip
KOREAN = [
    "프롬프트\n안녕하세요", "안녕", "뭐해?", "ㅋㅋㅋ", "대한민국의 수도는", "GPT를 써요",
    "text,label\n좋다,긍정\n싫다,부정", "prompt\n서울", "no,prompt\n1,안녕", "똠방각하 펲시콜라",
    "The capital of Korea is 서울", "삶은 계란 hello", "“안녕”이라고 말했다",
]  # fmt: skip
UNCLEAR = {"나": "cp949", "뷁": "cp949", "漢字": "cp949", "ÀÉ": "cp1252", "ÄÖÜ": "cp1252"}
FOREIGN = {
    "shift_jis": "こんにちは、世界",
    "gbk": "你好，世界",
    "big5": "你好世界",
    "johab": "안녕하세요",
    "cp1251": "Привет, мир",
    "koi8-r": "Привет, мир",
    "cp1250": "Zażółć gęślą jaźń",
}


@pytest.mark.parametrize("text", WESTERN)
def test_western_text_of_windows_is_read_as_written(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


@pytest.mark.parametrize("text", KOREAN)
def test_korean_text_of_windows_is_read_as_written(text: str) -> None:
    assert decode(text.encode("cp949")) == text


@pytest.mark.parametrize("text", [*WESTERN, *KOREAN, *UNCLEAR, *FOREIGN.values()])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_decides_alone(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("mark_and_order", [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
def test_the_mark_says_the_order_of_the_bytes(mark_and_order: tuple[bytes, str]) -> None:
    mark, order = mark_and_order
    assert decode(mark + "안녕, é".encode(order)) == "안녕, é"


@pytest.mark.parametrize(("text", "encoding"), UNCLEAR.items())
def test_what_cannot_be_decided_is_asked(text: str, encoding: str) -> None:
    data = text.encode(encoding)
    with pytest.raises(UnclearEncoding):
        decode(data)
    assert text in [decode(data, one) for one in guess_encoding(data).encodings]


@pytest.mark.parametrize(("encoding", "text"), FOREIGN.items())
def test_text_of_no_known_encoding_is_not_taken_for_another_text(encoding: str, text: str) -> None:
    with pytest.raises(BadFile):
        decode(text.encode(encoding))


def test_a_cut_korean_file_is_not_taken_for_a_western_one() -> None:
    with pytest.raises(UnclearEncoding):
        decode("안녕하세요 반갑습니다".encode("cp949")[:-1])


def test_it_does_not_matter_how_much_plain_text_stands_before() -> None:
    plain = "a plain line\n" * 50_000
    assert decode((plain + KOREAN[0]).encode("cp949")) == plain + KOREAN[0]
    assert decode((plain + WESTERN[0]).encode("cp1252")) == plain + WESTERN[0]


@pytest.mark.parametrize("data", [b"PK\x03\x04\x14\x00\x08\x08\x08\xff\x81", bytes(range(256)), b"\xff\xfea"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(
        BadFile, match="not text in UTF-8, UTF-16 with a byte order mark, CP949 or Windows-1252"
    ):
        decode(data)


def test_every_line_end_becomes_one() -> None:
    assert decode(b"a\r\nb\rc\nd\r\r\n") == "a\nb\nc\nd\n\n"


@given(st.binary(max_size=300))
def test_any_bytes_give_the_same_answer_twice(data: bytes) -> None:
    with suppress(BadFile):
        assert decode(data) == decode(data)
        assert decode(data) == decode(data, guess_encoding(data).encodings[0])


@given(st.text(st.characters()))
def test_readable_text_leaves_text_and_nothing_else(raw: str) -> None:
    text, n_left_out = readable_text(raw)
    assert len(text) + n_left_out == len(raw)
    assert readable_text(text) == (text, 0)
    text.encode()  # no half of a surrogate pair is left
    assert not any(ord(c) < 32 and c not in "\n\t" for c in text)


def test_a_long_line_of_plain_letters_is_looked_at_once() -> None:
    data = "é\n".encode("cp1252") + b"a" * 2**20
    begin = time.process_time()
    assert decode(data).startswith("é\na")
    assert time.process_time() - begin < 5

"""Documents from outside: each that cannot be read is refused with one sentence."""

from __future__ import annotations

import time

import pytest

from playground.core.files.documents import DocumentText, read_pdf, read_text
from playground.core.files.pdf_pages import PdfLimits, PdfPage
from playground.errors import BadFile, UnclearEncoding
from tests import pdfs

LIMITS = PdfLimits(pages=50, chars=20_000, seconds=20, memory_bytes=2**30)


def read(data: bytes, limits: PdfLimits = LIMITS) -> tuple[list[PdfPage], DocumentText]:
    *pages, document = read_pdf("a.pdf", data, limits)
    assert isinstance(document, DocumentText)
    return [page for page in pages if isinstance(page, PdfPage)], document


def refusal(data: bytes, limits: PdfLimits = LIMITS) -> str:
    with pytest.raises(BadFile) as error:
        read(data, limits)
    return str(error.value)


def test_a_pdf_gives_the_text_of_each_page_in_both_languages() -> None:
    pages, document = read(pdfs.pdf(["Seoul is the capital.\nSecond line.", "", "서울은 수도입니다."]))
    assert [(page.number, page.n_pages) for page in pages] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert document.text == "Seoul is the capital.\nSecond line.\n\n\n\n서울은 수도입니다."
    first, second, third = document.page_starts
    assert document.text[first:second].strip() == "Seoul is the capital.\nSecond line."
    assert document.text[second:third].strip() == ""
    assert document.text[third:] == "서울은 수도입니다."
    assert document.date == "2024-03-15"


def test_pdfs_without_text_and_encrypted_and_damaged_ones_say_so() -> None:
    assert "only pictures" in refusal(pdfs.scanned())
    assert "save it without a password" in refusal(pdfs.encrypted("secret"))
    whole = pdfs.pdf(["Some text."])
    for damaged in (b"", b"no pdf at all", b"%PDF-1.7\n", whole[:200]):
        assert "damaged" in refusal(damaged) or "only pictures" in refusal(damaged), damaged


def test_a_pdf_that_opens_without_a_password_is_read() -> None:
    assert read(pdfs.encrypted(""))[1].text == "Nothing secret."


def test_long_pdfs_are_refused_with_their_number_of_pages_or_characters() -> None:
    assert "too many pages: 300, and the limit is 50" in refusal(pdfs.pdf(["x"] * 300))
    assert "more than 20,000 characters" in refusal(pdfs.pdf(["word " * 5_000]))


def test_a_pdf_that_never_ends_is_given_up_in_time() -> None:
    data = pdfs.endless()
    assert len(data) < 200_000
    begun = time.monotonic()
    told = refusal(data, PdfLimits(50, 2**40, seconds=2, memory_bytes=2**32))
    assert "longer than 2 seconds" in told
    assert time.monotonic() - begun < 10


def test_a_pdf_that_eats_memory_is_refused() -> None:
    told = refusal(pdfs.endless(), PdfLimits(50, 2**40, seconds=60, memory_bytes=150 * 2**20))
    assert "damaged" in told or "only pictures" in told


def test_leaving_a_pdf_half_read_ends_its_process_and_gives_its_place_back() -> None:
    for _ in range(5):  # two at a time are possible
        reading = read_pdf("a.pdf", pdfs.pdf(["one", "two"]), LIMITS)
        next(reading)
        reading.close()


def test_a_text_is_tidied_and_read_in_its_encoding() -> None:
    assert read_text("a.txt", "가  나\x00\r\n\r\n\r\n\r\n다 ".encode("utf-16"), 99).text == "가 나\n\n다"
    assert read_text("a.md", "한국어 문서를 읽습니다".encode("cp949"), 99).text == "한국어 문서를 읽습니다"


def test_texts_that_are_empty_long_or_of_no_clear_encoding_are_refused() -> None:
    for data in (b"", b" \n\t "):
        with pytest.raises(BadFile, match="no text"):
            read_text("a.txt", data, 99)
    with pytest.raises(BadFile, match="5,242,880 characters and the limit is 400,000"):
        read_text("a.txt", b"a" * 5 * 2**20, 400_000)
    with pytest.raises(UnclearEncoding):
        read_text("a.txt", "ÀÉ".encode("cp1252"), 99)
    with pytest.raises(BadFile, match="not text"):
        read_text("a.txt", bytes(range(256)) * 9, 9_999)

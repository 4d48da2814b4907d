"""Documents from outside: .txt and .md in their encoding, .pdf page by page; one tidy text each."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass

from playground.core.files.encoding import Encoding, decode, readable_text
from playground.core.files.pdf_pages import PdfLimits, PdfPage, pdf_pages
from playground.core.scripts import script_of
from playground.errors import BadFile, Message

SUFFIXES = ("txt", "md", "pdf")
BETWEEN_PAGES = "\n\n"
_LANGUAGE_OF_SCRIPT = {"HANGUL": "ko", "LATIN": "en"}
_LOOKED_AT = 2_000  # characters, for the language


@dataclass(frozen=True, slots=True)
class DocumentText:
    """A document that was read.

    Attributes:
        name: Name of its file.
        text: Its text without control characters; spaces in a row are one, blank lines in a row are one.
        page_starts: Place in the text where each page begins; empty without pages.
        date: Day the file says it was made, ISO, "" if it does not say.
        n_unread: Pages that cannot be read.
    """

    name: str
    text: str
    page_starts: tuple[int, ...] = ()
    date: str = ""
    n_unread: int = 0


def tidy(raw: str) -> str:
    r"""A text without control characters, and without more space than it needs.

    Example:
        >>> tidy("a  b\t\x00\n\n\n\nc \n")
        'a b\n\nc'
    """
    text, _n_left_out = readable_text(raw.replace("\r\n", "\n").replace("\r", "\n"))
    text = re.sub(r"[^\S\n]+", " ", text)
    return re.sub(r" ?\n ?", "\n", re.sub(r"\n\s*\n\s*", "\n\n", text)).strip()


def read_text(name: str, data: bytes, max_chars: int, encoding: Encoding | None = None) -> DocumentText:
    """Read a .txt or .md file.

    Raises:
        BadFile: It is empty, too long, or not text; `UnclearEncoding` where its encoding cannot be known.
    """
    text = tidy(decode(data, encoding))
    if not text:
        raise BadFile(reason=Message("it holds no text."))
    if len(text) > max_chars:
        told = Message(
            "it has {got:,} characters and the limit is {limit:,}: upload a part of it.",
            (("got", len(text)), ("limit", max_chars)),
        )
        raise BadFile(reason=told)
    return DocumentText(name, text)


def read_pdf(name: str, data: bytes, limits: PdfLimits) -> Generator[PdfPage | DocumentText]:
    """Read a PDF: its pages as they come, the document last.

    Raises:
        BadFile: It is encrypted, damaged, too long, takes too long, or holds no text.
    """
    pages: list[str] = []
    date, n_unread = "", 0
    for page in pdf_pages(data, limits):
        yield page
        date = date or page.date
        if page.number:
            pages.append(tidy(page.text or ""))
            n_unread += page.text is None
    if not any(pages):
        told = Message(
            "its pages hold no text, only pictures: a scanned document needs text recognition (OCR) first."
        )
        raise BadFile(reason=told)
    starts, at = [], 0
    for text in pages:
        starts.append(at)
        at += len(text) + len(BETWEEN_PAGES)
    yield DocumentText(name, BETWEEN_PAGES.join(pages), tuple(starts), date, n_unread)


def language_of(text: str) -> str:
    """Language that a document is most likely in, by its script: "ko", "en", or "" for any other.

    Example:
        >>> language_of("서울은 수도입니다."), language_of("Seoul is the capital."), language_of("123")
        ('ko', 'en', '')
    """
    return _LANGUAGE_OF_SCRIPT.get(script_of(text[:_LOOKED_AT]), "")

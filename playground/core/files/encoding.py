"""Bytes of a file as text: its encoding out of a few, or the fact that it cannot be known.

a byte order mark, or valid UTF-8  decides alone
CP949 against Windows-1252         two witnesses: typical Korean and Western text, and charset-normalizer
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

from charset_normalizer import from_bytes

from playground.errors import BadFile, Message, UnclearEncoding

Encoding = Literal["utf-8", "utf-16", "cp949", "cp1252"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MAX_WEIGHED = 2**16  # bytes of lines that are not plain ASCII
_MAX_LINE = 80  # characters of a text in a sentence
_MOST_CONTROLS = 0.1  # of the characters; a file with more is not text

# One CP949 character after another. Two bytes b0-c8 a1-fe are a syllable of KS X 1001, the 2,350 that Korean
# is written with; a4 a1-fe are single letters (jamo). A byte above 80 before a Latin letter is one of the
# 8,822 syllables that hardly occur, or, in Windows-1252, an apostrophe or an accent within a word. ca-fd are
# Chinese characters: few in Korean text, many where Chinese text is read as Korean.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")  # marks of direction: exe.gnp would be shown as png.exe
_CP949 = re.compile(
    rb"(?P<korean>[\xa4\xb0-\xc8][\xa1-\xfe](?![A-Za-z]))"
    rb"|(?P<western>[\x81-\xc6][A-Za-z]|(?<=[A-Za-z])[\x81-\xfe]{2}(?=[A-Za-z]))"
    rb"|(?P<chinese>[\xca-\xfd][\xa1-\xfe])"
    rb"|[\x81-\xfe]{2}|[\x00-\xff]"
)
# Western text does not have in Windows-1252: three letters in a row that are not ASCII, a sign in a word.
_NOT_WESTERN = re.compile(r"[^\x00-\x7f]{3}|(?<=[A-Za-z])[¡-©«-´¶-¹»-¿×÷](?=[A-Za-z])")


@dataclass(frozen=True, slots=True)
class EncodingGuess:
    """The encodings that a file may be written in.

    Attributes:
        encodings: Those that give a text, the most plausible first; at least one.
        is_sure: True if the first can be taken without asking.
    """

    encodings: tuple[Encoding, ...]
    is_sure: bool


def guess_encoding(data: bytes) -> EncodingGuess:
    """Weigh the encodings of a file against each other.

    Raises:
        BadFile: The file is in none of them.

    Example:
        >>> guess_encoding("프롬프트".encode("cp949"))
        EncodingGuess(encodings=('cp949', 'cp1252'), is_sure=True)
        >>> guess_encoding("It’s".encode("cp1252"))
        EncodingGuess(encodings=('cp1252', 'cp949'), is_sure=True)
        >>> guess_encoding("ÀÉ".encode("cp1252")).is_sure
        False
    """
    if data.startswith(_UTF16_MARKS):
        encodings: tuple[Encoding, ...] = ("utf-16",) if _is_text(data, "utf-16") else ()
        is_sure = True
    elif _is_text(data, "utf-8"):
        others = () if data.isascii() else tuple(name for name in ENCODINGS[2:] if _is_text(data, name))
        encodings, is_sure = ("utf-8", *others), True
    elif data.startswith(codecs.BOM_UTF8):
        encodings, is_sure = (), True
    else:
        encodings = tuple(name for name in ENCODINGS[2:] if _is_text(data, name))
        encodings, is_sure = _ordered(data, encodings)
    if not encodings:
        raise BadFile(
            reason=Message(
                "it is not text in UTF-8, UTF-16 with a byte order mark, CP949 or Windows-1252. Save it "
                "again as UTF-8."
            )
        )
    return EncodingGuess(encodings, is_sure)


def decode(data: bytes, encoding: Encoding | None = None) -> str:
    r"""Read a file; every line ends with `\n` afterwards.

    Args:
        data: The file.
        encoding: Encoding chosen by the reader; None takes the file's own.

    Raises:
        BadFile: The file is not text in this encoding, or in any.
        UnclearEncoding: The file's own encoding cannot be known.

    Example:
        >>> decode("안녕\r\n하세요\r".encode("utf-16"))
        '안녕\n하세요\n'
    """
    if encoding is None:
        weighed = guess_encoding(data)
        if not weighed.is_sure:
            raise UnclearEncoding(encodings=", ".join(map(str.upper, weighed.encodings)))
        encoding = weighed.encodings[0]
    try:
        text = data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError:
        raise BadFile(reason=Message("it is not text in this encoding.")) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def readable_text(raw: str) -> tuple[str, int]:
    r"""Leave out control characters (but not line ends and tabs) and halves of surrogate pairs.

    Returns:
        The text, and the number of characters left out.

    Example:
        >>> readable_text("a\x00b\ud800\n")
        ('ab\n', 2)
    """
    if raw.isprintable():
        return raw, 0
    kept = "".join(c for c in raw if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return kept, len(raw) - len(kept)


def file_name(raw: str, most: int) -> str:
    r"""The end of a file's name, without unreadable characters and without those that turn others around.

    Example:
        >>> file_name("\u202egnp.txt\x00", 80)
        'gnp.txt'
    """
    return readable_text(_TURNS.sub("", raw))[0][-most:]


def one_line(raw: str) -> str:
    r"""A text from a file as a sentence names it: its beginning, on one line, without unreadable characters.

    Example:
        >>> one_line("a\n\n    b\x00\ud800"), one_line("x" * 1000) == "x" * 80 + "…"
        ('a b', True)
    """
    end = "…" if len(raw) > _MAX_LINE else ""
    return " ".join(readable_text(raw[:_MAX_LINE])[0].split()) + end


def _is_text(data: bytes, encoding: Encoding) -> bool:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return False
    if encoding == "utf-8":
        return True
    return readable_text(text.replace("\r", ""))[1] <= _MOST_CONTROLS * len(text)


def _ordered(data: bytes, possible: tuple[Encoding, ...]) -> tuple[tuple[Encoding, ...], bool]:
    """CP949 and Windows-1252 by plausibility, and True if the first is sure."""
    lines = b"\n".join(line for line in re.split(rb"[\r\n]+", data) if not line.isascii())[:_MAX_WEIGHED]
    seen = Counter(match.lastgroup for match in _CP949.finditer(lines))
    korean, western, chinese = seen["korean"], seen["western"], seen["chinese"]
    is_korean = korean >= 2 * max(western, 1) and korean >= 4 * chinese
    is_western = _NOT_WESTERN.search(lines.decode("cp1252", "replace")) is None
    if len(possible) < 2:
        return possible, is_korean if possible == ("cp949",) else is_western
    matches = from_bytes(lines, cp_isolation=list(possible), threshold=1.0, enable_fallback=False)
    mess = {match.encoding: match.chaos for match in matches}
    against_korean = mess.get("cp949", 1.0) - mess.get("cp1252", 1.0)
    if is_korean:
        return ("cp949", "cp1252"), against_korean <= 0 or not is_western
    if western > 2 * korean:
        return ("cp1252", "cp949"), against_korean >= 0 or is_western
    return (("cp1252", "cp949") if against_korean > 0 else ("cp949", "cp1252")), False

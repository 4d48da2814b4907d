"""The catalogues of short strings: a language is a folder of `assets/locale`, English is the source's own.

A catalogue is compiled in memory at its first use (some 60 ms per process), so there is no compiled file that
could be missing in a clone or older than its `.po`, and one that two branches change merges as text.
"""

from __future__ import annotations

import ast
import gettext
import io
import struct
from functools import cache
from pathlib import Path

from playground.paths import site_root

SOURCE_LANGUAGE = "en"
_NAME = "x-language-name"  # header of a catalogue: what its speakers call the language
_MAGIC = 0x950412DE  # of a .mo file


@cache
def languages() -> tuple[str, ...]:
    """The codes of the languages there are, English first."""
    catalogues = (site_root() / "assets" / "locale").glob("*/LC_MESSAGES/playground.po")
    return (SOURCE_LANGUAGE, *sorted(path.parents[1].name for path in catalogues))


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The catalogue of a language, with its own rule for plurals."""
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    path = site_root() / "assets" / "locale" / language / "LC_MESSAGES" / "playground.po"
    return gettext.GNUTranslations(io.BytesIO(compiled(path.read_text("utf-8"))))


def language_name(language: str) -> str:
    """The name of a language in that language.

    Example:
        >>> [language_name(language) for language in ("en", "ko")]
        ['English', '한국어']
    """
    return "English" if language == SOURCE_LANGUAGE else translations(language).info().get(_NAME, language)


def localized(language: str, kind: str, name: str) -> Path:
    """The file `name` of `assets/<kind>` in a language; the English one where that has none yet."""
    folder = site_root() / "assets" / kind
    own = folder / language / name
    return own if own.is_file() else folder / SOURCE_LANGUAGE / name


def first_of(wanted: str) -> str:
    """The first language of ours in a list of wanted ones as a browser writes it; English if there is none.

    Example:
        >>> first_of("ko-KR,en;q=0.8"), first_of("de,en;q=0.5,ko"), first_of("de"), first_of("")
        ('ko', 'en', 'en', 'en')
    """
    codes = (one.partition(";")[0].partition("-")[0].strip().lower() for one in wanted.split(","))
    return next((code for code in codes if code in languages()), SOURCE_LANGUAGE)


def compiled(po: str) -> bytes:
    r"""A catalogue as GNU gettext's .mo file, without what is not translated or marked as fuzzy.

    Args:
        po: The .po file; a line without text parts its entries.

    Raises:
        SyntaxError: A string of it is not quoted.

    Example:
        >>> mo = io.BytesIO(compiled('msgid "a"\nmsgstr "b"'))
        >>> gettext.GNUTranslations(mo).gettext("a")
        'b'
    """
    pairs = sorted((one.encode(), other.encode()) for one, other in entries(po).items())
    index, texts, start = bytearray(), bytearray(), 28 + 16 * len(pairs)
    for column in (0, 1):
        for pair in pairs:
            index += struct.pack("<2I", len(pair[column]), start + len(texts))
            texts += pair[column] + b"\0"
    head = struct.pack("<7I", _MAGIC, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return head + bytes(index) + bytes(texts)


def entries(po: str) -> dict[str, str]:
    """msgid -> translation; singular and plural, and the forms of a plural, are parted by a zero."""
    found = {}
    for lines in (entry.splitlines() for entry in po.split("\n\n")):
        if any(line.startswith("#,") and "fuzzy" in line for line in lines):
            continue
        strings: dict[str, str] = {}
        keyword = ""
        for line in lines:
            if line and not line.startswith("#"):
                name, _quote, _rest = line.partition('"')
                keyword = name.strip() or keyword
                strings[keyword] = strings.get(keyword, "") + ast.literal_eval(line[len(name) :])
        forms = [text for name, text in strings.items() if name.startswith("msgstr")]
        if "msgid" in strings and all(forms):
            ids = [text for name, text in strings.items() if name.startswith("msgid")]
            found["\0".join(ids)] = "\0".join(forms)
    return found

"""A language that is not there: Polish, of a few strings and one lesson, with three forms of a plural."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from playground.paths import site_root
from playground.ui import text, translations

POLISH = r"""
msgid ""
msgstr ""
"Language: pl\n"
"X-Language-Name: Polski\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\n"
"Content-Type: text/plain; charset=utf-8\n"

#: playground/engine/models/loading.py
msgid "Ready"
msgstr "Gotowy"

msgid "{n:,} token"
msgid_plural "{n:,} tokens"
msgstr[0] "{n:,} token"
msgstr[1] "{n:,} tokeny"
msgstr[2] "{n:,} tokenów"

#, fuzzy
msgid "Stop"
msgstr "Stopa"

msgid "Start"
msgstr ""

#~ msgid "no longer used"
#~ msgstr "dawno"

msgid "a \"quoted\" text\n"
"of two lines"
msgstr "„cytat”\n"
"\tw dwóch wierszach"
"""


@contextmanager
def polish_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the words be read from a folder in which Polish is added to what we have."""
    own, assets = site_root() / "assets", folder / "assets"
    for name in ("locale", "lessons", "tasks", "training", "samples"):
        shutil.copytree(own / name, assets / name)
    catalogue = assets / "locale" / "pl" / "LC_MESSAGES" / "playground.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text(POLISH, "utf-8")
    lesson = assets / "lessons" / "pl" / "home.md"
    lesson.parent.mkdir()
    english = (own / "lessons" / "en" / "home.md").read_text("utf-8")
    lesson.write_text("# Dom\n" + english.partition("\n")[2], "utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(translations, "site_root", lambda: folder)
        _forget()
        try:
            yield
        finally:
            _forget()


def _forget() -> None:
    for cached in (translations.languages, translations.translations, text._lesson):
        cached.cache_clear()

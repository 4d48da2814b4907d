"""The script of a text, and the languages that are written in it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable

_SCRIPTS = {  # language code -> its scripts, by the first word of Unicode's names; all others: Latin
    "ar": {"ARABIC"}, "bg": {"CYRILLIC"}, "el": {"GREEK"}, "fa": {"ARABIC"}, "he": {"HEBREW"},
    "hi": {"DEVANAGARI"}, "ja": {"HIRAGANA", "KATAKANA", "CJK"}, "ko": {"HANGUL"}, "ru": {"CYRILLIC"},
    "th": {"THAI"}, "uk": {"CYRILLIC"}, "zh": {"CJK"},
}  # fmt: skip


def script_of(text: str) -> str:
    """The script of most letters of a text, by the first word of their Unicode names; "" without letters.

    Japanese is written in Chinese characters too: any kana make those kana.

    Example:
        >>> script_of("대한민국의 GPT"), script_of("日本の首都"), script_of("北京"), script_of("1 + 1 😀")
        ('HANGUL', 'HIRAGANA', 'CJK', '')
    """
    plain = unicodedata.normalize("NFKC", text)  # letters of full width, letters of formulas
    letters = (unicodedata.name(char, "").partition(" ")[0] for char in plain if char.isalpha())
    counts = Counter(filter(None, letters))
    if kana := [(n, name) for name, n in counts.items() if name in {"HIRAGANA", "KATAKANA"}]:
        counts[max(kana)[1]] += counts.pop("CJK", 0)
    return max(counts, key=lambda name: counts[name], default="")


def is_written_in(languages: Iterable[str], script: str) -> bool:
    """True if any of these languages is written in the script.

    Example:
        >>> is_written_in(["en", "ko"], "HANGUL"), is_written_in(["en"], "HANGUL")
        (True, False)
    """
    return any(script in _SCRIPTS.get(language, {"LATIN"}) for language in languages)

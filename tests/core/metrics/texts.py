"""Texts as readers write them: English, Korean in both forms, emoji, punctuation, blanks, nothing."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

WORDS = [
    "the",
    "The",
    "cat",
    "cat.",
    "on",
    "mat,",
    "a,",
    "3.5",
    "10%",
    "it's",
    "U.S.",
    "-",
    "&amp;",
    "<skipped>",
    "...",
    "(",
    ")",
    "고양이가",
    "고양이는",
    "서울",
    "서울은",
    "한국의",
    "수도이다.",
    "잔다",
    "“인용”",
    "「책」",
    "😀",
    "👩\u200d👩\u200d👧",
    "❤️",
    "café",
    "naïve",
    "İ",
    "ß",
    "日本",
    "東京タワー",
    "αβγ",
]
WORDS += [unicodedata.normalize("NFD", "고양이가"), unicodedata.normalize("NFD", "café"), "\u200b", "-\n"]

sentences = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)
texts = sentences | st.text(max_size=30)
references = st.lists(texts, min_size=1, max_size=3)

"""Scripts of texts, and who reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.scripts import is_written_in, script_of


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("대한민국의 수도는", {"ko"}), ("ㅋㅋㅋ", {"ko"}), ("The capital of England is", {"en", "fr"}),
        ("한국어로 GPT 설명하기", {"ko"}), ("東京は日本の首都", {"ja"}), ("ラーメン", {"ja"}),
        ("ＡＢＣ", {"en", "fr"}), ("北京是首都", {"zh", "ja"}),
        ("Москва", {"ru"}), ("مرحبا", {"ar"}), ("שלום", {"he"}), ("def f(x): return 1", {"en", "fr"}),
        ("1 + 1 = 2 😀", set()), ("", set()),
    ],
)  # fmt: skip
def test_a_text_is_read_by_the_languages_of_its_script(text: str, languages: set[str]) -> None:
    known = ("en", "fr", "ko", "ja", "zh", "ru", "ar", "he")
    assert {one for one in known if is_written_in([one], script_of(text))} == languages


@given(st.text(), st.text(alphabet="1 .,!?😀\n"))
def test_what_is_no_letter_does_not_change_the_script(text: str, signs: str) -> None:
    assert script_of(text + signs) == script_of(signs + text) == script_of(text)

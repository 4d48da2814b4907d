"""The line that a model was not trained on the language of the text."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def script(text: str, languages: tuple[str, ...], language: str) -> None:
    from types import SimpleNamespace
    from typing import Any, cast

    import streamlit as st

    from playground.engine.catalogue import catalogue
    from playground.settings import Settings
    from playground.ui import unread_language

    st.session_state["lang"] = language
    model = cast("Any", SimpleNamespace(name="SmolLM2_M", languages=languages))
    unread_language.say(text, model, catalogue(Settings()).values(), {"logits"})


def lines(text: str, languages: tuple[str, ...], language: str = "en") -> list[str]:
    app = AppTest.from_function(script, args=(text, languages, language)).run()
    assert not app.exception
    return [one.value.replace("\\", "") for one in app.markdown]


def test_korean_text_and_an_english_model_name_those_that_can_do_what_the_page_needs() -> None:
    (line,) = lines("대한민국의 수도는", ("en",))
    assert "SmolLM2_M was not trained on Korean" in line
    assert "Qwen3 0.6B, KoGPT2 125M" in line
    assert "KLUE" not in line, "an encoder gives no logits"


def test_the_line_in_korean_chooses_its_particles() -> None:
    (line,) = lines("대한민국의 수도는", ("en",), "ko")
    assert "SmolLM2_M은 한국어를 배우지" in line


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("대한민국의 수도는", ("en", "ko")),
        ("대한민국의 수도는", ()),
        ("The capital", ("en",)),
        ("1 + 1 😀", ("en",)),
    ],
)
def test_nothing_is_said_where_the_model_reads_it_or_nobody_knows(
    text: str, languages: tuple[str, ...]
) -> None:
    assert lines(text, languages) == []


def test_without_a_model_that_reads_it_none_is_named() -> None:
    (line,) = lines("Москва столица", ("en",))
    assert "Models trained on it" not in line

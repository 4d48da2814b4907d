"""What the token ribbon sends to the browser, and what it keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.core.tokens import Tokenization
from playground.engine.models.tokenizing import TextTokenizer
from playground.settings import Settings
from playground.ui import components
from playground.ui.components import token_chips
from tests import tiny


def reader_of(model_id: str, settings: Settings) -> TextTokenizer:
    return TextTokenizer(model_id, settings.cache_dir / "models" / model_id.replace("/", "--"))


@pytest.fixture
def tokenize(tiny_settings: Settings) -> Any:
    return lambda text, model_id=tiny.LLAMA: reader_of(model_id, tiny_settings).tokenize(text)


@pytest.mark.parametrize("model_id", tiny.FAMILIES)
@pytest.mark.parametrize(
    "text", ["The capital", "서울은", "</script><b>", "שלום", "👨‍👩‍👧 e\u0301", "a\u202eb"]
)
def test_every_token_has_its_label_id_bytes_and_place(text: str, model_id: str, tokenize: Any) -> None:
    tokenization: Tokenization = tokenize(text, model_id)
    data = json.loads(json.dumps(token_chips.ribbon_data(tokenization)))
    n = len(tokenization)
    assert len(data["labels"]) == len(data["ids"]) == len(data["bytes"]) == len(data["spans"]) == n
    assert all(data["labels"])
    assert [bytes.fromhex(hexadecimal) for hexadecimal in data["bytes"]] == list(tokenization.token_bytes)
    assert data["ids"] == list(tokenization.input_ids)
    for start, stop, shared in data["groups"]:
        assert 0 <= start < stop - 1 < n
        assert shared


@pytest.mark.parametrize(
    ("text", "direction"), [("abc", "ltr"), ("שלום abc", "rtl"), ("123 مرحبا", "rtl"), ("12", "ltr")]
)
def test_text_is_read_in_its_direction(text: str, direction: str, tokenize: Any) -> None:
    assert token_chips.ribbon_data(tokenize(text))["dir"] == direction


@pytest.mark.parametrize(
    ("token", "selected"),
    [
        ("", None),
        ("0", 0),
        ("4", 4),
        ("5", None),
        ("-1", None),
        ("x", None),
        ("٣", None),
        ("9" * 5_000, None),
    ],
)
def test_only_a_token_of_the_sentence_can_be_selected(token: str, selected: int | None) -> None:
    def script() -> None:
        import streamlit as st

        from playground.ui.components.token_chips import selected_token

        st.text(repr(selected_token(5)))

    app = AppTest.from_function(script, default_timeout=180)
    app.session_state["token"] = token
    assert app.run().text[0].value == repr(selected)


def test_text_reaches_the_page_as_text_only() -> None:
    folder = Path(components.__file__).parent
    for script in folder.rglob("*.js"):
        code = script.read_text("utf-8")
        for door in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "http://",
            "https://",
        ):
            assert door not in code.replace("http://www.w3.org/2000/svg", ""), f"{script.name} uses {door}"

"""The catalogues: read and compiled as GNU gettext does, and a third language is a folder."""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from streamlit.testing.v1 import AppTest

from playground.paths import site_root
from playground.ui import text, translations
from tests.third_language import POLISH, polish_too

KOREAN = site_root() / "assets/locale/ko/LC_MESSAGES/playground.po"


def read(mo: bytes) -> gettext.GNUTranslations:
    return gettext.GNUTranslations(io.BytesIO(mo))


@pytest.mark.parametrize("po", [POLISH, KOREAN.read_text("utf-8")], ids=["pl", "ko"])
def test_a_catalogue_is_compiled_as_by_babel(po: str) -> None:
    catalogue, expected = read_po(io.StringIO(po)), io.BytesIO()
    write_mo(expected, catalogue)
    ours, babels = read(translations.compiled(po)), read(expected.getvalue())
    assert len(catalogue) > 2
    for message in catalogue:
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        if message.id:
            assert ours.gettext(ids[0]) == babels.gettext(ids[0])
        for n in range(120) if len(ids) == 2 else ():
            assert ours.ngettext(*ids, n) == babels.ngettext(*ids, n)
    assert ours.gettext("no longer used") == "no longer used"


def test_no_tilde_stands_between_numbers_since_markdown_strikes_out_what_two_enclose() -> None:
    assert "~" not in KOREAN.read_text("utf-8")


@pytest.fixture
def polish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with polish_too(tmp_path, monkeypatch):
        yield


@pytest.mark.usefixtures("polish")
def test_a_third_language_is_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert translations.languages() == ("en", "ko", "pl")
    assert translations.first_of("de,pl-PL;q=0.8,en") == "pl"
    monkeypatch.setattr(text, "language", lambda: "pl")
    said = [text.ngettext("{n:,} token", "{n:,} tokens", n).format(n=n) for n in (1, 2, 5, 22, 0)]
    assert said == ["1 token", "2 tokeny", "5 tokenów", "22 tokeny", "0 tokenów"]
    assert [text._("Ready"), text._("Stop"), text._("Start")] == ["Gotowy", "Stop", "Start"]
    assert text.large(3_000_000) == "3 million"
    assert text.lesson("home").title == "Dom"
    assert text.lesson("attention") == text._lesson("en", "attention"), (
        "what is not translated yet is English"
    )


@pytest.mark.usefixtures("polish")
def test_a_third_language_is_chosen_by_the_name_its_speakers_give_it() -> None:
    def script() -> None:
        import streamlit as st

        from playground.ui import frame
        from playground.ui.text import _

        frame.url_values()
        frame._language_picker()
        st.text(_("Ready"))

    app = AppTest.from_function(script, default_timeout=60)
    app.query_params["lang"] = "pl"
    app.run()
    assert not app.exception
    assert not app.warning
    picker = app.button_group(key="lang_choice")
    assert list(picker.options) == ["English", "한국어", "Polski"]
    assert app.text[0].value == "Gotowy"
    picker.set_value("ko").run()
    assert app.text[0].value == "준비됨"

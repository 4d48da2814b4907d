"""Coming soon: the page Lifecycle, its numbers computed another way."""

from __future__ import annotations

from pathlib import Path

from playground.settings import Settings
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import folder, run_code

TEXT = "The cat sat on the mat"


def test_the_code_shown_gives_the_numbers_of_the_page(
    open_app: OpenApp, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_app("lifecycle", lang="en", text=TEXT)
    assert not app.exception
    code = run_code("lifecycle", tmp_path, folder=folder(tiny_settings, tiny.LLAMA), text=TEXT)
    assert f"{len(code['ids'])} tokens" in [one.value for one in app.markdown]

"""The sampling page as its link opens it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from playground.ui import show
from tests.pages.shown import run_script

TEXT = "The cat sat on"


def scored(app: AppTest) -> dict[str, Any]:
    """What the coloured text got."""
    found = [element.proto for element in app.get("bidi_component")]
    return dict(json.loads(next(one.json for one in found if one.component_name == "playground.scored_text")))


def written(app: AppTest) -> list[list[int]]:
    return [one.token_ids for one in app.session_state["sam_many_texts"].written]


# ---------------------------------------------------------------- the code under the pictures


def run_code(name: str, tmp_path: Path, **values: object) -> tuple[dict[str, Any], str]:
    """Run what the page shows; its variables and what it printed."""
    return run_script(show.code(name, **values), tmp_path)

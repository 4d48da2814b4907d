"""What the page Retrieval shows, read back."""

from __future__ import annotations

import json
import time
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.pages.conftest import OpenApp


def open_retrieval(open_app: OpenApp, **url: str) -> AppTest:
    """The page, once its documents are in the database."""
    return settled(open_app("retrieval", **url))


def settled(app: AppTest) -> AppTest:
    """Run the page until nothing is built any more."""
    until = time.monotonic() + 120
    while "ret_build" in app.session_state:
        assert time.monotonic() < until
        time.sleep(0.1)
        app.run()
    assert not app.exception
    return app


def sent(app: AppTest, component: str) -> dict[str, Any]:
    """The data that a component of the page got."""
    found = (element.proto for element in app.get("bidi_component"))
    return dict(json.loads(next(p.json for p in found if p.component_name == f"playground.{component}")))


def words(app: AppTest) -> str:
    """All that the page says, without the signs that keep Markdown from being read."""
    said = (*app.markdown, *app.caption, *app.error, *app.warning, *app.info)
    return " ".join(one.value for one in said).replace("\\", "")

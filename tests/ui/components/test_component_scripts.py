"""Scripts of components: whole where Streamlit sends them, fetched once where a server of ours has them."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.shell import script_route
from playground.ui import components


def test_a_script_is_sent_whole_or_fetched_from_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "_served_below", [])
    monkeypatch.setattr(components, "_modules", {})
    whole = components.script("share/share")
    assert "export default" in whole
    modules = components.serve_below("/class/components")
    fetched = components.script("share/share")
    assert len(fetched) < 300
    assert list(modules.values()) == [whole]
    (address,) = modules
    assert f'"{address}"' in fetched
    client = TestClient(Starlette(routes=[script_route("/class/components", modules)]))
    answer = client.get(address)
    assert answer.text == whole
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert client.get("/class/components/other.js").status_code == 404

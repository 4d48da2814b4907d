"""The panel Retrieval measured on tiny models: its figures by brute force, its code, its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core import shipped_documents as shipped
from playground.core.metrics.intervals import wilson_interval
from playground.engine.contract.retrieval import EncodeRequest
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.ui import show
from playground.ui.retrieval.searching import SIZES
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.looked_up import open_retrieval, settled, words
from tests.pages.shown import charts, run_script


@pytest.fixture(autouse=True)
def under(tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What stands under the picture that was drawn last."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(show, "settings", lambda: tiny_settings)
    monkeypatch.setattr(show, "under_picture", lambda name, **given: found.update({name: given}))
    return found


def measured(open_app: OpenApp, **url: str) -> AppTest:
    app = open_retrieval(open_app, lang="en", ret_panel="measured", **url)
    for _run in range(10):
        if any("Best" in one.value for one in app.markdown):
            break
        app.run()
    return settled(app)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_hits_by_meaning_are_those_of_brute_force(
    open_app: OpenApp, engine: LocalEngine, language: str
) -> None:
    app = measured(open_app, ret_m_in=language)
    (table,) = charts(app)
    _key, collection_id = app.session_state["ret_built"]
    content = engine.retrieval.content(collection_id, app.session_state["owner_id"])
    own = [chunk.number for chunk in content.chunks if chunk.language == language]
    asked = [one for name in shipped.names() for one in shipped.questions(name, language) if one.answers]
    texts = tuple(one.text for one in asked)
    queries = engine.retrieval.encode(EncodeRequest(tiny.BERT, texts, are_queries=True))
    n_hits = 0
    for question, query in zip(asked, queries, strict=True):
        best = sorted(own, key=lambda number: -float(content.vectors[number] @ query))[:3]
        n_hits += any(question.held_by(content.chunks[number].text) for number in best)
    row = table[(table["group"] == "All questions") & (table["way"] == "By meaning (vectors)")].iloc[0]
    assert row["n"] == len(asked)
    assert row["value"] == pytest.approx(n_hits / len(asked))
    assert (row["low"], row["high"]) == pytest.approx(wilson_interval(n_hits, len(asked)))
    counts = table[table["way"] == "Hybrid"].set_index("group")["n"]
    assert counts["All questions"] == counts.drop("All questions").sum()


@pytest.mark.parametrize(("figure", "name"), [("hit", "hit"), ("mrr", "mrr"), ("ndcg", "ndcg")])
def test_the_code_shown_gives_the_figures_of_the_page(
    open_app: OpenApp, under: dict[str, Any], tmp_path: Path, figure: str, name: str
) -> None:
    app = measured(open_app, ret_m_figure=figure, ret_m_k="5", ret_m_asked="other")
    (table,) = charts(app)
    row = table[(table["group"] == "All questions") & (table["way"] == "By meaning (vectors)")].iloc[0]
    if figure == "hit":
        found, _printed = run_script(under["searched"]["code"](), tmp_path)
        assert found["hit"] == pytest.approx(row["value"])
        assert found["n"] == row["n"]
    assert 0 <= row["low"] <= row["value"] <= row["high"] <= 1
    assert name in under or f"{row['value']:.2f}" in words(app) or row["value"] < table["value"].max()


def test_the_figures_are_measured_once_for_all_readers(open_app: OpenApp, engine: LocalEngine) -> None:
    first = charts(measured(open_app))[0]
    before = engine.stats().n_forwards
    app = open_retrieval(open_app, lang="en", ret_panel="measured")
    assert charts(app)[0].equals(first)
    assert engine.stats().n_forwards == before


def test_sizes_are_measured_at_a_click_and_can_be_stopped(open_app: OpenApp) -> None:
    app = open_retrieval(open_app, lang="en", ret_panel="measured", ret_m_by="size")
    app.button(key="ret_search_go").click().run()
    for _run in range(2 * len(SIZES)):
        if not any(str(button.key) in ("ret_search_stop", "ret_search_go") for button in app.button):
            break
        app.run()
    (table,) = charts(app)
    assert table["group"].unique().tolist() == [f"{size:,}" for size in SIZES]
    assert (np.diff(table["n"]) == 0).all()
    best = table.loc[table["value"].idxmax()]
    assert f"Best: chunks of {best['group']} characters, {best['way']}: {best['value']:.2f}" in words(app)

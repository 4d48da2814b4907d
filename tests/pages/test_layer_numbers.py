"""Layers and heads are numbered one way on every page: 1 to n, 0 is the embedding; links count from 0."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.journey import sharpest_head
from playground.engine.contract.engine import Engine
from playground.engine.contract.traces import Capture, TraceRequest
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, drawn, unpacked

TEXT = "The cat sat on the mat and the cat sat"
NUMBERED = re.compile(r"(?:layers?|block|레이어|블록)[ *(]*(\d+)(?![\d개])|(\d+)번 레이어", re.IGNORECASE)
HEAD = re.compile(r"(?:head|헤드)[ *]*(\d+)\.(\d+)", re.IGNORECASE)


def info(engine: Engine, model: str = tiny.LLAMA) -> Any:
    return next(one for one in engine.models() if one.model_id == model)


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


def words(app: AppTest) -> list[str]:
    """What a page says above its lesson, in text and inside its components."""
    assert not app.exception
    spoken = [str(one.value) for one in (*app.markdown, *app.caption, *app.info, *app.warning)]
    spoken = [text for text in spoken if len(text) < 600]  # a lesson is longer
    for element in app.get("bidi_component"):
        proto = element.proto
        spoken += strings(json.loads(proto.json) if proto.json else unpacked(proto.bytes)[0])
    return [*spoken, *(str(one.label) for one in app.selectbox), *(str(one.label) for one in app.button)]


def layers_said(app: AppTest) -> set[int]:
    """Every number of a layer or block, and the layer of every head, that the page says."""
    found = {int(next(filter(None, groups))) for text in words(app) for groups in NUMBERED.findall(text)}
    return found | {int(layer) for text in words(app) for layer, _head in HEAD.findall(text)}


PAGES: list[tuple[str, dict[str, str]]] = [
    ("home", {}),
    *(("attention", {"att_panel": panel, "att_off": "{layer}.1"}) for panel in ("row", "off", "bertviz")),
    ("inside", {"ins_part": "mlp.{layer}"}),
]


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize(("page", "link"), PAGES)
def test_the_last_block_is_n_and_the_first_is_one(
    page: str, link: dict[str, str], language: str, open_app: OpenApp, engine: Engine
) -> None:
    n_layer = info(engine).n_layer
    for layer, own in ((0, 1), (n_layer - 1, n_layer)):
        given = {name: value.format(layer=layer) for name, value in link.items()}
        if page == "attention":
            given |= {"att_head": f"{layer}.0", "att_bv_layer": str(layer)}
        app = open_app(page, text=TEXT, lang=language, **given)
        said = layers_said(app)
        assert own in said or page == "home"
        assert said <= set(range(n_layer + 1))
        if page == "attention":
            assert said <= {own}, "only the chosen layer is named: one numbering, or a second number"


def test_home_names_the_head_that_the_attention_page_opens(open_app: OpenApp, engine: Engine) -> None:
    trace = engine.trace(TraceRequest(tiny.LLAMA, TEXT, Capture(attentions="float32")))
    row = sharpest_head(trace, [False] * len(trace.input_ids))
    assert row is not None
    name = f"{row.layer + 1}.{row.head + 1}"
    home, attention = open_app("home", text=TEXT), open_app("attention", text=TEXT)
    n_layer = info(engine).n_layer
    assert any(
        f"Layer {row.layer + 1} of {n_layer} (0 is the embedding), head {row.head + 1}," in text
        for text in words(home)
    )
    assert any(f"layer {row.layer + 1} · head {row.head + 1}" in text for text in words(home))
    assert any(f"What does head {name} look at?" in text for text in words(attention))
    assert any(
        f"Head **{name}** (layer {row.layer + 1} of {n_layer}, 0 is the embedding; head {row.head + 1} of"
        in text
        for text in words(attention)
    )


def test_links_made_before_open_the_same_head_and_layer(open_app: OpenApp, engine: Engine) -> None:
    app = open_app("attention", text=TEXT, att_head="1.2", att_off="2.0", att_panel="off")
    assert drawn(app, "head_grid")[0]["view"] == {"selected": [1, 2], "off": [[2, 0]]}
    assert any("What does head 2.3 look at?" in text for text in words(app))
    assert any("Off: 3.1" in text for text in words(app))
    app = open_app("attention", text=TEXT, att_panel="bertviz", att_bv_layer="2")
    assert app.slider(key="att_bv_block").value == 3
    assert "att_bv_layer" not in app.query_params
    app.slider(key="att_bv_block").set_value(1).run()
    assert app.slider(key="att_bv_block").value == 1


def test_the_axis_of_layers_begins_with_the_embedding(open_app: OpenApp, engine: Engine) -> None:
    n_layer = info(engine).n_layer
    for page, link in (("inside", {}), ("positions", {}), ("embeddings", {"emb_view": "context"})):
        tables = [rows for rows in charts(open_app(page, text=TEXT, **link)) if "layer" in rows]
        assert tables, page
        for rows in tables:
            assert set(rows["layer"]) <= set(range(n_layer + 1))
            assert {0, n_layer} <= set(rows["layer"]) or "model" in rows


def test_the_masks_name_the_layer_that_they_draw(open_app: OpenApp, engine: Engine) -> None:
    app = open_app("attention", text=TEXT, att_panel="masks", att_depth="100")
    rows = charts(app)[1]
    weights = engine.trace(TraceRequest(tiny.BERT, TEXT, Capture(attentions="float32"))).attentions
    assert weights is not None
    np.testing.assert_allclose(rows["weight"], weights[-1].mean(axis=0).ravel(), atol=1e-4)
    n_layer = info(engine, tiny.BERT).n_layer
    assert any(f"layer {n_layer} of {n_layer}, mean" in text for text in words(app))

"""BertViz on tiny models of four families: drawn is what the model computed, and the code gives it too."""

from __future__ import annotations

import contextlib
import io
import json
import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.charts import bertviz
from playground.core.pieces import labels
from playground.core.tables import attention as frames
from playground.core.trace import Trace
from playground.engine import process
from playground.engine.contract.traces import Capture, TraceRequest
from playground.settings import Settings
from playground.ui import show, state
from playground.ui.attention import bertviz as bertviz_view
from tests import tiny

TEXT = "The cat sat </script> 서울"
LONG = "the cat sat on the mat and the dog sat on the cat 0 1 2 3 4 5 6 7 8 9 ! ? , ."
PARTS = {
    tiny.LLAMA: ["self"],
    tiny.GPT2: ["self"],
    tiny.BERT: ["self"],
    tiny.T5: ["encoder", "decoder", "cross"],
}
CASES = [(model, part) for model, parts in PARTS.items() for part in parts]
Panel = Callable[..., AppTest]


def script(model: str, text: str) -> None:
    from playground.engine.contract.traces import Capture
    from playground.ui import compute, state
    from playground.ui.attention import bertviz as bertviz_view

    info = next(info for info in compute.models() if info.model_id == model)
    context = state.PageContext("attention", info, text, state.language(), "owner")
    ids = compute.tokenize(context).input_ids
    bertviz_view.panel(context, compute.trace(context, ids, Capture(attentions="float32"), topic="attention"))


@pytest.fixture
def panel(
    tiny_engine: process.SharedEngine, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Panel]:
    """`panel(model, text, att_bv_view="model")` draws it as a link would."""
    monkeypatch.setattr(process, "_shared", tiny_engine)
    monkeypatch.setattr(state, "settings", lambda: tiny_settings)

    def open_(model: str, text: str = TEXT, **url: str) -> AppTest:
        app = AppTest.from_function(script, kwargs={"model": model, "text": text}, default_timeout=180)
        for name, value in url.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        assert not app.error
        return app

    yield open_
    bertviz_view._drawn.clear()


def params(app: AppTest) -> dict[str, Any]:
    (frame,) = app.get("iframe")
    found = re.search(r"const params = (\{.*?\}); // HACK", frame.proto.srcdoc)
    assert found
    return dict(json.loads(found[1]))


def traced(engine: process.SharedEngine, model: str, text: str = TEXT, decoder_text: str = TEXT) -> Trace:
    request = TraceRequest(
        model, text, Capture(attentions="float32"), decoder_text=decoder_text if model == tiny.T5 else ""
    )
    return engine.get(timeout_s=180).trace(request)


def attention(trace: Trace, part: str) -> np.ndarray:
    found = {"decoder": trace.decoder_attentions, "cross": trace.cross_attentions}.get(part, trace.attentions)
    assert found is not None
    return found


@pytest.mark.parametrize("view", ["head", "model"])
@pytest.mark.parametrize(("model", "part"), CASES)
def test_what_is_drawn_is_what_the_model_computed(
    panel: Panel, tiny_engine: process.SharedEngine, model: str, part: str, view: str
) -> None:
    link = {"att_bv_part": part} if model == tiny.T5 else {}
    drawn = params(panel(model, att_bv_view=view, att_bv_layer="1", **link))
    expected = attention(traced(tiny_engine, model), part)
    n = bertviz.N_TOKENS[view]
    chosen = expected[[1]] if view == "head" else expected
    one = drawn["attention"][0]
    np.testing.assert_allclose(one["attn"], chosen[:, :, :n, :n], atol=5.1e-5, rtol=0)
    assert drawn["include_layers"] == ([1] if view == "head" else list(range(len(expected))))
    read = labels(tiny_engine.get(timeout_s=180).tokenizers.tokenize(model, TEXT, add_special_tokens=True))
    if part != "decoder":
        assert one["right_text"] == [bertviz._fit(label, 112, 13) for label in read[:n]]


def test_the_decoder_reads_what_the_reader_writes(panel: Panel, tiny_engine: process.SharedEngine) -> None:
    drawn = params(panel(tiny.T5, att_bv_decoder="a dog", att_bv_part="decoder"))
    expected = traced(tiny_engine, tiny.T5, decoder_text="a dog").decoder_attentions
    assert expected is not None
    np.testing.assert_allclose(drawn["attention"][0]["attn"], expected[:1], atol=5.1e-5, rtol=0)


def test_a_longer_text_is_drawn_to_the_cap_and_said(panel: Panel, tiny_engine: process.SharedEngine) -> None:
    n = len(tiny_engine.get(timeout_s=180).tokenizers.tokenize(tiny.GPT2, LONG, add_special_tokens=True))
    assert n > bertviz.N_TOKENS["model"]
    app = panel(tiny.GPT2, LONG, att_bv_view="model")
    assert len(params(app)["attention"][0]["left_text"]) == bertviz.N_TOKENS["model"]
    assert any(f"first {bertviz.N_TOKENS['model']} of {n} tokens" in line.value for line in app.caption)
    assert not any("first" in line.value for line in panel(tiny.GPT2, LONG).caption)


def test_a_layer_of_the_link_that_this_model_has_not(panel: Panel) -> None:
    assert params(panel(tiny.GPT2, att_bv_layer="29"))["include_layers"] in ([0], [1])
    assert params(panel(tiny.GPT2, att_bv_layer="x"))["include_layers"] == [0]
    assert params(panel(tiny.GPT2, att_bv_view="model", att_bv_layers="6-11"))["include_layers"] == [0, 1]


def test_layers_come_six_at_a_time() -> None:
    lines = (
        "import streamlit as st",
        "from playground.ui.attention import bertviz",
        "st.text(bertviz._window(14))",
    )
    window = "\n".join(lines)
    app = AppTest.from_string(window).run()
    assert app.text[0].value == "[0, 1, 2, 3, 4, 5]"
    app.query_params["att_bv_layers"] = "12-13"
    assert app.run().text[0].value in ("[12, 13]", "[0, 1, 2, 3, 4, 5]")
    linked = AppTest.from_string(window)
    linked.query_params["att_bv_layers"] = "12-13"
    assert linked.run().text[0].value == "[12, 13]"


def test_the_same_view_is_the_same_bytes(panel: Panel) -> None:
    first = panel(tiny.LLAMA).get("iframe")[0].proto.srcdoc
    bertviz_view._drawn.clear()
    assert panel(tiny.LLAMA).get("iframe")[0].proto.srcdoc == first


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("view", ["head", "model"])
@pytest.mark.parametrize(("model", "part"), CASES)
def test_the_code_gives_the_numbers_shown(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tiny_engine: process.SharedEngine,
    tiny_settings: Settings,
    model: str,
    part: str,
    view: str,
) -> None:
    trace = traced(tiny_engine, model)
    weights = attention(trace, part)[:, :, :20, :20]
    queries, keys = (tuple(f"<{place}>" for place in range(n)) for n in weights.shape[2:])
    written = trace.decoder_input_ids
    code = show.code(
        "bertviz_view",
        folder=str(tiny_settings.cache_dir / "models" / model.replace("/", "--")),
        input_ids=trace.input_ids.tolist(),
        decoder_ids=[] if written is None else written.tolist(),
        part=part,
        view=view,
        layers=[1],
        queries=list(queries),
        keys=list(keys),
    )
    (tmp_path / "code.py").write_text(code, "utf-8")
    monkeypatch.chdir(tmp_path)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        found = runpy.run_path("code.py")
    table = frames.weights(weights, [1], queries, keys)
    np.testing.assert_allclose(found["shown"][1].numpy().ravel(), table["weight"], atol=1.01e-4)
    assert "<0>" not in (tmp_path / "bertviz.html").read_text("utf-8")

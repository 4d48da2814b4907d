"""One row in numbers, and two masks, on tiny models: what the browser gets, and the code shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.attention import row_weights
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.process import SharedEngine
from playground.settings import Settings
from tests import tiny
from tests.pages import shown
from tests.pages.conftest import OpenApp
from tests.pages.shown import folder, run_code

TEXT = "The cat sat on the mat and the dog"
LONG = "the cat sat on the mat " * 15
SINGLE_STACK = (tiny.LLAMA, tiny.GPT2, tiny.BERT)
Window = tuple[int, int] | None


def row_page(
    model: str,
    text: str,
    layer: int,
    head: int,
    query: int,
    window: tuple[int, int] | None,
    seen_whole: int,
) -> None:
    from dataclasses import replace

    import streamlit as st

    from playground.engine.contract.traces import Capture
    from playground.engine.process import shared_engine
    from playground.ui import compute
    from playground.ui.attention.row import row
    from playground.ui.attention.view import View
    from playground.ui.state import PageContext

    st.session_state["token"] = str(query)
    info = next(info for info in shared_engine().models() if info.model_id == model)
    info = replace(info, seen_whole=seen_whole)
    context = PageContext("attention", info, text, "en", "owner")
    tokens = compute.tokenize(context)
    capture = Capture(attentions="float32", query_key=info.gives_keys(len(tokens)), window=window)
    trace = compute.trace(context, tokens.input_ids, capture)
    start, stop = window or (0, len(tokens))
    row(View(context, tokens, trace, start, stop, layer, head, frozenset()))


def masks_page(model: str, text: str) -> None:
    from playground.engine.process import shared_engine
    from playground.ui.attention.masks import two_masks
    from playground.ui.state import PageContext

    info = next(info for info in shared_engine().models() if info.model_id == model)
    two_masks(PageContext("attention", info, text, "en", "owner"))


def draw_row(
    model: str,
    *,
    text: str = TEXT,
    layer: int = 1,
    head: int = 2,
    query: int = 4,
    window: Window = None,
    seen_whole: int = 0,
) -> AppTest:
    arguments = {"text": text, "layer": layer, "head": head, "query": query, "window": window}
    arguments["seen_whole"] = seen_whole
    app = AppTest.from_function(row_page, kwargs={"model": model, **arguments}, default_timeout=180)
    return app.run()


def draw_masks(model: str, text: str = TEXT, **state: Any) -> AppTest:
    app = AppTest.from_function(masks_page, kwargs={"model": model, "text": text}, default_timeout=180)
    for name, value in state.items():
        app.session_state[name] = value
    return app.run()


def drawn(app: AppTest) -> tuple[dict[str, Any], np.ndarray]:
    """JSON head and numbers of what the picture got."""
    head, numbers = shown.drawn(app, "row_arithmetic")
    return head, np.frombuffer(numbers, "<f4").reshape(-1, head["facts"]["d_head"])


def traced(engine: SharedEngine, model: str, text: str = TEXT, window: Window = None) -> Any:
    return engine.get(timeout_s=180).trace(
        TraceRequest(model, text, Capture(attentions="float32", query_key=True, window=window))
    )


# ---------------------------------------------------------------- one row


@pytest.mark.parametrize("model", SINGLE_STACK)
@pytest.mark.parametrize("head", [0, 3])
def test_what_the_browser_gets_gives_the_weights_of_the_model(
    model: str, head: int, open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    facts, numbers = drawn(draw_row(model, head=head))
    facts = facts["facts"]
    expected = traced(tiny_engine, model).attentions[1, head, 4]
    assert facts["rest"] == []
    assert facts["allowed"] == [bool(weight > 0) for weight in expected]
    scores = numbers[1:].astype(float) @ numbers[0].astype(float)
    root = np.sqrt(facts["d_head"])
    found = row_weights(scores, np.array(facts["allowed"]), root)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("model", SINGLE_STACK)
def test_the_overlaps_give_the_length_of_what_the_head_writes(
    model: str, open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    head = 1
    facts, numbers = drawn(draw_row(model, head=head))
    facts = facts["facts"]
    scores = numbers[1:].astype(float) @ numbers[0].astype(float)
    weights = row_weights(scores, np.array(facts["allowed"]), np.sqrt(facts["d_head"]))
    engine = tiny_engine.get(timeout_s=180)
    info = next(info for info in engine.models() if info.model_id == model)
    values = traced(tiny_engine, model).values[1, head // (info.n_head // info.n_kv_head)]
    length = np.linalg.norm(weights @ values @ engine.inside.head_output(model, 1, head))
    assert np.sqrt(weights @ np.array(facts["overlaps"]) @ weights) == pytest.approx(length, rel=1e-5)


def test_a_window_draws_its_keys_and_keeps_the_weight_of_the_others(
    open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    query, window = 60, (20, 80)
    head, numbers = drawn(draw_row(tiny.LLAMA, text=LONG, query=query, window=window))
    facts = head["facts"]
    assert len(numbers) - 1 == len(facts["allowed"]) == len(head["controls"][1]["options"]) == 60
    assert head["controls"][1]["options"][0].startswith("20: ")
    assert len(facts["rest"]) == 20, "keys 0 to 19; what comes after the query has no weight"
    scores = np.concatenate([numbers[1:].astype(float) @ numbers[0].astype(float), facts["rest"]])
    allowed = np.array(facts["allowed"] + [True] * 20)
    found = row_weights(scores, allowed, np.sqrt(facts["d_head"]))
    expected = traced(tiny_engine, tiny.LLAMA, LONG, window).attentions[1, 2, query - 20]
    np.testing.assert_allclose(found[:60], expected, atol=1e-5)
    assert found.sum() == pytest.approx(1)


def test_a_model_without_queries_says_so(open_app: OpenApp) -> None:
    app = draw_row(tiny.T5)
    assert not app.exception
    assert len(app.info) == 1
    assert "queries and keys" in app.info[0].value


def test_a_text_longer_than_a_layer_sees_is_not_worked_out(open_app: OpenApp) -> None:
    """The weights of a stretch do not follow from all keys."""
    app = draw_row(tiny.BERT, seen_whole=3)
    assert not app.exception
    assert "Past token 3" in app.info[0].value
    assert not app.get("bidi_component")
    assert not draw_row(tiny.BERT, seen_whole=99).info


def test_same_settings_send_the_same_bytes_again(open_app: OpenApp) -> None:
    app = draw_row(tiny.LLAMA)
    drawn(app)
    first = [element.proto.bytes for element in app.get("bidi_component")]
    assert first == [element.proto.bytes for element in app.run().get("bidi_component")]


@pytest.mark.parametrize("model", SINGLE_STACK)
@pytest.mark.parametrize(("layer", "head", "query"), [(0, 0, 0), (1, 3, 5)])
def test_row_code_gives_the_numbers_shown(
    model: str, layer: int, head: int, query: int, tmp_path: Path,
    open_app: OpenApp, tiny_engine: SharedEngine, tiny_settings: Settings,
) -> None:  # fmt: skip
    trace = traced(tiny_engine, model)
    where = {"layer": layer, "head": head, "query": query}
    given = {"folder": folder(tiny_settings, model), "input_ids": trace.input_ids.tolist()}
    found = run_code("attention_row", tmp_path, **given, **where, divisor=2.0)
    sent, numbers = drawn(draw_row(model, layer=layer, head=head, query=query))
    facts, q = sent["facts"], numbers[0].astype(float)
    np.testing.assert_allclose(found["products"], numbers[1:].astype(float) * q, atol=1e-4)
    np.testing.assert_allclose(found["weights"], trace.attentions[layer, head, query], atol=1e-5)
    allowed = np.array(facts["allowed"])
    np.testing.assert_allclose(
        found["divided"], row_weights(numbers[1:].astype(float) @ q, allowed, 2.0), atol=1e-4
    )
    lengths = np.sqrt(np.diag(facts["overlaps"])) * found["weights"].numpy()
    np.testing.assert_allclose(found["written"].norm(dim=-1), lengths, atol=1e-4)


# ---------------------------------------------------------------- two masks


@pytest.mark.parametrize("model", tiny.FAMILIES)
@pytest.mark.parametrize("depth", [0, 100])
def test_a_decoder_takes_nothing_from_later_words_and_an_encoder_does(
    model: str, depth: int, open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    app = draw_masks(model, att_depth=depth)
    assert not app.exception
    told = next(box.value for box in app.markdown if box.value.startswith("In the encoder"))
    encoder, decoder = (int(share) for share in re.findall(r"(\d+) %", told))
    tokens = tiny_engine.get(timeout_s=180).tokenizers.tokenize(tiny.BERT, TEXT, add_special_tokens=True)
    layer = 0 if depth == 0 else -1
    weights = traced(tiny_engine, tiny.BERT).attentions[layer].mean(0)
    later = [
        sum(weights[q, k] for k in range(q + 1, len(weights)) if not tokens.special[k])
        for q in range(len(weights))
        if not tokens.special[q]
    ]
    assert encoder == round(100 * max(later))
    assert decoder == 0


def test_the_selected_word_is_told_of_in_both_models(open_app: OpenApp) -> None:
    app = draw_masks(tiny.LLAMA, token="4")  # ·the, or a piece of it
    told = next(box.value for box in app.markdown if box.value.startswith("In the encoder"))
    words = re.findall(r"`([^`]+)`", told)
    assert len(words) == 2
    assert words[1].strip("·") in words[0] or words[0] in words[1]


def test_a_long_text_is_cut_and_says_so(open_app: OpenApp) -> None:
    app = draw_masks(tiny.LLAMA, LONG)
    assert not app.exception
    assert any("first 64 tokens" in caption.value for caption in app.caption)


def test_one_word_is_drawn_too(open_app: OpenApp) -> None:
    assert not draw_masks(tiny.LLAMA, "a").exception


@pytest.mark.parametrize("model", SINGLE_STACK)
def test_mean_code_gives_the_map_shown(
    model: str, tmp_path: Path, tiny_engine: SharedEngine, tiny_settings: Settings
) -> None:
    trace = traced(tiny_engine, model)
    given = {"folder": folder(tiny_settings, model), "input_ids": trace.input_ids.tolist()}
    found = run_code("mean_attention", tmp_path, **given, layer=1)
    np.testing.assert_allclose(found["weights"], trace.attentions[1].mean(0), atol=1e-5)

"""The panel Quantize: the grid by hand, the copy's answers as plain code gives them, shared and refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.measured_quantization import shipped
from playground.core.quantization import Scheme, quantize, relative_error
from playground.engine.contract.quantization import QuantizedModel
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.ui.memory.quantize_drawn import Found
from playground.ui.memory.quantize_shipped import code_values
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, folder, run_code

TEXT = "The cat sat on the mat"


def opened(open_app: OpenApp, model: str = tiny.LLAMA, **url: str) -> AppTest:
    app = open_app("memory", lang="en", text=TEXT, model=model, mem_panel="quantize", **url)
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    boxes = (*app.markdown, *app.caption, *app.info, *app.error, *app.warning)
    return " ".join(one.value for one in boxes).replace("\\", "")


def measured(open_app: OpenApp, model: str = tiny.LLAMA, **url: str) -> tuple[AppTest, Found]:
    app = opened(open_app, model, **url)
    app.button(key="mem_q_run").click().run()
    assert not app.exception
    errors = [one.value for one in app.error]
    assert errors == []
    return app, app.session_state["mem_q_found"]


@pytest.mark.parametrize("per", ["tensor", "channel", "group"])
def test_the_histogram_and_the_grid_are_those_of_the_matrix(
    open_app: OpenApp, engine: LocalEngine, per: str
) -> None:
    app = opened(open_app, mem_q_per="" if per == "tensor" else per, mem_q_bits="3", mem_q_row="2")
    frame = charts(app)[0]
    matrix = engine.quantization.matrices(tiny.LLAMA)[0]
    weights = engine.quantization.weights(tiny.LLAMA, matrix.name).weights
    bars = frame[frame["part"] == "all"]
    assert bars["n"].sum() == weights.size
    assert bars["share"].sum() == pytest.approx(1)
    inside = (weights >= bars["low"].iloc[40]) & (weights <= bars["high"].iloc[40])
    assert bars["n"].iloc[40] == pytest.approx(inside.sum(), abs=1)
    these = {"tensor": weights, "channel": weights[1], "group": weights[1, :64]}[per]
    assert frame[frame["part"] == "these"]["n"].sum() == these.size
    step = np.abs(these).max() / 3.5
    grid = frame[frame["part"] == "grid"]["value"]
    np.testing.assert_allclose(grid, np.arange(-4, 4) * step, rtol=1e-5)
    scheme = Scheme(3, per)  # type: ignore[arg-type]
    error = relative_error(weights, quantize(weights, scheme).weights())
    assert f"{100 * error:.1f}" in said(app)
    assert "cut into 7 or into 255, a factor of 36.4" in said(app)  # 255 / 7


def test_from_4_to_8_bits_the_step_is_17_fold(open_app: OpenApp) -> None:
    assert "cut into 15 or into 255, a factor of 17." in said(opened(open_app))
    assert "a factor of 17." in said(opened(open_app, mem_q_bits="8"))


def test_the_code_under_the_grid_gives_its_numbers(
    open_app: OpenApp, engine: LocalEngine, tiny_settings: Settings, tmp_path: Path
) -> None:
    for model in tiny.FAMILIES:
        app = opened(open_app, model)
        weights = None
        frame = charts(app)[0]
        grid = frame[frame["part"] == "grid"]["value"].to_numpy()
        matrix = engine.quantization.matrices(model)[0].name
        for extra in ({}, {"granularity": "group", "group": 32, "is_symmetric": False, "outliers": 0.01}):
            found = run_code(
                "memory_grid",
                tmp_path,
                folder=folder(tiny_settings, model),
                matrix=matrix,
                n_rows=10**6,
                **extra,
            )
            weights = np.ascontiguousarray(found["weights"])
            scheme = Scheme(4, found["granularity"], found["group"], found["is_symmetric"], found["outliers"])
            made = quantize(weights, scheme)
            assert found["error"] == pytest.approx(relative_error(weights, made.weights()), rel=1e-5)
            assert found["n_bits"] == made.n_bits
            if not extra:
                assert found["step"] == pytest.approx(grid[1] - grid[0], rel=1e-5)


def test_the_copy_is_measured_as_plain_code_does(
    open_app: OpenApp, tiny_settings: Settings, tmp_path: Path
) -> None:
    app, found = measured(open_app, mem_q_per="channel", mem_q_zero="true", mem_q_bits="3")
    values = code_values(tiny.LLAMA, TEXT, found.request.passage, found.request.scheme)
    told = run_code(
        "memory_quantized", tmp_path,
        **{**values, "folder": folder(tiny_settings, tiny.LLAMA), "most_tokens": found.n_tokens},
    )  # fmt: skip
    assert found.perplexities is not None
    assert found.perplexities == pytest.approx(
        (told["perplexity_before"], told["perplexity_after"]), rel=1e-4
    )
    assert found.kl_bits == pytest.approx(told["kl_bits"], rel=1e-3, abs=1e-6)
    assert found.tokens is not None
    before, after = (found.tokens[found.tokens["time"] == time]["p"] for time in ("before", "after"))
    assert before.iloc[0] == pytest.approx(told["p_before"], rel=1e-4)
    assert after.iloc[0] == pytest.approx(told["p_after"], rel=1e-4)
    tables = charts(app)
    assert any("time" in one for one in tables)
    assert any("what" in one for one in tables)


@pytest.mark.parametrize("model", [tiny.BERT, tiny.T5])
def test_models_without_a_perplexity_say_so_and_tell_how_far_states_move(
    open_app: OpenApp, tiny_settings: Settings, tmp_path: Path, model: str
) -> None:
    assert "there is no perplexity" in said(opened(open_app, model)) or "it has no perplexity" in said(
        opened(open_app, model)
    )
    _app, found = measured(open_app, model, mem_q_per="channel")
    assert found.perplexities is None
    assert (found.tokens is None) == (model == tiny.BERT)
    values = code_values(model, TEXT, "", found.request.scheme)
    del values["passage"]
    told = run_code(
        "memory_moved", tmp_path,
        **{**values, "folder": folder(tiny_settings, model), "is_source": model == tiny.T5},
    )  # fmt: skip
    states = found.layers[found.layers["what"] == "states"]["error"]
    np.testing.assert_allclose(states, told["moved"].numpy(), rtol=1e-3, atol=1e-6)


def test_a_result_stays_when_settings_change_and_says_what_it_was_made_with(open_app: OpenApp) -> None:
    app, found = measured(open_app, mem_q_per="channel")
    app.select_slider(key="mem_q_bits").set_value(2).run()
    assert not app.exception
    assert "Made with other settings" in said(app)
    assert "bits 4" in said(app)
    assert app.session_state["mem_q_found"] is found
    app.button(key="mem_q_run").click().run()
    assert app.session_state["mem_q_found"].error > found.error
    assert "Made with other settings" not in said(app)


def test_another_reader_gets_the_same_numbers_from_the_cache(open_app: OpenApp, engine: LocalEngine) -> None:
    _app, first = measured(open_app, mem_q_per="group", mem_q_bits="2")
    before = engine.stats().n_forwards
    _app, again = measured(open_app, mem_q_per="group", mem_q_bits="2")
    assert engine.stats().n_forwards == before
    assert again.cached
    assert (again.perplexities, again.kl_bits) == (first.perplexities, first.kl_bits)
    pd.testing.assert_frame_equal(again.tokens, first.tokens)


def test_the_page_shows_what_the_engine_gives(open_app: OpenApp, engine: LocalEngine) -> None:
    _app, found = measured(open_app, mem_q_per="group", mem_q_outliers="true", mem_q_whole="true")
    assert found.request.whole
    [*_rest, told] = engine.quantization.quantize(found.request)
    assert isinstance(told, QuantizedModel)
    assert (found.bytes_before, found.bytes_after) == (told.bytes_before, told.bytes_after)
    assert found.bits_a_weight == pytest.approx(told.bits_a_weight)
    assert found.n_weights == sum(one.shape[0] * one.shape[1] for one in (m.matrix for m in told.matrices))


BAD: list[tuple[str, str]] = [
    ("", "There is no text yet"),
    ("a", "at least two tokens"),
]


@pytest.mark.parametrize(("text", "told"), BAD)
def test_a_text_that_is_too_short_is_refused_in_one_sentence(open_app: OpenApp, text: str, told: str) -> None:
    app = opened(open_app, mem_q_text="mine")
    app.text_area(key="mem_q_passage").set_value(text).run()
    if text:
        app.button(key="mem_q_run").click().run()
    assert not app.exception
    assert told in said(app)


@pytest.mark.parametrize("text", ["aaaaaaaaaaaaaaaaaaaa", "👨‍👩‍👧‍👦" * 300, "the cat " * 900])
def test_odd_texts_are_measured(open_app: OpenApp, text: str) -> None:
    app = opened(open_app, mem_q_text="mine")
    app.text_area(key="mem_q_passage").set_value(text[:8_000]).run()
    app.button(key="mem_q_run").click().run()
    assert not app.exception
    found: Any = app.session_state["mem_q_found"]
    assert found.perplexities is not None
    assert all(np.isfinite(found.perplexities))


def test_without_a_sentence_the_grid_and_the_table_are_there(open_app: OpenApp) -> None:
    app = open_app("memory", lang="en", text="", model=tiny.LLAMA, mem_panel="quantize")
    assert not app.exception
    assert len(charts(app)) == 2


def test_the_shipped_picture_shows_the_rows_with_the_same_zero_point_and_outliers(open_app: OpenApp) -> None:
    app = opened(open_app, mem_q_zero="true", mem_q_outliers="true")
    frame = charts(app)[1]
    model = shipped()
    assert len(frame) == 12
    for row in frame.to_dict("records"):
        scheme = Scheme(row["bits"], row["granularity"], 64, False, row["outliers"])
        own = model.of(scheme)
        assert own is not None
        assert (row["perplexity"], row["p_next"]) == (own.perplexity, own.p_next)
    assert frame["chosen"].sum() == 1


def test_our_text_is_in_a_language_that_the_model_reads(open_app: OpenApp) -> None:
    _app, found = measured(open_app)
    assert found.request.passage.startswith("A bicycle")

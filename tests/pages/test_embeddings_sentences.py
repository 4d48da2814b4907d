"""The embeddings page: a word in contexts, sentences and their map."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from playground.engine.contract.models import ModelInfo
from playground.engine.local.engine import LocalEngine
from playground.engine.process import SharedEngine
from playground.settings import DEFAULT_ENCODER, Settings
from playground.ui import compute, state
from playground.ui.embeddings import sentences, upload
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.embedded import HOSTILE, OWN, chart_data, messages, open_map, sent_to_map
from tests.pages.shown import folder, run_code
from tests.pages.shown import upload as upload_file


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2, tiny.BERT])
def test_layer_slider_computes_no_forward(model: str, open_app: OpenApp, tiny_engine: SharedEngine) -> None:
    app = open_app("embeddings", model=model, emb_reader=model, **OWN)
    assert not app.exception
    engine = tiny_engine.get(timeout_s=180)
    before = engine.stats().n_forwards
    slider = app.slider[0]
    drawn = []
    for layer in range(int(slider.max) + 1):
        app.slider[0].set_value(layer).run()
        drawn.append(chart_data(app, 0)[["x", "y"]].to_numpy())
    assert engine.stats().n_forwards == before
    assert len({array.tobytes() for array in drawn}) > 1


def test_contexts_without_the_word_or_too_many_are_said(open_app: OpenApp) -> None:
    url = OWN | {"model": tiny.BERT, "emb_reader": tiny.BERT}
    app = open_app("embeddings", **(url | {"emb_ctx_text": "the dog\nthe cat\n\na cat"}))
    assert not app.exception
    assert "Sentence 1 does not contain" in messages(app)
    app = open_app("embeddings", **(url | {"emb_ctx_text": "\n".join(["a cat"] * 40)}))
    assert not app.exception
    assert "first 24" in messages(app)
    app = open_app("embeddings", **(url | {"emb_ctx_word": "<b>", "emb_ctx_text": "x\ny"}))
    assert not app.exception
    assert not app.get("vega_lite_chart")


# ---------------------------------------------------------------- sentences


def uploaded(app: AppTest, name: str, data: bytes) -> AppTest:
    return upload_file(app, "emb_upload", name, data)


def test_a_csv_with_three_columns_and_no_header_asks_and_the_sample_stays_until_it_is_used(
    open_app: OpenApp,
) -> None:
    app = open_map(open_app)
    data = "1,나는 간다,x\n2,너는 온다,y\n".encode("cp949")
    upload_file(app, "emb_upload", "a.csv", data, use=False)
    assert "choose what each part is" in app.info[0].value
    assert app.button(key="emb_upload_use").disabled
    assert len(sent_to_map(app)["points"]) == 36
    (column,) = [one for one in app.selectbox if "_column_" in (one.key or "")]
    column.set_value(1).run()
    assert len(sent_to_map(app)["points"]) == 36
    (header,) = [one for one in app.checkbox if "_header_" in (one.key or "")]
    header.set_value(False).run()
    (column,) = [one for one in app.selectbox if "_column_" in (one.key or "")]
    column.set_value(1).run()
    app.button(key="emb_upload_use").click().run()
    assert sent_to_map(app)["labels"] == ["나는 간다", "너는 온다"]


@pytest.mark.parametrize("method", ["pca", "tsne"])
@pytest.mark.parametrize("dims", ["2", "3"])
def test_five_hundred_identical_sentences(
    method: str, dims: str, open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    engine = tiny_engine.get(timeout_s=180)
    app = open_map(open_app, emb_method=method, emb_dims=dims)
    before = engine.stats().n_forwards
    line = f"the cat sat {method} {dims}\n"
    uploaded(app, "a.txt", (line * 500).encode())
    assert engine.stats().n_forwards == before + 1
    sent = sent_to_map(app)
    assert sent["points"] == [[0.0] * int(dims)] * 500
    app.session_state["emb_map"] = {"selected": 499}
    app.run()
    assert not app.exception
    assert len(sent_to_map(app)["near"]) == sentences.N_HITS


def test_a_cp949_file_with_a_column_is_read(open_app: OpenApp) -> None:
    data = "no,prompt\n1,서울은 한국의 수도\n2,<b>굵게</b>\n3,the cat\n".encode("cp949")
    app = uploaded(open_map(open_app), "a.csv", data)
    assert sent_to_map(app)["labels"] == ["서울은 한국의 수도", "<b>굵게</b>", "the cat"]


def test_rows_too_long_are_left_out_and_said(open_app: OpenApp) -> None:
    data = ("the cat\n" + "a" * (upload.MAX_CHARS + 1) + "\nthe mat\n" + "x,.! " * 55 + "\n").encode()
    app = upload_file(open_map(open_app), "emb_upload", "a.txt", data, use=False)
    assert "Row 2" in messages(app)
    app.button(key="emb_upload_use").click().run()
    assert sent_to_map(app)["labels"] == ["the cat", "the mat"]
    assert "1 sentence is left out" in messages(app)


def test_of_a_long_sentence_the_beginning_is_read_and_that_is_said(
    open_app: OpenApp, tiny_engine: SharedEngine, tiny_settings: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    chosen = sentences._encoder

    def short_of_breath(*arguments: Any) -> ModelInfo:
        model = chosen(*arguments)
        assert model is not None
        return replace(model, max_seq_length=12)

    monkeypatch.setattr(sentences, "_encoder", short_of_breath)
    long = "the cat sat on the mat and the dog sat on the cat"
    cut = tiny_engine.get(timeout_s=180).tokenizers.tokenize(
        tiny.BERT, "the cat sat on the mat", add_special_tokens=True
    )
    assert (
        len(cut)
        < 12
        < len(tiny_engine.get(timeout_s=180).tokenizers.tokenize(tiny.BERT, long, add_special_tokens=True))
    )
    lines = [long, "the cat sat on the mat", f"{long} a mat", "the mat"]
    app = uploaded(open_map(open_app, emb_query="the dog"), "a.txt", "\n".join(lines).encode())
    assert "2 sentences are longer than 12 tokens" in messages(app)
    points = np.array(sent_to_map(app)["points"])
    own = run_code(
        "embeddings_sentences", tmp_path, folder=folder(tiny_settings, tiny.BERT), sentences=lines,
        method="pca", n_dims=2, seed=0, query="the dog", max_tokens=12,
    )  # fmt: skip
    expected = own["points"] - own["points"].mean(axis=0)
    np.testing.assert_allclose(points, expected / np.linalg.norm(expected, axis=1).max(), atol=1e-3)
    np.testing.assert_allclose(points[0], points[2], atol=1e-5)
    app = uploaded(open_map(open_app, lang="ko"), "a.txt", "\n".join(lines[:2]).encode())
    assert "문장 1개가 토큰 12개보다 깁니다" in messages(app)


def test_the_sample_comes_back_after_a_file(open_app: OpenApp) -> None:
    app = uploaded(open_map(open_app), "a.txt", b"the cat\nthe mat\n")
    app.button_group(key="emb_view_choice").set_value("training").run()
    app.button_group(key="emb_view_choice").set_value("sentences").run()
    assert sent_to_map(app)["labels"] == ["the cat", "the mat"]
    app.button(key="emb_file_drop").click().run()
    assert len(sent_to_map(app)["points"]) == 36
    assert not app.success
    uploaded(app, "b.txt", b"a mat\na cat\n")
    assert sent_to_map(app)["labels"] == ["a mat", "a cat"]


def test_what_was_read_before_stop_is_drawn_until_the_reader_goes_on(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = compute.traces

    def slow(*args: Any, **kwargs: Any) -> Any:
        for n, one in enumerate(read(*args, **kwargs)):
            if n == 20:
                st.stop()  # as when the reader presses Stop: the run ends here
            yield one

    app = open_map(open_app)
    monkeypatch.setattr(compute, "traces", slow)
    texts = [f"the cat {n}" for n in range(50)]
    uploaded(app, "a.txt", "\n".join(texts).encode())
    app.button(key="emb_stop").click().run()
    assert len(sent_to_map(app)["points"]) == 20
    assert "20 of 50" in messages(app)
    app.session_state["emb_map"] = {"selected": 1}
    app.run()
    assert len(sent_to_map(app)["points"]) == 20, "a click reads nothing"
    monkeypatch.setattr(compute, "traces", read)
    app.button(key="emb_go_on").click().run()
    assert sent_to_map(app)["labels"] == texts
    assert "Stopped" not in messages(app)


def test_the_default_encoder_of_the_settings_reads_the_sentences(
    open_app: OpenApp, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tiny_settings.model_copy(update={"default_encoder": tiny.BERT})
    monkeypatch.setattr(state, "settings", lambda: theirs)
    app = open_app("embeddings", model=tiny.LLAMA, emb_view="sentences")
    assert any(tiny.BERT in caption.value.replace("\\", "") for caption in app.caption)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"\x00\x01\x02"])
def test_a_file_without_sentences_is_a_sentence_and_the_sample_stays(data: bytes, open_app: OpenApp) -> None:
    app = upload_file(open_map(open_app), "emb_upload", "a.txt", data, use=False)
    assert len(app.error) == 1
    assert len(sent_to_map(app)["points"]) == 36


def test_one_sentence_is_a_map_too(open_app: OpenApp) -> None:
    app = uploaded(open_map(open_app), "a.txt", b"one line only")
    assert sent_to_map(app)["points"] == [[0.0, 0.0]]


@pytest.mark.parametrize(
    "state_", [{"selected": -1}, {"selected": 10**9}, {"selected": "x"}, {"selected": True}]
)
def test_a_forged_click_selects_nothing(state_: dict[str, Any], open_app: OpenApp) -> None:
    app = open_map(open_app)
    app.session_state["emb_map"] = state_
    app.run()
    assert not app.exception
    assert sent_to_map(app)["selected"] is None


@pytest.mark.parametrize("query", ["pets that hunt", *HOSTILE])
def test_search_of_anything(query: str, open_app: OpenApp) -> None:
    app = open_map(open_app, emb_query=query)
    assert len(sent_to_map(app)["near"]) == (sentences.N_HITS if query.strip() else 0)


def test_a_click_or_another_seed_reads_nothing_again(open_app: OpenApp, tiny_engine: SharedEngine) -> None:
    app = open_map(open_app)
    engine = tiny_engine.get(timeout_s=180)
    before = engine.stats().n_forwards
    app.session_state["emb_map"] = {"selected": 2}
    app.run()
    app.button_group(key="emb_method_choice").set_value("tsne").run()
    app.number_input(key="emb_map_seed").set_value(3).run()
    assert engine.stats().n_forwards == before
    assert sent_to_map(app)["selected"] == 2


@pytest.mark.real
def test_a_decoder_leaves_the_sentences_to_minilm(
    open_app: OpenApp, tiny_settings: Settings, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine._table.load(DEFAULT_ENCODER).result(timeout=180)
    with_minilm = tiny_settings.model_copy(update={"default_encoder": DEFAULT_ENCODER})
    monkeypatch.setattr(state, "settings", lambda: with_minilm)
    app = open_app("embeddings", emb_view="sentences", emb_query="pets that hunt mice")
    assert not app.exception
    assert any(DEFAULT_ENCODER in caption.value.replace("\\", "") for caption in app.caption)
    sent = sent_to_map(app)
    animals = [i for i, name in enumerate(sent["groups"]) if sent["names"][name] == "animals"]
    assert len(set(sent["near"]) & set(animals)) >= 3

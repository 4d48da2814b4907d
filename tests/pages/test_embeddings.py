"""The embeddings page on tiny models: its numbers against the engine's and against its own code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from playground.core import embeddings as core
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.process import SharedEngine
from playground.settings import DEFAULT_ENCODER, Settings
from playground.ui import compute, state
from playground.ui.embeddings import sentences, upload
from playground.ui.translations import languages
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import folder, run_code
from tests.pages.shown import upload as upload_file

VIEWS = ("neighbours", "analogy", "training", "context", "sentences")
TEXT = "The cat sat on the mat"
HOSTILE = [
    "</script><script>alert(1)</script>",
    "![](http://x)",
    "$E=mc^2$",
    ":red[x]",
    "\u202eabc",
    "👨‍👩‍👧‍👦",
    "  ",
]


def messages(app: AppTest) -> str:
    return " ".join(box.value for box in (*app.error, *app.warning, *app.info)).replace("\\", "")


def chart_data(app: AppTest, at: int = 0) -> pd.DataFrame:
    """The rows of a chart."""
    proto = app.get("vega_lite_chart")[at].proto
    data = proto.datasets[0].data.data if proto.datasets else proto.data.data
    frame: pd.DataFrame = pa.ipc.open_stream(data).read_pandas()
    return frame


def sent_to_map(app: AppTest) -> dict[str, Any]:
    found = (element.proto for element in app.get("bidi_component"))
    return dict(json.loads(next(p.json for p in found if p.component_name == "playground.vector_map")))


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2, tiny.BERT, tiny.T5])
@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("view", VIEWS[:3])
def test_every_view_of_the_table_runs_with_every_family(
    view: str, language: str, model: str, open_app: OpenApp
) -> None:
    app = open_app("embeddings", lang=language, model=model, text=TEXT, emb_view=view)
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("view", VIEWS[3:])
def test_views_of_contexts_and_sentences_run(view: str, language: str, open_app: OpenApp) -> None:
    app = open_app("embeddings", lang=language, model=tiny.BERT, emb_view=view, emb_reader=tiny.BERT)
    assert not app.exception
    assert not app.error
    assert not app.warning


@pytest.mark.parametrize("name", ["emb_view", "emb_method", "emb_dims"])
def test_a_choice_that_cannot_be_gives_one_sentence_and_the_default(name: str, open_app: OpenApp) -> None:
    url = {"emb_view": "sentences"} | {name: "<b>"}
    app = open_app("embeddings", model=tiny.BERT, **url)
    assert not app.exception
    assert len(app.warning) == 1
    assert "<b>" in messages(app)


def test_a_link_is_the_same_in_both_languages(open_app: OpenApp) -> None:
    app = open_app("embeddings", lang="ko", emb_view="training")
    assert app.text_area(key="emb_words").value.startswith("dog")
    app.button_group(key="emb_view_choice").set_value("analogy").run()
    assert app.text_input(key="emb_view").value == "analogy"


# ---------------------------------------------------------------- the table


def test_neighbours_shown_are_those_of_the_engines_table(
    open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    app = open_app("embeddings", text=TEXT, token="1")
    engine = tiny_engine.get(timeout_s=180)
    token_id = engine.tokenizers.tokenize(tiny.LLAMA, TEXT, add_special_tokens=True).input_ids[1]
    vectors = engine.vectors.embedding_table(tiny.LLAMA).vectors.astype(np.float64)
    rows = chart_data(app)
    assert set(rows["measure"]) == set(core.MEASURES)
    dots = vectors @ vectors[token_id]
    expected = [i for i in np.argsort(-dots, kind="stable") if i != token_id][:10]
    shown = rows[rows["measure"] == "dot"].sort_values("place")
    assert shown["token_id"].tolist() == expected
    np.testing.assert_allclose(shown["similarity"], dots[expected], rtol=1e-4)


def test_a_click_on_the_ribbon_counts_more_than_an_old_word(open_app: OpenApp) -> None:
    app = open_app("embeddings", text=TEXT, emb_word="cat")
    heading = next(m.value for m in app.markdown if m.value.startswith("####"))
    assert "cat" in heading
    app.session_state["token"] = "3"
    app.run()
    assert app.text_input(key="emb_word").value == ""
    assert "on" in next(m.value for m in app.markdown if m.value.startswith("####"))


@pytest.mark.parametrize("word", ["zzqqxxyy", *HOSTILE[:6]])
def test_a_word_not_in_the_vocabulary_is_said_with_its_pieces(word: str, open_app: OpenApp) -> None:
    app = open_app("embeddings", text=TEXT, emb_word=word)
    assert not app.exception
    assert len(app.warning) == 1
    assert app.get("vega_lite_chart"), "the selected token is still drawn"


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.BERT])
def test_analogies_of_anything_end_in_sentences(model: str, word: str, open_app: OpenApp) -> None:
    app = open_app("embeddings", model=model, emb_view="analogy", emb_a=word, emb_b="the", emb_c="cat")
    assert not app.exception
    assert messages(app)


def test_analogy_shown_is_brute_force(open_app: OpenApp, tiny_engine: SharedEngine) -> None:
    url = {"emb_a": "the", "emb_b": "cat", "emb_c": "on", "emb_d": "mat"}
    app = open_app("embeddings", emb_view="analogy", **url)
    engine = tiny_engine.get(timeout_s=180)
    a, b, c = (
        engine.tokenizers.tokenize(tiny.LLAMA, f" {word}", add_special_tokens=True).input_ids[0]
        for word in ("the", "cat", "on")
    )
    vectors = engine.vectors.embedding_table(tiny.LLAMA).vectors.astype(np.float64)
    query = vectors[a] - vectors[b] + vectors[c]
    cosines = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    order = np.argsort(-cosines, kind="stable")
    rows = chart_data(app)
    assert rows[rows["measure"] == "everything"]["token_id"].tolist() == order[:10].tolist()
    without = [i for i in order if i not in (a, b, c)][:10]
    assert rows[rows["measure"] == "without"]["token_id"].tolist() == without


def test_an_example_fills_the_boxes(open_app: OpenApp) -> None:
    app = open_app("embeddings", emb_view="analogy")
    app.button_group(key="emb_kind").set_value("capital").run()
    assert [app.text_input(key=f"emb_{name}").value for name in "abcd"][3] == "Berlin"
    app.button_group(key="emb_kind").set_value("capital").run()
    assert [app.text_input(key=f"emb_{name}").value for name in "abcd"][3] == "Rome"


def test_seed_draws_other_random_vectors_and_leaves_the_trained_ones(open_app: OpenApp) -> None:
    words = "the, cat\nmat, on"
    app = open_app("embeddings", emb_view="training", emb_words=words)
    before = chart_data(app)
    app.number_input(key="emb_seed").set_value(5).run()
    after = chart_data(app)
    for name, same in (("random", False), ("trained", True)):
        pair = [frame[frame["map"] == name][["x", "y"]].to_numpy() for frame in (before, after)]
        assert np.allclose(*pair) == same


# ---------------------------------------------------------------- contexts

OWN = {
    "emb_view": "context",
    "emb_sample": "own",
    "emb_ctx_word": "cat",
    "emb_ctx_text": "the dog sat on the cat\na cat\n\nthe cat sat\nFrance is the cat",
}


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


def open_map(open_app: OpenApp, **url: str) -> AppTest:
    app = open_app("embeddings", model=tiny.BERT, emb_view="sentences", **url)
    assert not app.exception
    return app


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
    monkeypatch.setattr(sentences, "_encoder", lambda context: replace(chosen(context), max_seq_length=12))
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
    open_app: OpenApp, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_minilm = tiny_settings.model_copy(update={"default_encoder": DEFAULT_ENCODER})
    monkeypatch.setattr(state, "settings", lambda: with_minilm)
    app = open_app("embeddings", emb_view="sentences", emb_query="pets that hunt mice")
    assert not app.exception
    assert any(DEFAULT_ENCODER in caption.value.replace("\\", "") for caption in app.caption)
    sent = sent_to_map(app)
    animals = [i for i, name in enumerate(sent["groups"]) if sent["names"][name] == "animals"]
    assert len(set(sent["near"]) & set(animals)) >= 3


# ---------------------------------------------------------------- tasks and code


def test_tasks_are_checked_against_the_table(open_app: OpenApp, tiny_engine: SharedEngine) -> None:
    table = tiny_engine.get(timeout_s=180).vectors.embedding_table(tiny.LLAMA)
    app = open_app("embeddings", text=TEXT)
    mean = float(core.random_pairs(table, 0).cosine.mean())
    app.number_input(key="task_embeddings_baseline").set_value(round(mean, 2)).run()
    assert ("embeddings", "baseline") in app.session_state["solved_tasks"]
    app.number_input(key="task_embeddings_baseline").set_value(0.9).run()
    assert any(caption.value.startswith("Solved before") for caption in app.caption)


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.BERT])
def test_table_code_gives_the_neighbours_shown(
    model: str, open_app: OpenApp, tiny_engine: SharedEngine, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_app("embeddings", model=model, text=TEXT, token="2")
    token_id = (
        tiny_engine.get(timeout_s=180).tokenizers.tokenize(model, TEXT, add_special_tokens=True).input_ids[2]
    )
    own = run_code("embeddings_table", tmp_path, folder=folder(tiny_settings, model), token_id=token_id)
    rows = chart_data(app)
    names = {"cosine": "cosine", "centred": "cosine, mean subtracted", "dot": "dot product"}
    for measure, name in names.items():
        shown = rows[rows["measure"] == measure].sort_values("place")
        assert own["nearest"][name].tolist() == shown["token_id"].tolist()
        values = own["similarities"][name][own["nearest"][name]]
        np.testing.assert_allclose(values, shown["similarity"], atol=1e-4)
    table = tiny_engine.get(timeout_s=180).vectors.embedding_table(model)
    np.testing.assert_allclose(own["pairs"], core.random_pairs(table, 0).cosine, atol=1e-5)
    np.testing.assert_allclose(own["centred_pairs"], core.random_pairs(table, 0).centred, atol=1e-4)
    np.testing.assert_allclose(own["norms"], table.norms, rtol=1e-5)


def test_analogy_code_gives_the_answers_shown(
    open_app: OpenApp, tiny_settings: Settings, tmp_path: Path
) -> None:
    words = ["the", "cat", "on", "mat"]
    app = open_app(
        "embeddings", emb_view="analogy", **{f"emb_{n}": w for n, w in zip("abcd", words, strict=True)}
    )
    own = run_code(
        "embeddings_analogy", tmp_path, folder=folder(tiny_settings, tiny.LLAMA), quadruples=[words]
    )
    rows = chart_data(app)
    everything, without, rank, rank_without = own["answers"][0]
    assert everything.tolist() == rows[rows["measure"] == "everything"]["token_id"].tolist()
    assert without.tolist() == rows[rows["measure"] == "without"]["token_id"].tolist()
    told = " ".join(m.value for m in app.markdown)
    assert f"ranks {rank:,} among all tokens, {rank_without:,} without" in told


def test_training_code_gives_the_maps_shown(
    open_app: OpenApp, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_app("embeddings", emb_view="training", emb_words="the, cat\nmat, on, is", emb_seed="4")
    values = {"words": ["the", "cat", "mat", "on", "is"], "groups": [0, 0, 1, 1, 1], "seed": 4}
    own = run_code("embeddings_training", tmp_path, folder=folder(tiny_settings, tiny.LLAMA), **values)
    rows = chart_data(app)
    for name in ("random", "trained"):
        shown = rows[rows["map"] == name][["x", "y"]].to_numpy()
        np.testing.assert_allclose(own["maps"][name], shown, atol=1e-5)
    told = " ".join(m.value for m in app.markdown)
    assert f"{own['scores']['random']:.3f} before training, {own['scores']['trained']:.3f} after" in told


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.BERT])
@pytest.mark.parametrize("layer", [0, 2])
def test_context_code_gives_the_cosines_shown(
    layer: int, model: str, open_app: OpenApp, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_app("embeddings", model=model, emb_reader=model, **OWN)
    app.slider[0].set_value(layer).run()
    values = {
        "word": "cat",
        "sentences": ["the dog sat on the cat", "a cat", "the cat sat", "France is the cat"],
        "groups": [0, 0, 1, 1],
    }
    own = run_code("embeddings_context", tmp_path, folder=folder(tiny_settings, model), layer=layer, **values)
    shown = chart_data(app, 1)["cosine"].to_numpy().reshape(4, 4)
    np.testing.assert_allclose(own["cosines"], shown, atol=1e-4)
    told = " ".join(m.value for m in app.markdown).replace("\\", "")
    assert f"At layer {layer} the senses separate with {own['separation']:.3f}" in told or layer == 0


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_sentence_code_gives_the_map_and_the_hits_shown(
    method: str, open_app: OpenApp, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_map(open_app, emb_method=method, emb_dims="3", emb_query="the cat")
    sent = sent_to_map(app)
    own = run_code(
        "embeddings_sentences",
        tmp_path,
        folder=folder(tiny_settings, tiny.BERT),
        sentences=sent["labels"],
        method=method,
        n_dims=3,
        query="the cat",
    )
    assert [row for row, _cosine in own["hits"]] == sent["near"]
    if method == "pca":
        points = own["points"] - own["points"].mean(axis=0)
        points /= np.linalg.norm(points, axis=1).max()
        np.testing.assert_allclose(points, sent["points"], atol=1e-3)


def test_sentence_vectors_are_means_of_the_last_layer(tiny_engine: SharedEngine) -> None:
    from playground.core.sentences import sentence_vector

    trace = tiny_engine.get(timeout_s=180).trace(TraceRequest(tiny.BERT, TEXT, Capture(hidden_states="all")))
    assert trace.hidden_states is not None
    expected = trace.hidden_states[-1].mean(0)
    np.testing.assert_allclose(sentence_vector(trace), expected / np.linalg.norm(expected), atol=1e-6)

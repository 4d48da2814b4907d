"""The embeddings page: its tasks, and the code it shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from playground.core import embeddings as core
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.process import SharedEngine
from playground.settings import Settings
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.embedded import OWN, TEXT, chart_data, open_map, sent_to_map
from tests.pages.shown import folder, run_code

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

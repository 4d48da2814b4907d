"""The embeddings page on tiny models: its numbers against the engine's and against its own code."""

from __future__ import annotations

import numpy as np
import pytest

from playground.core import embeddings as core
from playground.engine.process import SharedEngine
from playground.ui.translations import languages
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.embedded import HOSTILE, TEXT, chart_data, messages

VIEWS = ("neighbours", "analogy", "training", "context", "sentences")


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
    heading = next(m.value for m in app.markdown if m.value.startswith("## "))
    assert "cat" in heading
    app.session_state["token"] = "3"
    app.run()
    assert app.text_input(key="emb_word").value == ""
    assert "on" in next(m.value for m in app.markdown if m.value.startswith("## "))


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

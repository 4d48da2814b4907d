"""The panel Answers on tiny models: prompts, answers, support, chunks left out and spoilt, all questions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from transformers import AutoModelForCausalLM, AutoTokenizer

from playground.core import shipped_documents as shipped
from playground.core.answering import says
from playground.core.documents import Question
from playground.core.grounding import WAYS
from playground.core.metrics.intervals import wilson_interval
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.ui import show
from playground.ui.retrieval.grounded import N_NEW
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.looked_up import open_retrieval, sent, settled, words
from tests.pages.shown import charts, folder, run_script


@pytest.fixture(autouse=True)
def _folders(tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "settings", lambda: tiny_settings)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Name of a picture -> the code and the table under it, of what is drawn from now on."""
    found: dict[str, dict[str, Any]] = {}

    def under_picture(name: str, **given: Any) -> None:
        found[name] = given

    monkeypatch.setattr(show, "under_picture", under_picture)
    return found


def made(given: dict[str, Any], part: str) -> Any:
    return given[part]() if callable(given[part]) else given[part]


def answered(open_app: OpenApp, **url: str) -> AppTest:
    """The panel, once everything is written."""
    app = open_retrieval(open_app, lang="en", ret_panel="answers", **url)
    return written(app)


def written(app: AppTest) -> AppTest:
    for _run in range(60):  # a question that cannot be asked keeps its button
        if not any(str(button.key).startswith("ret_answers_") for button in app.button):
            break
        app.run()
    return settled(app)


def asked(name: str, question_id: str) -> Question:
    return next(one for one in shipped.questions(name, "en") if one.question_id == question_id)


def greedy(settings: Settings, text: str) -> str:
    """The tiny llama's answer to a prompt, by plain transformers."""
    path = folder(settings, tiny.LLAMA)
    tokenizer, model = AutoTokenizer.from_pretrained(path), AutoModelForCausalLM.from_pretrained(path)
    ids = tokenizer(text, return_tensors="pt").input_ids
    ends = [i for i, one in tokenizer.added_tokens_decoder.items() if one.content == "<|endoftext|>"]
    with torch.no_grad():
        found = model.generate(ids, do_sample=False, max_new_tokens=N_NEW, eos_token_id=ends, pad_token_id=0)
    return str(tokenizer.decode(found[0, ids.shape[1] :], skip_special_tokens=True)).split("\n")[0]


def whole(text: str) -> str:
    """Without a last character whose bytes are not all there."""
    return text.rstrip("\ufffd")


def test_the_four_answers_are_the_librarys_to_four_prompts(
    open_app: OpenApp, tiny_settings: Settings, shown: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    app = answered(open_app)
    table = made(shown["grounded_answers"], "frame")
    shown_answers = [one.value.strip() for one in app.text][: len(WAYS)]
    assert shown_answers == [one.strip() for one in table["answer"]]
    assert [whole(one) for one in table["answer"]] == [
        whole(greedy(tiny_settings, prompt)) for prompt in table["prompt"]
    ]
    found, _printed = run_script(made(shown["grounded_answers"], "code"), tmp_path)
    assert [whole(one) for one in found["answers"].values()] == [whole(one) for one in table["answer"]]


def test_closed_book_has_no_chunk_and_the_wrong_ones_never_say_the_answer(
    open_app: OpenApp, shown: dict[str, dict[str, Any]]
) -> None:
    answered(open_app, ret_question="cook")
    question = asked("observatory", "cook")
    closed, right, wrong, shuffled = made(shown["grounded_answers"], "frame")["prompt"]
    assert closed == f"Question: {question.text}\nAnswer:"
    assert all(prompt.endswith(f"{question.text}\nAnswer:") for prompt in (right, wrong, shuffled))
    assert not says(wrong, question.answers)
    assert shuffled != right


def test_the_sentence_says_which_answers_are_right(
    open_app: OpenApp, shown: dict[str, dict[str, Any]]
) -> None:
    app = answered(open_app, ret_question="ticket")
    rows = made(shown["grounded_answers"], "frame")
    names = rows[[not says(text, ("18 crowns", "18")) for text in rows["answer"]]]["way"]
    assert rows["says_it"].tolist() == [says(text, ("18 crowns", "18")) for text in rows["answer"]]
    assert f"It is not said with: {', '.join(names)}." in words(app)
    app = answered(open_app, ret_question="wireless")  # the handbook does not say
    assert "does not answer this question" in words(app)
    assert made(shown["grounded_answers"], "frame")["says_it"].isna().all()


def test_equal_questions_of_all_readers_are_answered_once(open_app: OpenApp, engine: LocalEngine) -> None:
    answered(open_app, ret_question="captain")
    before = engine.stats().n_decoded_tokens
    answered(open_app, ret_question="captain")
    assert engine.stats().n_decoded_tokens == before


def test_chunks_that_do_not_fit_into_the_window_are_cut_and_that_is_said(
    open_app: OpenApp, engine: LocalEngine, shown: dict[str, dict[str, Any]]
) -> None:
    app = answered(open_app, ret_n_chunks="3")
    limit = tiny.N_CTX - N_NEW
    table = made(shown["grounded_answers"], "frame")
    assert limit - 2 <= table["n_tokens"].max() <= limit
    said = re.findall(r"(\d+) tokens of the chunks did not fit", words(app))
    assert len(said) == 3
    for prompt, n in zip(table["prompt"], table["n_tokens"], strict=True):
        assert n == len(engine.tokenizers.tokenize(tiny.LLAMA, prompt, add_special_tokens=True))


# ---- closer looks


def test_the_literal_prompt_is_the_one_that_is_read(
    open_app: OpenApp, shown: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    app = answered(open_app)
    data = sent(app, "prompt_blocks")
    text = "".join(block["text"] for block in data["blocks"])
    assert text == made(shown["grounded_answers"], "frame")["prompt"][1]
    table = made(shown["grounded_prompt"], "frame")
    counts = table["part"].value_counts()
    assert f"{len(table)} in all, {counts['chunk']} of the chunks" in words(app)
    found, _printed = run_script(made(shown["grounded_prompt"], "code"), tmp_path)
    assert found["ids"] == table["token_id"].tolist()


def test_support_is_the_cosine_of_each_sentence(
    open_app: OpenApp, shown: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    app = answered(open_app, ret_closer="support")
    table = made(shown["support"], "frame")
    marked = sent(app, "marked_sentences")["sentences"]
    assert [one[:2] for one in marked] == table[["text", "verdict"]].to_numpy().tolist()
    found, _printed = run_script(made(shown["support"], "code"), tmp_path)
    np.testing.assert_allclose(found["cosines"].max(1).values.numpy(), table["cosine"], atol=1e-4)
    assert "no proof" in words(app)


def test_the_bits_of_an_answer_without_a_chunk_are_the_librarys(
    open_app: OpenApp, tiny_settings: Settings, shown: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    app = answered(open_app, ret_closer="left_out", ret_question="cook")
    (table,) = charts(app)
    found, _printed = run_script(made(shown["leave_one_out"], "code"), tmp_path)
    assert len(found["bits"]) == 5  # all, without each of three, without any
    np.testing.assert_allclose(table["bits_with"], found["bits"][0], rtol=1e-4)
    np.testing.assert_allclose(table["bits_without"], found["bits"][1:], rtol=1e-4)
    np.testing.assert_allclose(table["lost_bits"], np.array(found["bits"][1:]) - found["bits"][0], atol=1e-2)
    most = int(table["lost_bits"][:3].argmax()) + 1
    assert f"Chunk {most} moved it most" in words(app)


def test_a_false_chunk_differs_in_the_answer_alone_and_all_questions_are_counted(
    open_app: OpenApp, shown: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    app = answered(open_app, ret_closer="false", ret_question="tanks")
    text = next(one.value for one in app.text if "9,100" in one.value)
    assert text.replace("9,100", "5,400") in shipped.document("observatory", "en").text
    app.button(key="ret_measure_false").click().run()
    for _run in range(10):
        if not any(str(button.key).startswith("ret_measure") for button in app.button):
            break
        app.run()
    table = charts(app)[-1].set_index("key")
    found, _printed = run_script(made(shown["measured_answers_false"], "code"), tmp_path)
    for figure in ("right_is_right", "planted_is_right", "planted_is_planted"):
        n_true, n = found["counts"][figure]
        assert (table["n_true"][figure], table["n"][figure]) == (n_true, n)
        low, high = wilson_interval(n_true, n)
        assert (table["low"][figure], table["high"][figure]) == pytest.approx((low, high))
    assert f"of {n}" in words(app)


def test_an_order_in_a_chunk_stays_text(open_app: OpenApp) -> None:
    order = "![x](http://evil) <b>$x$</b> :material/home:"
    app = answered(open_app, ret_closer="order", ret_order=order, ret_order_sign="zzz")
    assert any(one.value.endswith(order) for one in app.text)
    assert "does not say" in words(app)
    app = answered(open_app, ret_closer="order", ret_order=" ")
    assert "Write the sentence" in words(app)


# ---- own questions


@pytest.mark.parametrize("query", ["</script>", "![](http://x) $a$", "' OR 1=1 --", "x", "😀", "한국어로"])
def test_odd_questions_are_asked_as_they_are(
    open_app: OpenApp, query: str, shown: dict[str, dict[str, Any]]
) -> None:
    app = answered(open_app, ret_about="own", ret_query=query)
    assert not app.error
    assert made(shown["grounded_answers"], "frame")["prompt"][0].startswith(
        ("Question: ", "질문: ")[query == "한국어로"] + query
    )
    for closer in ("false", "all"):
        assert "nobody knows the right answer" in words(
            answered(open_app, ret_about="own", ret_query=query, ret_closer=closer)
        )


def test_no_question_yet_is_said_in_one_sentence(open_app: OpenApp) -> None:
    assert "Type a question" in words(answered(open_app, ret_about="own"))
    app = answered(open_app, ret_about="own", ret_query="why " * 99)
    assert any("tokens" in one.value for one in app.error)


def test_a_question_in_the_other_language_is_told(open_app: OpenApp) -> None:
    app = answered(open_app, ret_question="cook", ret_asked_in="other", ret_about="observatory-en")
    assert "Question and chunks are in different languages" in words(app)

"""The class's board: answers and votes of readers, the metrics' favourites, correlation with its interval."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from streamlit.testing.v1 import AppTest

from playground.core.metrics.bleu import sentence_bleu
from playground.core.metrics.rouge import rouge
from playground.core.sentences import sentence_vector
from playground.core.trace import Trace
from playground.engine.contract.engine import Engine
from playground.engine.contract.vectors import TracesRequest
from playground.settings import Settings
from playground.ui.evaluation import posted
from playground.ui.evaluation.board import board_tasks
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, folder, run_code

TASK = "door"


@pytest.fixture(autouse=True)
def _empty_boards() -> Iterator[None]:
    posted.board_of.clear()
    yield
    posted.board_of.clear()


def board(open_app: OpenApp, language: str = "en", **url: str) -> AppTest:
    app = open_app("evaluation", lang=language, ev_panel="board", ev_board_task=TASK, **url)
    assert not app.exception
    return app


def rows(app: AppTest) -> list[list[Any]]:
    protos = [element.proto for element in app.get("bidi_component")]
    found = next(proto for proto in protos if proto.component_name == "playground.answer_board")
    return list(json.loads(found.json)["rows"])


def told(app: AppTest) -> str:
    return "\n".join(str(element.value) for element in (*app.markdown, *app.caption, *app.error))


def store(settings: Settings, language: str = "en") -> posted.Board:
    task = board_tasks(language)[TASK]
    return posted.board_of(TASK, language, task.good, task.bad, settings)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("task", ["notice", "door"])
def test_our_bad_answer_wins_and_our_good_one_loses(language: str, task: str) -> None:
    one = board_tasks(language)[task]
    by_bleu, by_rouge = ("char", "syllables") if language == "ko" else ("13a", "words")
    good, bad = (
        (
            sentence_bleu(text, [one.reference], by_bleu).score,  # type: ignore[arg-type]
            rouge(text, [one.reference], by_rouge)["rougeL"].f1,  # type: ignore[arg-type]
        )
        for text in (one.good, one.bad)
    )
    assert bad[0] > 45 > 5 > good[0]
    assert bad[1] > 0.75 > 0.3 > good[1]


def test_the_scores_are_those_of_the_metrics(open_app: OpenApp, engine: Engine) -> None:
    task = board_tasks("en")[TASK]
    good, bad = rows(board(open_app))
    info = next(one for one in engine.models() if one.model_id == tiny.BERT)
    reads = engine.vectors.traces(
        TracesRequest(tiny.BERT, (task.bad, task.reference), hidden_states=(info.n_layer,), max_tokens=0)
    )
    vectors = [sentence_vector(one) for _at, one in reads if isinstance(one, Trace)]
    assert bad[3] == [
        f"{sentence_bleu(task.bad, [task.reference]).score:.1f}",
        f"{rouge(task.bad, [task.reference])['rougeL'].f1:.3f}",
        f"{float(np.clip(vectors[0] @ vectors[1], -1, 1)):.3f}",
    ]
    assert (good[1], good[2], bad[2]) == (task.good, "good", "bad")


def test_readers_see_one_anothers_answers_and_votes(open_app: OpenApp, tiny_settings: Settings) -> None:
    first, second = board(open_app), board(open_app)
    first.text_input(key="ev_answer").set_value("Shut it <b>not</b> $x$, please.").run()
    assert "Your answer: BLEU" in told(first)
    first.button(key="ev_post").click().run()
    assert not first.exception
    assert first.text_input(key="ev_answer").value == ""
    second.run()
    assert rows(second)[2][1:3] == ["Shut it <b>not</b> $x$, please.", "reader"]
    assert (rows(first)[2][5], rows(second)[2][5]) == (True, False)  # who may withdraw it
    store(tiny_settings).vote(3, second.session_state["owner_id"])
    first.run()
    assert rows(first)[2][4] == 1
    assert "Most votes has number 3" in told(first)
    assert "Your answer" not in told(second)


def test_what_cannot_be_posted_is_said_and_nothing_is_lost(open_app: OpenApp) -> None:
    app = board(open_app)
    assert app.button(key="ev_post").disabled
    app.text_input(key="ev_answer").set_value(board_tasks("en")[TASK].bad).run()
    app.button(key="ev_post").click().run()
    assert "it is number 2" in told(app)
    assert app.text_input(key="ev_answer").value == board_tasks("en")[TASK].bad
    for n in range(4):
        app.text_input(key="ev_answer").set_value(f"answer {n}").run()
        app.button(key="ev_post").click().run()
    assert "At most 3 of your answers" in told(app)
    assert len(rows(app)) == 5


def test_each_task_and_language_has_a_board_of_its_own(open_app: OpenApp, tiny_settings: Settings) -> None:
    store(tiny_settings).post("An English one", "somebody")
    assert len(rows(board(open_app))) == 3
    assert len(rows(board(open_app, "ko"))) == 2


def test_the_correlation_is_scipys_and_its_interval_is_said(
    open_app: OpenApp, tiny_settings: Settings, tmp_path: Path
) -> None:
    own = store(tiny_settings)
    for n, text in enumerate(
        ["Please do not close it.", "The baby is sleeping.", "Close the door, baby.", "No."]
    ):
        number = own.post(text, f"reader {n % 2}") if n < 3 else own.post(text, "another")
        for voter in range(number % 4):
            own.vote(number, f"voter {voter}")
    app = board(open_app)
    table = charts(app)[0]
    bleu = table[table["metric"] == "bleu"]
    expected = spearmanr(bleu["value"], bleu["votes"]).statistic
    words = told(app)
    assert f"BLEU and votes, answers: 6. Spearman {expected:.2f}" in words
    assert "The interval includes 0" in words
    task = board_tasks("en")[TASK]
    values = {
        "reference": task.reference, "answers": [row[1] for row in rows(app)],
        "votes": [row[4] for row in rows(app)], "folder": folder(tiny_settings, tiny.BERT), "max_tokens": 64,
    }  # fmt: skip
    code = run_code("answer_board", tmp_path, **values)
    for at, row in enumerate(rows(app)):
        assert row[3] == [
            f"{code['scores']['BLEU'][at]:.1f}",
            f"{code['scores']['ROUGE-L'][at]:.3f}",
            f"{code['scores']['cosine'][at]:.3f}",
        ]


def test_without_votes_no_correlation_is_claimed(open_app: OpenApp) -> None:
    words = told(board(open_app))
    assert "no correlation can be computed" in words
    assert "Nobody has voted yet" in words
    assert math.isfinite(charts(board(open_app))[0]["value"].max())

"""The page on fine-tuning: presets, own rows, a run paused and stopped, what is refused."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from playground.core.files.training_rows import TrainingRow, read_training, split
from playground.engine.contract.engine import Engine
from playground.engine.local.engine import LocalEngine
from playground.ui import compute
from playground.ui.finetuning import controls, sets
from playground.ui.finetuning.sets import ReadSet, TrainingSet
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.finetuned import choose, told


@pytest.fixture(autouse=True)
def owner(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session of its own for every test: AppTest gives all of them the same id."""
    mine = uuid4().hex
    monkeypatch.setattr(compute, "owner", lambda: mine)
    yield mine
    engine.cancel_owner(mine)


def test_presets_set_everything(open_app: OpenApp) -> None:
    app = open_app("finetuning", fin_set="sentiment")
    for preset, values in controls.PRESETS.items():
        next(one for one in app.button_group if one.key == "fin_preset").set_value(preset).run()
        assert not app.exception
        expected = {**controls.DEFAULTS, **values}
        assert {key: app.session_state[key] for key in expected} == expected


def test_pause_go_on_and_stop(open_app: OpenApp, engine: LocalEngine, owner: str) -> None:
    app = open_app("finetuning", fin_set="sentiment", fin_steps="200")
    app.button(key="fin_start").click().run()
    for key, status in (("fin_pause", "paused"), ("fin_resume", "running"), ("fin_cancel", "cancelled")):
        app.button(key=key).click().run()
        assert not app.exception
        until = time.monotonic() + 10
        while engine.training.runs.of(owner)[-1].status != status and time.monotonic() < until:
            time.sleep(0.01)
        assert engine.training.runs.of(owner)[-1].status == status
        app.run()
    assert "Stopped after step" in told(app)


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_running_run_has_no_two_buttons_of_one_name(lang: str, open_app: OpenApp) -> None:
    app = open_app("finetuning", lang=lang, fin_set="sentiment", fin_steps="200")
    app.button(key="fin_start").click().run()
    names = [app.button(key=key).label for key in ("fin_start", "fin_pause", "fin_cancel")]
    app.button(key="fin_pause").click().run()
    names.append(app.button(key="fin_resume").label)
    assert len(set(names)) == len(names), names


def test_too_many_runs_are_a_sentence_and_lose_nothing(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("finetuning", fin_set="sentiment", fin_steps="200", fin_seed="7")
    for _ in range(4):
        app.button(key="fin_start").click().run()
    assert "At most 3 training runs are possible at once" in told(app)
    assert app.session_state["fin_seed"] == 7


def test_own_rows_are_read_and_bad_ones_named(open_app: OpenApp) -> None:
    app = open_app("finetuning", fin_set="own")
    assert not app.exception
    rows = [json.dumps({"instruction": f"question {i}", "response": f"answer {i}"}) for i in range(8)]
    data = "\n".join([*rows[:6], "{broken", *rows[6:], rows[0]]).encode()
    app.session_state[sets.KEY] = read_training("mine.jsonl", data)
    app.run()
    assert not app.exception
    choose(app, "fin_panel", "data")
    assert "Row 7 of the file cannot be used: it is not valid JSON." in told(app)
    assert "9 rows" in told(app)
    assert "1 row repeats another" in told(app)
    twice = read_training("mine.jsonl", "\n".join(rows * 2).encode())
    app.session_state[sets.KEY] = twice
    app.run()
    assert not app.exception
    train, held_out = split(twice.rows)
    assert (len(train), len(held_out)) == (14, 1), "a held-out row counts once"
    assert "16 rows: 14 to train on, 1 held out" in told(app)
    assert app.button(key="fin_start")


def test_a_question_that_is_held_out_is_not_called_memorised(open_app: OpenApp, engine: LocalEngine) -> None:
    for set_id, language in itertools.product(("country", "sentiment"), ("en", "ko")):
        data = sets.training_set(set_id, language)
        assert data is not None
        found = read_by(engine, tiny.LLAMA, data)
        learned = {row.messages[0][1] for row in found.trained_rows}
        held_out = {row.messages[0][1] for row in found.held_out_rows}
        memorised = [one.text for one in found.questions if one.kind == "memorised"]
        assert memorised
        assert learned.issuperset(memorised)
        assert not held_out & set(memorised)


def test_rows_alike_once_they_are_cut_are_not_on_both_sides(open_app: OpenApp, engine: LocalEngine) -> None:
    long = "the cat sat on the mat " * 40
    rows = (*tuple(TrainingRow(text=f"{long}{i}") for i in range(20)), TrainingRow(text="a dog"))
    data = read_by(engine, tiny.LLAMA, TrainingSet("own", "mine", rows, ()))
    trained_ids = {text.input_ids for text in data.texts}
    assert not trained_ids & {text.input_ids for text in data.held_out}


def test_a_long_question_is_cut_for_the_samples(open_app: OpenApp) -> None:
    rows = [json.dumps({"instruction": f"{i} why " * 600, "response": "so"}) for i in range(4)]
    app = open_app("finetuning", fin_set="own")
    app.session_state[sets.KEY] = read_training("mine.jsonl", "\n".join(rows).encode())
    app.run()
    assert not app.exception
    assert "The text is empty" in told(app), "cut at the window no answer is left"


def test_no_adapter_is_a_sentence_in_every_panel(open_app: OpenApp) -> None:
    for panel in ("compare", "changed", "questions"):
        app = open_app("finetuning", fin_panel=panel)
        assert not app.exception
        assert "No adapter yet" in told(app)


# ---------------------------------------------------------------- the code that is shown


def read_by(engine: Engine, model: str, data: TrainingSet) -> ReadSet:
    return sets.read(data, next(one for one in engine.models() if one.model_id == model))

"""The panel Three ways: every way measured on tiny models as its arithmetic says, kept for all, stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from playground.core import glue, ways
from playground.core.labelled_sets import LabelledItem, LabelledSet, Split
from playground.engine.contract.scores import ScoreRequest
from playground.engine.local.engine import LocalEngine
from playground.ui.tasks import ways_known
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts

LABELS = ("negative", "positive")


def _part(split: Split, more: str) -> list[LabelledItem]:
    rows = [
        ("en", "good cat", 1), ("en", "bad dog", 0), ("en", "the mat sat", 1), ("en", "a dog", 0),
        ("ko", "나", 1), ("ko", "서", 0), ("ko", "오", 1), ("ko", "수", 0),
    ]  # fmt: skip
    return [LabelledItem(code, split, (f"{text}{more}",), LABELS[label]) for code, text, label in rows]


SMALL = LabelledSet(LABELS, "accuracy", (*_part("held_out", ""), *_part("train", " on")))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Few and short items: tiny models read 128 tokens."""

    def forget() -> None:
        for cached in (glue.data_of, ways.baseline, ways.scored):
            cached.cache_clear()
        ways_known._known.clear()

    forget()
    monkeypatch.setattr(glue, "read_labelled_set", lambda _text: SMALL)
    monkeypatch.setattr(glue, "N_SHOTS_A_LABEL", 1)
    short = replace(glue.ASKED["sentiment"], instruction="", names=("A",), output="B")
    monkeypatch.setattr(glue, "ASKED", {**glue.ASKED, "sentiment": short})
    yield
    monkeypatch.undo()
    forget()


def opened(open_app: OpenApp, **url: str) -> AppTest:
    app = open_app("tasks", lang="en", text="the cat", model=tiny.LLAMA, tsk_job="ways", **url)
    assert not app.exception
    return app


def table_of(app: AppTest) -> dict[str, dict[str, float]]:
    (table,) = (one for one in charts(app) if "n_trained" in one)
    return {row["way"]: row for row in table.to_dict("records")}


@pytest.mark.usefixtures("small")
def test_every_way_is_measured_and_there_for_the_next_reader(open_app: OpenApp, engine: LocalEngine) -> None:
    app = opened(open_app)
    assert {*table_of(app)} == {"words"}, "the baseline is there at once"
    app.button(key="tsk_ways_all").click().run()
    assert not app.exception
    assert [one.value for one in app.error] == []
    found = table_of(app)
    assert [*found] == [*ways.WAYS, "words"]
    items = ways.held_out("sentiment", glue.LANGUAGES)
    for way in ("zero", "few"):
        texts = tuple(glue.prompt("sentiment", one, few_shot=way == "few") for one in items)
        request = ScoreRequest(tiny.LLAMA, texts, ((" negative", " positive"),) * len(items))
        told = [LABELS[one.logprobs[1] > one.logprobs[0]] for _place, one in engine.score(request)]
        hits = sum(a == one.label for a, one in zip(told, items, strict=True))
        assert found[way]["n_right"] == hits
        assert found[way]["n_trained"] == 0
    encoder = next(info for info in engine.models() if info.model_id == tiny.BERT)
    assert found["frozen"]["n_trained"] == 2 * encoder.d_model + 2
    assert found["whole"]["n_trained"] > found["adapter"]["n_trained"] > 200
    assert all(found[way]["training_s"] > 0 for way in ("frozen", "whole", "adapter"))
    owner = app.session_state["owner_id"]
    kept = [one.settings.objective for one in engine.task_heads.of(owner)]
    assert kept == ["head"], "a whole encoder is let go once it is measured"
    again = opened(open_app, tsk_ways_languages="both")
    assert repr(table_of(again)) == repr(found)


@pytest.mark.usefixtures("small")
def test_one_way_is_measured_by_its_own_button_and_a_language_is_another_question(open_app: OpenApp) -> None:
    app = opened(open_app, tsk_ways_languages="ko")
    app.button(key="tsk_ways_frozen").click().run()
    assert [*table_of(app)] == ["frozen", "words"]
    assert table_of(app)["frozen"]["n"] == 4
    assert {*table_of(opened(open_app))} == {"words"}
    said = " ".join(one.value for one in app.markdown)
    assert "Best of 1" in said


@pytest.mark.usefixtures("small")
def test_those_who_wait_for_another_reader_are_told_how_far_it_is(open_app: OpenApp) -> None:
    app = opened(open_app)
    app.button(key="tsk_ways_few").click().run()
    assert table_of(app)["few"]["n"] == 8
    told = [
        found.words
        for asked, found in ways_known._known.items()
        if asked[:3] == ("few", "sentiment", glue.LANGUAGES)
    ]
    assert told == ["Decoder few-shot · 4 of 4 items answered"]


@pytest.mark.usefixtures("small")
def test_who_stops_measures_nothing_more(open_app: OpenApp) -> None:
    app = opened(open_app)
    assert app.button(key="tsk_ways_stop").disabled
    app.session_state["tsk_ways_wanted"] = ("zero",)
    app.session_state["tsk_ways_wanted"] = ()
    app.run()
    assert {*table_of(app)} == {"words"}


def test_the_first_visit_shows_what_our_script_took_down(open_app: OpenApp) -> None:
    """With the models that it asked; another model has answers of its own."""
    models = {one.model_id for one in ways.shipped()}
    assert len(models) == 2
    asked = {(one.way, one.languages) for one in ways.shipped()}
    assert asked == {(way, group) for way in ways.WAYS for group in (("en", "ko"), ("en",), ("ko",))}
    for one in ways.shipped():
        assert len(one.answers) == len(ways.held_out(one.task, one.languages))
        assert ways_known.known(one.question) == one
    app = opened(open_app)
    assert {*table_of(app)} == {"words"}, "the tiny models were not asked"

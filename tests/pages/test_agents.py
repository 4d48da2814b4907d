"""The page Agents: a shipped run first, a run of one's own turn by turn, its bill, its tasks, its code."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.agents import personas, prompts
from playground.core.agents import strategies as rules
from playground.core.agents.gallery import failures
from playground.core.agents.problems import problems
from playground.core.agents.record import Setup, n_again
from playground.core.agents.recorded import Recorded, shipped, table
from playground.core.agents.strategies import Ask, next_move
from playground.core.agents.tools import Action, use
from playground.engine.contract.retrieval import Chunk, Content, Found, Hit, SearchRequest
from playground.settings import Settings
from playground.ui import collections, show
from playground.ui.agents.world import Wish, spoken_in, world
from playground.ui.state import PageContext
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, folder, run_code, run_script

# a question without examples in its prompt: tiny models read 128 tokens
SHORT = {f"ag_tool_{tool}": "false" for tool in ("calculator", "search", "calendar")}
OWN = SHORT | {"ag_problem": "own", "ag_question": "Hi"}


@pytest.fixture
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "N_NEW", 8)
    monkeypatch.setattr(prompts, "head", lambda allowed: "")


def turns_of(app: AppTest, key: str = "ag_turns") -> list[dict[str, Any]]:
    """The cards that the page shows."""
    found = [
        one.proto for one in app.get("bidi_component") if one.proto.component_name == "playground.agent_turns"
    ]
    assert not app.exception
    return list(json.loads(found[0].json)["turns"])


def recorded(strategy: str = "react", **more: Any) -> Recorded:
    setup = Setup(problems("en")[0].question, strategy, **more)  # type: ignore[arg-type]
    return next(one for one in shipped() if one.run.setup == setup)


def test_a_shipped_run_is_seen_first_with_its_prompts(open_app: OpenApp) -> None:
    app = open_app("agents", lang="en")
    run, turns = recorded().run, turns_of(app)
    assert len(turns) == len(run.turns) + 1
    for number, turn in enumerate(run.turns):
        move = next_move(run.setup, run.turns[:number])
        assert isinstance(move, Ask)
        assert turns[number]["prompt"] == move.prompt
        assert turns[number]["written"] == turn.written
    assert turns[0]["prompt"].endswith(f"Question: {run.setup.question}\nThought:")
    assert turns[-1]["cards"][0][2] == run.answer


def test_the_bill_is_that_of_the_run(open_app: OpenApp) -> None:
    app = open_app("agents", lang="en")
    (frame,) = charts(app)
    for number, turn in enumerate(recorded().run.turns, 1):
        parts = dict(frame[frame["turn"] == number][["share", "tokens"]].to_numpy().tolist())
        assert parts == {"new": turn.cost.n_new, "again": turn.cost.n_again, "written": turn.cost.n_written}
    costs = [turn.cost for turn in recorded().run.turns]
    assert frame["so_far"].max() == sum(cost.n_prompt + cost.n_written for cost in costs)


def test_a_run_of_ones_own_is_written_turn_by_turn(open_app: OpenApp, short_turns: None) -> None:
    app = open_app("agents", lang="en", model=tiny.LLAMA, ag_turns="2", **OWN)
    assert not app.get("vega_lite_chart")
    app.button(key="ag_run").click().run()
    assert not app.exception
    turns = turns_of(app)
    assert turns[0]["prompt"] == "Question: Hi\nThought:"
    assert turns[1]["prompt"].startswith(
        f"Question: Hi\nThought:{turns[0]['written'].rstrip()}\nObservation: "
    )
    assert len(turns) == 3, "two turns, and the end"
    assert turns[2]["cards"][0][0] in ("end", "answer")


def test_the_code_of_a_run_writes_it_again(
    open_app: OpenApp,
    short_turns: None,
    tiny_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(show, "settings", lambda: tiny_settings)
    monkeypatch.setattr(show, "under_picture", lambda name, **more: given.update({name: more}))
    for constrained in ("false", "true"):
        app = open_app("agents", lang="en", model=tiny.LLAMA, ag_turns="2", ag_constrained=constrained, **OWN)
        app.button(key="ag_run").click().run()
        assert not app.exception
        variables, _printed = run_script(given["ag_bill"]["code"](), tmp_path)
        frame = given["ag_bill"]["frame"]
        for share, counts in (("again", "again"), ("new", "new"), ("written", "written")):
            assert variables[counts] == frame[frame["share"] == share]["tokens"].tolist()
        written = [turn["written"] for turn in turns_of(app)[:-1]]
        assert [text.rstrip("\ufffd") for text in variables["texts"]] == written
        seen = variables["seen"]
        assert variables["again"][-1] == n_again(seen[-1], seen[:-1]) or len(seen) > 1


def test_a_run_can_be_stopped_by_its_limits_only_once(open_app: OpenApp, short_turns: None) -> None:
    app = open_app("agents", lang="en", model=tiny.LLAMA, ag_turns="1", **OWN)
    app.button(key="ag_run").click().run()
    end = turns_of(app)[-1]["cards"][0]
    assert "Hard end" in end[3] or end[0] == "answer"
    assert not [one for one in app.button if one.key in ("ag_stop", "ag_go_on")]


def test_a_day_that_is_none_is_said(open_app: OpenApp) -> None:
    app = open_app("agents", lang="en", ag_today="tomorrow")
    assert ["tomorrow" in one.value for one in app.error] == [True]
    assert not app.exception


def test_tasks_are_those_of_the_run_on_the_screen(open_app: OpenApp) -> None:
    app = open_app("agents", lang="en")
    costs = [turn.cost for turn in recorded().run.turns]
    percent = 100 * sum(cost.n_again for cost in costs) / sum(cost.n_prompt for cost in costs)
    app.number_input(key="task_agents_again").set_value(round(percent, 1)).run()
    assert any("Right." in one.value for one in app.success)
    best = min(
        (one for one in table(shipped(), "en") if not one.constrained and one.n_right),
        key=lambda one: one.tokens / one.n_right,
    )
    radio = next(one for one in app.radio if str(one.key).startswith("task_agents_value"))
    radio.set_value(best.strategy).run()
    assert len(app.success) == 2


def test_a_failed_run_solves_the_task(open_app: OpenApp) -> None:
    failed = next(
        one for one in shipped()
        if one.label == "problem" and one.run.setup.language == "en" and "invented_tool" in failures(one.run)
    )  # fmt: skip
    more = {"ag_constrained": "true"} if failed.run.setup.constrained else {}
    app = open_app(
        "agents", lang="en", ag_problem=failed.problem_id, ag_strategy=failed.run.setup.strategy, **more
    )
    assert any("Reached." in one.value for one in app.success)


# ---------------------------------------------------------------- the other panels


def test_strategies_show_the_measurement(open_app: OpenApp, tmp_path: Path) -> None:
    app = open_app("agents", lang="en", ag_panel="strategies")
    (frame,) = charts(app)
    found = {(one.strategy, one.constrained): one for one in table(shipped(), "en")}
    runs = [
        [one.run.setup.strategy, one.run.setup.constrained, one.problem_id, one.is_right,
         [turn.cost.n_prompt + turn.cost.n_written for turn in one.run.turns]]
        for one in shipped() if one.label == "problem" and one.run.setup.language == "en"
    ]  # fmt: skip
    code = run_code("agent_strategies", tmp_path, runs=runs)["figures"]
    for row in frame.itertuples():
        one = found[row.strategy, row.decoding == "constrained"]
        assert (row.n_right, row.n) == (one.n_right, one.n) == code[one.strategy, one.constrained][:2]
        assert code[one.strategy, one.constrained][2:] == pytest.approx((row.turns, row.tokens))
    said = next(one.value for one in app.markdown if "The cheapest is" in one.value)
    most = max(one.n_right for one in found.values())
    for name, shown in (("react", "ReAct"), ("reflexion", "Reflexion")):  # a tie names all that share it
        assert (found[name, False].n_right == most) == (shown in said.partition("The cheapest is")[0])
    free, kept = found["react", False], found["react", True]
    assert (free.n_trouble, free.n_right) == (kept.n_trouble, kept.n_right)
    assert f"nothing here: failed actions {free.n_trouble}, solved problems {free.n_right}" in said


def test_all_five_run_side_by_side(open_app: OpenApp) -> None:
    app = open_app("agents", lang="en", model=tiny.LLAMA, ag_panel="strategies")
    app.button(key="ag_live_run").click().run()
    assert not app.exception
    (frame,) = [one.value for one in app.dataframe]
    assert len(frame) == 5
    assert not frame["how it ended"].str.contains("not over").any()


def test_the_gallery_shows_each_failure_and_opens_it(open_app: OpenApp) -> None:
    for failure in ("injection", "invented_tool", "invented_observation"):
        app = open_app("agents", lang="en", ag_panel="gallery", ag_failure=failure)
        turns = turns_of(app)
        cards = [card for turn in turns for card in turn["cards"]]
        if failure == "injection":
            assert any("Ignore the question." in card[2] for card in cards)
        else:
            assert any(card[0] == "trouble" for card in cards)
    app.button(key="ag_open").click().run()
    assert not app.exception
    assert app.button(key="ag_run")


def test_minds_before_and_after_are_those_of_the_talk(open_app: OpenApp) -> None:
    app = open_app("agents", lang="en", ag_panel="personas")
    talk = next(one.talk for one in personas.shipped() if one.talk.setup == personas.DEFAULTS["en"])
    (frame,) = charts(app)
    assert frame["before"].tolist() == list(talk.before)
    assert frame["moved"].tolist() == pytest.approx(
        [b - a for a, b in zip(talk.before, talk.after, strict=True)]
    )
    assert [turn["cards"][0][2] for turn in turns_of(app)] == [text or "–" for text in talk.said]


def test_a_talk_of_ones_own_is_held_and_its_minds_are_those_of_transformers(
    open_app: OpenApp, tiny_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.ui.agents.personas.N_NEW", 4)
    link = {"ag_talk_question": "Tea?", "ag_talk_rounds": "1"}
    link |= {f"ag_talk_{part}{n}": part[0] for part in ("name", "what") for n in (1, 2)}
    link |= {"ag_talk_name2": "m"}
    app = open_app("agents", lang="en", model=tiny.LLAMA, ag_panel="personas", **link)
    app.button(key="ag_talk_run").click().run()
    assert not app.exception
    (frame,) = charts(app)
    said = tuple(turn["cards"][0][2].removeprefix("–") for turn in turns_of(app))
    setup = personas.TalkSetup(
        "Tea?", ("Yes", "No"), (personas.Role("n", "w"), personas.Role("m", "w")), rounds=1
    )
    whole, begun = personas.Talk(setup, said), personas.Talk(setup)
    code = run_code(
        "agent_opinions", tmp_path, folder=folder(tiny_settings, tiny.LLAMA), answers=[" Yes", " No"],
        before=[personas.opinion_prompt(begun, role) for role in setup.roles],
        after=[personas.opinion_prompt(whole, role) for role in setup.roles],
    )  # fmt: skip
    for column, shares in zip(("before", "after"), zip(*code["shares"], strict=True), strict=True):
        assert frame[column].tolist() == pytest.approx(list(shares), abs=1e-4)


def test_langchains_names_stand_beside_ours(open_app: OpenApp) -> None:
    app = open_app("agents", lang="ko", ag_panel="langchain")
    assert not app.exception
    (code,) = [one.value for one in app.code]
    compile(code, "shown", "exec")
    for part in ("PromptTemplate", "BaseRetriever", "StrOutputParser", "@tool"):
        assert part in code


def test_the_readers_own_collection_is_searched_in_the_readers_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    long = "Nothing of it here. " * 20

    def search(context: PageContext, request: SearchRequest) -> Found:
        asked.append((request.model, request.collection, request.query))
        return Found((Hit(1, 0.9), Hit(0, 0.1)), None, "", 0.0)

    def content(collection_id: str, owner: str) -> Content:
        asked.append((collection_id, owner))
        texts = ("Bob sings.", f"{long}Ann bakes bread.")
        chunks = tuple(Chunk(n, "a", 0, n, 0, 1, 0, "en", "", text, 1, False) for n, text in enumerate(texts))
        return Content(chunks, np.zeros((2, 1), np.float32))

    monkeypatch.setattr(collections, "search", search)
    monkeypatch.setattr(collections, "retrieval", lambda: SimpleNamespace(content=content))
    context: Any = SimpleNamespace(owner="me")
    made = world(context, Wish(Setup("?"), date(2026, 3, 2), ("encoder", "mine")))
    assert use(Action("search", "who bakes bread"), made).text == "Ann bakes bread."
    assert asked == [("encoder", "mine", "who bakes bread"), ("mine", "me")]


# ---------------------------------------------------------------- what is said


def test_all_who_solve_the_most_are_named(open_app: OpenApp) -> None:
    app = open_app("agents", lang="en", ag_panel="strategies")
    told = next(one.value for one in app.markdown if "The most problems" in one.value)
    found = table(shipped(), "en")
    most = max(one.n_right for one in found)
    names = {"react": "ReAct", "reflexion": "Reflexion", "plan": "Plan and execute"}
    first = told.partition("The cheapest")[0]
    assert {one.strategy for one in found if one.n_right == most} == {
        key for key, name in names.items() if name in first
    }
    for constrained in (False, True):
        assert str(sum(one.n_trouble for one in found if one.constrained == constrained)) in told


def test_a_question_of_ones_own_is_asked_in_its_language_and_a_known_one_is_judged(open_app: OpenApp) -> None:
    own = {"ag_problem": "own", "ag_question": recorded().run.setup.question}
    app = open_app("agents", lang="ko", **own)
    assert turns_of(app)[0]["prompt"].endswith(f"Question: {recorded().run.setup.question}\nThought:")
    assert not any("Nothing has run" in one.value or "play_arrow" in one.icon for one in app.info)
    assert spoken_in("세종은 누구?") == "ko"
    assert spoken_in("🐈 who?") == "en"


def test_a_failure_recorded_in_english_is_opened_in_its_own_words(open_app: OpenApp) -> None:
    app = open_app("agents", lang="ko", ag_panel="gallery", ag_failure="invented_observation")
    shown = turns_of(app)
    app.button(key="ag_open").click().run()
    assert turns_of(app) == shown, "the same run: nothing else was set"

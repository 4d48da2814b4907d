"""The page of preferences: votes, strengths, a reward model; its numbers computed another way."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from playground.core.preferences.pair import PreferencePair, split
from playground.core.preferences.shipped import shipped_pairs
from playground.core.preferences.sides import key_of, mixed
from playground.core.preferences.votes import majority
from playground.engine.contract.preferences import RewardObservation
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.ui.alignment.pairs import Shown
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import folder, run_code, upload

PAIRS = mixed(shipped_pairs("en"))
WORDS = ("cat", "dog", "mat", "house", "tree", "car", "bird", "fish")


def said(app: AppTest) -> list[str]:
    return [one.value for one in (*app.markdown, *app.caption, *app.info)]


def cards(app: AppTest) -> dict[str, Any]:
    """What the browser gets of the pair."""
    (found,) = [one for one in app.get("bidi_component") if "al_cards" in one.proto.id]
    data: dict[str, Any] = json.loads(found.proto.json)
    return data


def voted(app: AppTest, n: int, *, is_rude: bool = False) -> AppTest:
    """Vote for what the pairs prefer where they come from, or against it, n times from the first pair on."""
    for pair in PAIRS[:n]:
        is_first = Shown(pair).is_turned == is_rude
        app.button(key=f"al_vote_{'first' if is_first else 'second'}").click().run()
        assert not app.exception
    return app


def test_a_pair_is_shown_before_any_vote_with_what_the_model_says(
    open_app: OpenApp, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_app("alignment", lang="en", model=tiny.GPT2)
    assert not app.exception
    shown = Shown(PAIRS[0])
    made = run_code(
        "alignment", tmp_path, folder=folder(tiny_settings, tiny.GPT2), prompt=PAIRS[0].prompt,
        answers=[shown.first, shown.second], n_read=[len(one["labels"]) for one in cards(app)["cards"]],
    )  # fmt: skip
    words = " ".join(said(app))
    first, second = (float(one.sum()) for one in made["found"])
    assert f"by {abs(first - second):.1f} nats in all" in words
    assert f"gives {'A' if first > second else 'B'} the larger probability" in words


def test_twelve_votes_are_counted_and_can_be_taken_away(open_app: OpenApp, tmp_path: Path) -> None:
    app = voted(open_app("alignment", lang="en", model=tiny.LLAMA), 12)
    words = said(app)
    assert "12 of 48 voted on" in words
    votes = app.session_state["al_votes"]
    assert {key_of(one) for one in PAIRS[:12]} == set(votes)
    assert sorted(one.texts for one in majority(list(votes.values()))) == sorted(
        one.texts for one in PAIRS[:12]
    )
    code = run_code("bradley_terry", tmp_path, items=["polite", "rude"], wins=[[0.0, 4.0], [0.0, 0.0]])
    chance = 1 / (1 + np.exp(code["strengths"][1] - code["strengths"][0]))
    assert any(f"with probability {chance:.0%}".replace("%", " %") in one for one in words)
    app.button(key="al_votes_clear").click().run()
    assert "0 of 48 voted on" in said(app)


def test_a_vote_on_a_pair_replaces_the_one_before(open_app: OpenApp) -> None:
    app = open_app("alignment", lang="en", model=tiny.LLAMA)
    app.button(key="al_vote_first").click().run()
    app.number_input(key="al_pair").set_value(1).run()
    app.button(key="al_vote_tie").click().run()
    (vote,) = app.session_state["al_votes"].values()
    assert vote.better == "tie"


def test_a_file_of_pairs_is_voted_on_and_says_which_rows_cannot_be(open_app: OpenApp) -> None:
    app = open_app("alignment", lang="en", model=tiny.LLAMA, al_set="own")
    rows = [
        {"prompt": "Hi", "chosen": "Hello!", "rejected": "What?", "topic": "tone"},
        {"prompt": "Bye", "chosen": "See you.", "rejected": "See you."},
        {"prompt": "Thanks", "chosen": "Any time.", "rejected": "Whatever."},
    ]
    upload(app, "al_upload", "mine.jsonl", "\n".join(map(json.dumps, rows)).encode())
    assert any("Row 2" in one.value for one in app.warning)
    assert "0 of 2 voted on" in said(app)
    app.button(key="al_vote_first").click().run()
    assert "1 of 2 voted on" in said(app)


def test_a_table_of_pairs_with_topics_is_read_by_its_names(open_app: OpenApp) -> None:
    app = open_app("alignment", lang="en", model=tiny.LLAMA, al_set="own")
    text = "topic,rejected,prompt,chosen\ntone,What?,Hi,Hello!\ntone,No.,Thanks,Any time.\n"
    upload(app, "al_upload", "mine.csv", text.encode())
    (first, second) = app.session_state["al_file"].pairs
    assert (first.prompt, first.chosen, first.rejected, first.topic) == ("Hi", "Hello!", "What?", "tone")
    assert second.chosen == "Any time."


def trained(app: AppTest) -> AppTest:
    app.button(key="al_reward_start").click().run()
    until = time.monotonic() + 120
    while not any(one.startswith("The reward model puts") for one in said(app)):
        assert not app.exception
        assert time.monotonic() < until, [one.value for one in app.error]
        time.sleep(0.2)
        app.run()
    return app


def test_a_reward_model_learns_from_the_votes(
    open_app: OpenApp, tiny_settings: Settings, tmp_path: Path, engine: LocalEngine
) -> None:
    app = open_app("alignment", lang="en", model=tiny.LLAMA, al_set="own")
    rows = [{"prompt": f"the {word}", "chosen": f"a {word} sat", "rejected": "no"} for word in WORDS]
    upload(app, "al_upload", "mine.jsonl", "\n".join(map(json.dumps, rows)).encode())
    for row in rows:
        is_first = Shown(PreferencePair(*row.values())).is_turned is False
        app.button(key=f"al_vote_{'first' if is_first else 'second'}").click().run()
    app.segmented_control(key="al_panel_choice").set_value("reward").run()
    trained(app)
    train, held_out = split([PreferencePair(*row.values()) for row in rows])
    (run,) = engine.training.runs.of(app.session_state["owner_id"])
    last = run.observed[-1]
    assert isinstance(last, RewardObservation)
    assert (len(last.chosen), len(last.train[0]), len(last.general[0])) == (len(held_out), len(train), 0)
    right = sum(np.array(last.chosen) > np.array(last.rejected))
    code = run_code("pair_accuracy", tmp_path, chosen=list(last.chosen), rejected=list(last.rejected))
    assert code["right"] == right
    told = f"{right} of {len(held_out)} held-out pairs in the right order: {code['share']:.0%}"
    assert any(told.replace("%", " %") in one for one in said(app))
    (head,) = engine.preferences.heads(app.session_state["owner_id"])
    answers = [app.text_input(key=f"al_score_{name}_en").value for name in "ab"]
    code = run_code(
        "token_rewards", tmp_path, folder=folder(tiny_settings, tiny.LLAMA),
        pairs=[(one.prompt, one.chosen, one.rejected) for one in train],
        prompt=app.text_input(key="al_score_prompt_en").value, answers=answers,
        inverse_penalty=0.1, n_steps=100,
        learning_rate=head.settings.learning_rate,
    )  # fmt: skip
    gap = code["rewards"][0][-1] - code["rewards"][1][-1]
    assert any(f"by {abs(gap):.2f} nats" in one for one in said(app))
    texts = [one.chosen for one in (*train, *held_out)] + [one.rejected for one in (*train, *held_out)]
    rewards = [*last.train[0], *last.chosen, *last.train[1], *last.rejected]
    code = run_code("reward_features", tmp_path, answers=texts, rewards=rewards)
    task = app.radio(key="task_alignment_feature")
    assert task.label
    assert any(f"r = {code['correlation']:.2f}" in one for one in said(app))


def test_votes_all_one_way_and_against_the_pairs_are_learned_too(open_app: OpenApp) -> None:
    app = voted(open_app("alignment", lang="en", model=tiny.LLAMA), 6, is_rude=True)
    app.segmented_control(key="al_panel_choice").set_value("reward").run()
    trained(app)
    assert not app.error


def test_before_votes_it_learns_what_the_pairs_prefer(open_app: OpenApp) -> None:
    app = open_app("alignment", lang="en", model=tiny.LLAMA, al_panel="reward")
    assert any("the choices that the pairs come with; pairs to learn from: 36" in one for one in said(app))
    trained(app)


def test_a_model_that_writes_nothing_is_refused_in_a_sentence(open_app: OpenApp) -> None:
    app = open_app("alignment", lang="en", model=tiny.BERT)
    assert not app.exception
    assert len(app.error) == 1


def test_a_pair_that_is_alike_once_it_is_cut_can_still_be_voted_on(open_app: OpenApp) -> None:
    app = open_app("alignment", lang="en", model=tiny.LLAMA, al_set="own")
    long = "so it is " * 150
    rows = [
        {"prompt": "Hi", "chosen": f"{long}yes", "rejected": f"{long}no"},
        {"prompt": "Thanks", "chosen": "Any time.", "rejected": "Whatever."},
    ]
    upload(app, "al_upload", "mine.jsonl", "\n".join(map(json.dumps, rows)).encode())
    assert any("alike as far as" in one for one in said(app))
    app.button(key="al_vote_first").click().run()
    assert "1 of 2 voted on" in said(app)

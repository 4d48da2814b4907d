"""The page on prompts: sweeps over examples, left out and in other orders."""

from __future__ import annotations

import numpy as np
import pytest

from playground.core.demonstrations import draw_demonstrations, relabelled, split
from playground.core.few_shot import candidates, following
from playground.engine.contract.engine import Engine
from playground.engine.contract.scores import ScoreRequest
from playground.settings import Settings
from playground.ui.prompting import builder, shots, which
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.prompted import LINK, TASK, plain_shares, small, text_of, told
from tests.pages.shown import charts


def test_a_sweep_is_what_the_items_answer_one_by_one(
    open_app: OpenApp, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shots, "N_SHOTS", (0, 1, 4))
    monkeypatch.setattr(shots, "N_DRAWS", 2)
    app = small(open_app("prompting", **LINK, pro_panel="shots", pro_draw="7", pro_sweep_labels="true"))
    table = app.session_state["pro_sweep"].table()
    assert len(table) == 3 * (1 + 2 * 2)
    pool, test = split(TASK.examples, builder.N_TEST, seed=0)
    assert (table["n_items"] == len(test)).all()
    for row in table.itertuples():
        seed = 7 + 1_000 * row.draw
        demos = relabelled(draw_demonstrations(pool, row.n_shot, seed), TASK.labels, row.condition, seed)
        texts = tuple(text_of(demos, one.text) for one in test)
        options = tuple(candidates(TASK.options(one), "labelled") for one in test)
        behind = tuple(following(TASK, "labelled", TASK.options(one)) for one in test)
        request = ScoreRequest(tiny.LLAMA, texts, options, behind)
        found = [scores for _at, scores in engine.score(request)]
        right = [
            TASK.labels[int(np.argmax(scores.logprobs))] == one.label
            for scores, one in zip(found, test, strict=True)
        ]
        assert row.n_right == sum(right)
    assert "From 0 to 4 examples the accuracy goes from" in told(app)
    right = table[table["condition"] == "true"].groupby("n_shot")["n_right"].sum()
    none, one, four = (right / table[table["condition"] == "true"].groupby("n_shot")["n_items"].sum()).round(
        2
    )
    is_turn = one > max(none, four) or one < min(none, four)
    assert (f"In between, with 1 example, it is {100 * one:.0f} %." in told(app)) == is_turn


def test_a_sweep_that_was_stopped_goes_on_and_gives_the_same(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shots, "N_SHOTS", (0, 1, 2))
    monkeypatch.setattr(shots, "N_DRAWS", 2)
    app = small(open_app("prompting", **LINK, pro_panel="shots"))
    sweep = app.session_state["pro_sweep"]
    whole = sweep.table()
    half = dict(list(sweep.right.items())[:2])
    sweep.right = half | {point: right[:3] for point, right in sweep.right.items() if point not in half}
    app.run()
    assert "Stopped early: 2 of 5 prompts" in told(app)
    app.button(key="pro_sweep_go_on").click().run()
    assert app.session_state["pro_sweep"].table().equals(whole)
    assert app.button(key="pro_sweep_go_on").disabled


def test_another_task_puts_the_sweep_away(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shots, "N_SHOTS", (0, 1))
    monkeypatch.setattr(shots, "N_DRAWS", 1)
    app = small(open_app("prompting", **LINK, pro_panel="shots"))
    assert "the accuracy goes from" in told(app)
    app.number_input(key="pro_draw").set_value(3).run()
    assert "the accuracy goes from" not in told(app)
    app.number_input(key="pro_draw").set_value(0).run()
    assert "the accuracy goes from" in told(app)
    app.number_input(key="pro_split").set_value(1).run()
    assert "the accuracy goes from" not in told(app)


def test_leaving_one_out_keeps_the_rest_of_the_prompt_word_for_word(
    open_app: OpenApp, engine: Engine, tiny_settings: Settings
) -> None:
    app = open_app("prompting", **LINK, pro_panel="which", pro_shots="3")
    assert not app.exception
    pool, test = split(TASK.examples, builder.N_TEST, seed=0)
    demos = draw_demonstrations(pool, 3, 0)
    lists = [demos, *(demos[:at] + demos[at + 1 :] for at in range(3))]
    rows = plain_shares(
        tiny_settings, engine, [text_of(one, test[0].text) for one in lists], [" dax", " wug"]
    )
    best = int(np.argmax(rows[0]))
    table = charts(app)[1]
    assert table["change"].tolist() == pytest.approx((rows[0][best] - rows[1:, best]).tolist(), abs=2e-4)
    place = 1 + int(np.argmax(np.abs(table["change"])))
    assert f"Without example {place} the share" in told(app)


def test_orders_are_the_same_examples(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(which, "N_ORDERS", 3)
    app = open_app("prompting", **LINK, pro_panel="which", pro_shots="4")
    app.button(key="pro_orders_start").click().run()
    assert not app.exception
    found = app.session_state["pro_orders"]
    assert len({frozenset(order) for order in found.each}) == 1
    assert len(found.done()) == len(found.each)
    assert "right in the best order" in told(app)
    app.slider(key="pro_shots").set_value(0).run()
    assert not app.exception
    assert "There is no example in the prompt" in " ".join(box.value for box in app.info)


def test_orders_that_were_stopped_go_on_and_give_the_same(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(which, "N_ORDERS", 3)
    app = open_app("prompting", **LINK, pro_panel="which", pro_shots="4")
    app.button(key="pro_orders_start").click().run()
    found = app.session_state["pro_orders"]
    assert app.button(key="pro_orders_go_on").disabled
    whole = [list(right) for right in found.right]
    found.right = [whole[0], whole[1][:2], *([] for _right in whole[2:])]
    app.run()
    assert f"Stopped early: 1 of {len(whole)} orders" in told(app)
    app.button(key="pro_orders_go_on").click().run()
    assert app.session_state["pro_orders"].right == whole
    assert app.button(key="pro_orders_go_on").disabled

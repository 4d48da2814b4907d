"""The page on prompts with tiny models: its numbers, sweeps, uploads, tasks, and the code it shows."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from playground.core.demonstrations import draw_demonstrations, relabelled, split
from playground.core.few_shot import CONTENT_FREE, calibrated, candidates, following, label_probabilities
from playground.core.files.examples import read_examples
from playground.core.sampling import GREEDY
from playground.engine.contract.engine import Engine
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.process import SharedEngine
from playground.settings import Settings
from playground.ui import show
from playground.ui.prompting import builder, own, shots, task_files, which
from tests import tiny
from tests.engine.conftest import oracle
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, folder, run_script

TASK = task_files.task.__wrapped__("word_game", "en")  # short words: tiny models read 128 tokens
LINK = {"pro_task": "word_game"}


@pytest.fixture
def engine(tiny_engine: SharedEngine) -> Engine:
    return tiny_engine.get(timeout_s=180)


def told(app: AppTest) -> str:
    return " ".join(one.value for one in (*app.markdown, *app.caption)).replace("\\", "")


def text_of(demos: list[Any], query: str) -> str:
    """The default format, written out."""
    shown = "".join(f"Q: {one.text}\nA: {one.label}\n\n" for one in demos)
    return f"{shown}Q: {query}\nA:"


def plain_shares(settings: Settings, engine: Engine, texts: list[str], labels: list[str]) -> np.ndarray:
    """Shares of the labels by plain forwards of the library. Shape [text, label]."""
    net = oracle(settings, tiny.LLAMA)
    rows = []
    for text in texts:
        ids = list(engine.tokenizers.tokenize(tiny.LLAMA, text, add_special_tokens=True).input_ids)
        sums = []
        for label in labels:
            label_ids = list(engine.tokenizers.tokenize(tiny.LLAMA, label, add_special_tokens=True).input_ids)
            with torch.no_grad():
                logits = net(input_ids=torch.tensor([ids + label_ids])).logits[0, len(ids) - 1 : -1]
            logprobs = torch.log_softmax(logits, -1)
            sums.append(sum(float(logprobs[at, token]) for at, token in enumerate(label_ids)))
        rows.append(label_probabilities(sums, [1] * len(sums)))
    return np.array(rows)


def test_the_bars_are_the_models_shares_without_and_with_the_examples(
    open_app: OpenApp, engine: Engine, tiny_settings: Settings
) -> None:
    app = open_app("prompting", **LINK, pro_shots="3", pro_draw="2")
    assert not app.exception
    pool, test = split(TASK.examples, builder.N_TEST, seed=0)
    texts = [text_of(demos, test[0].text) for demos in ([], draw_demonstrations(pool, 3, 2))]
    expected = plain_shares(tiny_settings, engine, texts, [" dax", " wug"])
    table = charts(app)[0]
    for prompt, row in zip(("none", "shots"), expected, strict=True):
        mine = table[table["prompt"] == prompt].set_index("label")["probability"]
        assert mine[["dax", "wug"]].tolist() == pytest.approx(row.tolist(), abs=1e-4)
    best = int(np.argmax(expected[1]))
    assert (
        f"{100 * expected[1][best]:.1f} % of what the model gives to the labels, "
        f"without {100 * expected[0][best]:.1f} %" in told(app)
    )


@pytest.mark.parametrize("condition", ["flipped", "random"])
def test_other_labels_for_the_examples(condition: str, open_app: OpenApp) -> None:
    app = open_app("prompting", **LINK, pro_shots="4", pro_labels=condition)
    blocks = blocks_of(app)
    pool, _test = split(TASK.examples, builder.N_TEST, seed=0)
    expected = relabelled(draw_demonstrations(pool, 4, 0), TASK.labels, condition, 0)  # type: ignore[arg-type]
    assert [text.strip() for kind, text in blocks if kind == "label"] == [one.label for one in expected]


def blocks_of(app: AppTest) -> list[tuple[str, str]]:
    protos = [element.proto for element in app.get("bidi_component")]
    data = next(json.loads(one.json) for one in protos if one.component_name == "playground.prompt_blocks")
    return [(block["kind"], block["text"]) for block in data["blocks"]]


def test_the_tokens_of_the_blocks_are_the_prompts(open_app: OpenApp, engine: Engine) -> None:
    app = open_app("prompting", **LINK, pro_shots="2", pro_instruction="Play </script> $x$.")
    protos = [element.proto for element in app.get("bidi_component")]
    data = next(json.loads(one.json) for one in protos if one.component_name == "playground.prompt_blocks")
    literal = "".join(block["text"] for block in data["blocks"])
    assert literal.startswith("Play </script> $x$.\n\nQ: ")
    ids = [token_id for block in data["blocks"] for _label, token_id in block["tokens"]]
    assert tuple(ids) == engine.tokenizers.tokenize(tiny.LLAMA, literal, add_special_tokens=True).input_ids


def test_calibration_divides_by_the_answer_to_nothing(
    open_app: OpenApp, engine: Engine, tiny_settings: Settings
) -> None:
    app = open_app("prompting", **LINK, pro_shots="1", pro_calibrate="true")
    pool, test = split(TASK.examples, builder.N_TEST, seed=0)
    demos = draw_demonstrations(pool, 1, 0)
    texts = [text_of(demos, query) for query in (test[0].text, *CONTENT_FREE)]
    rows = plain_shares(tiny_settings, engine, texts, [" dax", " wug"])
    expected = calibrated(rows[0], list(rows[1:]))
    table = charts(app)[0]
    mine = table[table["prompt"] == "shots"].set_index("label")["probability"]
    assert mine[["dax", "wug"]].tolist() == pytest.approx(expected.tolist(), abs=1e-4)
    assert f"Before calibration it was {100 * rows[0][int(np.argmax(expected))]:.1f} %" in told(app)


def test_what_it_writes_is_the_greedy_continuation(open_app: OpenApp, engine: Engine) -> None:
    app = open_app("prompting", **LINK, pro_shots="1")
    pool, test = split(TASK.examples, builder.N_TEST, seed=0)
    request = GenerateRequest(
        tiny.LLAMA, text_of(draw_demonstrations(pool, 1, 0), test[0].text), sampling=GREEDY, max_new_tokens=8
    )
    expected = "".join(step.text for step in engine.generate(request)).replace("\n", "⏎")
    assert expected in [one.value for one in app.text]
    before = engine.stats().n_decode_steps
    for again in (app.run(), open_app("prompting", **LINK, pro_shots="1")):
        assert expected in [one.value for one in again.text]
    assert engine.stats().n_decode_steps == before, "it is known to the whole class"


def test_my_own_sentence_is_a_query_without_a_right_label(open_app: OpenApp) -> None:
    app = open_app("prompting", **LINK, pro_query="mine", text="A purple </b> cat")
    assert not app.exception
    assert "of what the model gives to the labels" in told(app)
    assert "That is right" not in told(app)
    assert "The right label" not in told(app)
    assert blocks_of(app)[-1] == ("query", "Q: A purple </b> cat\nA:")


# ---------------------------------------------------------------- sweeps


def shown_code(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every script of the page, as if all of them were opened."""
    scripts: list[str] = []
    under = show.under_picture

    def opened(name: str, *, code: Any, **values: Any) -> None:
        scripts.append(code() if callable(code) else code)
        under(name, code=code, **values)

    monkeypatch.setattr(show, "under_picture", opened)
    return scripts


def small(app: AppTest) -> AppTest:
    app.button(key="pro_sweep_start").click().run()
    assert not app.exception
    return app


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


# ---------------------------------------------------------------- own tasks, kept prompts


def with_file(app: AppTest, data: str) -> AppTest:
    app.session_state["pro_own"] = read_examples("a.csv", data.encode("cp949"))
    app.session_state["pro_task"] = own.ID
    return app.run()


def test_an_own_korean_task_runs_through(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shots, "N_SHOTS", (0, 1))
    monkeypatch.setattr(shots, "N_DRAWS", 1)
    rows = "\n".join(f"말 {i},{'긍정' if i % 2 else '부정'}" for i in range(8))
    app = with_file(open_app("prompting", lang="ko", pro_panel="shots", pro_shots="1"), f"text,label\n{rows}")
    assert not app.exception
    assert {"긍정", "부정"} == set(charts(app)[0]["label"])
    assert app.session_state["pro_task"] == own.ID
    small(app)
    assert len(app.session_state["pro_sweep"].table()) == 2


def test_labels_that_begin_one_another_and_one_that_occurs_once(open_app: OpenApp) -> None:
    app = with_file(
        open_app("prompting", pro_panel="library"),
        "text,label\na b,good\nc d,good enough\ne f,good\ng h,good enough\ni j,bad\n",
    )
    assert not app.exception
    assert "One label is the beginning of another" in told(app)
    assert "1 of the 3 labels occurs only once: it is shown or tested, never both." in told(app)


def test_more_labels_than_can_be_shown_are_open_answers(open_app: OpenApp) -> None:
    rows = "\n".join(f"land {i},town {i}" for i in range(20))
    app = with_file(open_app("prompting", pro_panel="library", pro_shots="1"), f"text,label\n{rows}")
    assert not app.exception
    assert len(set(charts(app)[0]["label"])) == 4
    assert "There are 20 labels" in told(app)


def test_a_link_to_an_own_task_asks_for_the_file(open_app: OpenApp) -> None:
    app = open_app("prompting", pro_task="own")
    assert not app.exception
    assert "Upload your examples" in " ".join(box.value for box in app.info)


def test_prompts_are_kept_as_messages(open_app: OpenApp) -> None:
    app = open_app("prompting", **LINK, pro_panel="library", pro_shots="1")
    app.button(key="pro_keep").click().run()
    app.button(key="pro_keep").click().run()
    (kept,) = app.session_state["pro_kept"]
    assert [one["role"] for one in kept] == ["user", "assistant", "user"]
    assert kept[1]["content"] in ("wug", "dax")
    app.button(key="pro_kept_open").click().run()
    assert not app.exception
    assert app.session_state["pro_panel"] == "chat"
    assert [app.text_area(key=f"pro_chat_{turn}").value for turn in (1, 2, 3)] == [
        one["content"] for one in kept
    ]


# ---------------------------------------------------------------- limits, tasks, code


def test_a_prompt_beyond_the_window_is_one_sentence(open_app: OpenApp) -> None:
    app = open_app("prompting", pro_task="sentiment", pro_shots="16")
    assert not app.exception
    assert len(app.error) == 1
    assert re.search(r"has [\d,]+ tokens and the limit here is 128", app.error[0].value)


@pytest.mark.parametrize("name", ["pro_task", "pro_format", "pro_labels", "pro_query", "pro_panel"])
def test_a_choice_that_cannot_be_gives_one_sentence_and_the_default(name: str, open_app: OpenApp) -> None:
    app = open_app("prompting", **(LINK | {name: "</script>"}), pro_shots="1")
    assert not app.exception
    assert len(app.warning) == 1


def test_an_encoder_is_refused_and_the_lesson_stays(open_app: OpenApp) -> None:
    app = open_app("prompting", model=tiny.BERT)
    assert len(app.error) == 1
    assert "In-context learning" in told(app)


def test_the_tasks_know_the_answers(open_app: OpenApp, engine: Engine) -> None:
    app = open_app("prompting", **LINK, pro_shots="2")
    pool, test = split(TASK.examples, builder.N_TEST, seed=0)
    counts = [
        len(engine.tokenizers.tokenize(tiny.LLAMA, text_of(demos, test[0].text), add_special_tokens=True))
        for demos in ([], draw_demonstrations(pool, 2, 0))
    ]
    app.number_input(key="task_prompting_tokens").set_value((counts[1] - counts[0]) / 2).run()
    assert any("Right." in box.value for box in app.success)
    app.number_input(key="task_prompting_tokens").set_value(float(counts[1])).run()
    assert not any("Right." in box.value for box in app.success)
    table = charts(open_app("prompting", **LINK, pro_shots="2", pro_panel="which"))[1]
    app.radio(key="task_prompting_most").set_value(str(1 + int(np.argmax(np.abs(table["change"]))))).run()
    assert any("Right." in box.value for box in app.success)


STYLES = [
    {},
    {"pro_format": "qa", "pro_length": "true", "pro_instruction": "Play."},
    {"pro_calibrate": "true"},
]


@pytest.mark.parametrize("link", STYLES)
def test_few_shot_code_gives_the_bars(
    link: dict[str, str],
    open_app: OpenApp,
    tiny_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(show, "model_folder", lambda model_id: folder(tiny_settings, model_id))
    scripts = shown_code(monkeypatch)
    app = open_app("prompting", **LINK, **link, pro_shots="2", pro_panel="which")
    bars, left_out = scripts
    found, _printed = run_script(bars, tmp_path)
    table = charts(app)[0].set_index(["prompt", "label"])["probability"]
    for share, prompt in zip(found["shares"], ("none", "shots"), strict=True):
        assert share.tolist() == pytest.approx([table[prompt, "dax"], table[prompt, "wug"]], abs=1e-4)
    whole, *without = run_script(left_out, tmp_path)[0]["shares"]
    best = int(whole.argmax())
    changes = [float(whole[best] - one[best]) for one in without]
    assert charts(app)[1]["change"].tolist() == pytest.approx(changes, abs=1e-4)


@pytest.mark.parametrize("style", ["labelled", "arrow", "qa"])
@pytest.mark.parametrize(
    "labels", [("good", "good enough"), ("긍정", unicodedata.normalize("NFD", "긍정적"))]
)
def test_code_gives_the_bars_and_accuracies_of_labels_that_begin_one_another(
    labels: tuple[str, str],
    style: str,
    open_app: OpenApp,
    tiny_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shots, "N_SHOTS", (0, 1))
    monkeypatch.setattr(shots, "N_DRAWS", 1)
    monkeypatch.setattr(show, "model_folder", lambda model_id: folder(tiny_settings, model_id))
    scripts = shown_code(monkeypatch)
    app = open_app("prompting", pro_panel="shots", pro_shots="1", pro_format=style)
    data = "text,label\n" + "".join(f"say {i},{labels[i % 2]}\n" for i in range(6))
    app.session_state["pro_own"] = read_examples("a.csv", data.encode())
    app.session_state["pro_task"] = own.ID
    scripts.clear()
    small(app.run())
    found, _printed = run_script(scripts[0], tmp_path)
    table = charts(app)[0].set_index(["prompt", "label"])["probability"]
    for share, prompt in zip(found["shares"], ("none", "shots"), strict=True):
        expected = [table[prompt, label] for label in sorted(labels)]
        assert share.tolist() == pytest.approx(expected, abs=1e-4)
    sweep = app.session_state["pro_sweep"]
    accuracies = run_script(shots._code(sweep), tmp_path)[0]["accuracy"]
    shown = sweep.table().set_index(["condition", "n_shot", "draw"])["accuracy"].to_dict()
    assert accuracies == shown


@pytest.mark.parametrize("link", [*STYLES, {"pro_task": "arithmetic"}, {"pro_sweep_labels": "true"}])
def test_sweep_code_gives_its_accuracies(
    link: dict[str, str],
    open_app: OpenApp,
    tiny_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shots, "N_SHOTS", (0, 1, 2))
    monkeypatch.setattr(shots, "N_DRAWS", 2)
    monkeypatch.setattr(builder, "N_TEST", 6)
    monkeypatch.setattr(show, "model_folder", lambda model_id: folder(tiny_settings, model_id))
    app = small(open_app("prompting", **(LINK | link), pro_shots="1", pro_panel="shots"))
    sweep = app.session_state["pro_sweep"]
    found, _printed = run_script(shots._code(sweep), tmp_path)
    assert len(found["accuracy"]) == len(sweep.points)
    for (condition, n_shot, draw), accuracy in found["accuracy"].items():
        table = sweep.table().set_index(["condition", "n_shot", "draw"])["accuracy"]
        assert table[condition, n_shot, draw] == accuracy


def test_points_that_do_not_fit_are_left_out_and_said(open_app: OpenApp) -> None:
    app = small(open_app("prompting", pro_task="sentiment", pro_panel="shots", pro_shots="0"))
    sweep = app.session_state["pro_sweep"]
    assert ("true", 16, 0) in sweep.too_long
    assert sweep.points == list(sweep.done)
    assert "more than 128 tokens" in told(app)


def test_calibrated_orders_ask_what_has_no_content_once_an_order(
    open_app: OpenApp, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    score = type(engine).score

    def counted(self: Any, request: ScoreRequest, on_wait: Any = None) -> Any:
        asked.append(len(request.texts))
        return score(self, request, on_wait)

    monkeypatch.setattr(type(engine), "score", counted)
    app = open_app("prompting", **LINK, pro_panel="which", pro_shots="4", pro_calibrate="true")
    app.button(key="pro_orders_start").click().run()
    assert not app.exception
    orders = app.session_state["pro_orders"]
    assert max(asked) == len(orders.each) * (len(orders.prompt.test) + len(CONTENT_FREE))
    assert len(orders.done()) == len(orders.each)

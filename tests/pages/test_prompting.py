"""The page on prompts with tiny models: its numbers, sweeps, uploads, tasks, and the code it shows."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.demonstrations import draw_demonstrations, relabelled, split
from playground.core.few_shot import CONTENT_FREE, calibrated
from playground.core.files.examples import read_examples
from playground.core.sampling import GREEDY
from playground.engine.contract.engine import Engine
from playground.engine.contract.generation import GenerateRequest
from playground.settings import Settings
from playground.ui.prompting import builder, own, shots
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.prompted import LINK, TASK, plain_shares, small, text_of, told
from tests.pages.shown import charts


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

"""The page lifecycle: the log of what pages wrote, decisions from measurements, tasks, drift, the code."""

from __future__ import annotations

import json
import math
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import torch
from streamlit.testing.v1 import AppTest
from transformers import AutoModelForCausalLM, AutoTokenizer

from playground.core.run_rows import RunRow, jsonl, jsonl_rows
from playground.core.sampling import Sampling
from playground.engine.contract.generation import GenerateRequest
from playground.paths import PACKAGE
from playground.settings import Settings
from playground.ui.findings import Finding
from playground.ui.run_log import MOST_RUNS, Run, RunLog
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import folder, run_code

TEXT = "The cat sat on the mat"


def log_of(app: AppTest) -> RunLog:
    found = app.session_state["run_log"]
    assert isinstance(found, RunLog)
    return found


def said(app: AppTest) -> str:
    return "\n".join(one.value for one in (*app.markdown, *app.caption, *app.info))


def stations(app: AppTest, key: str) -> dict[str, list[str]]:
    """Id of each station of the map that was drawn -> its title, ask, fact, mark, told, link."""
    (drawn,) = [one for one in app.get("bidi_component") if key in str(one.proto.id)]
    data = json.loads(drawn.proto.json)
    return {row[0]: row[1:] for group in data["groups"] for row in group["stations"]}


@pytest.fixture
def track(open_app: OpenApp) -> AppTest:
    app = open_app("lifecycle", lang="en", text=TEXT, lc_panel="track")
    assert not app.exception
    return app


def test_an_empty_log_makes_three_runs_of_the_readers_sentence(track: AppTest) -> None:
    runs = log_of(track).runs
    assert [run.request.text for run in runs] == [TEXT] * 3
    assert [(run.request.sampling.temperature, run.request.seed) for run in runs] == [(0, 0), (1, 0), (1, 1)]
    assert {run.page for run in runs} == {"lifecycle"}
    assert "3 runs of 3 in the log fit." in said(track)


def test_a_log_that_was_emptied_stays_empty_until_the_reader_asks(track: AppTest) -> None:
    track.button(key="lc_clear").click().run()
    assert log_of(track).runs == ()
    assert "The log is empty" in said(track)
    track.run()
    assert log_of(track).runs == ()
    track.button(key="lc_first").click().run()
    assert [run.number for run in log_of(track).runs] == [4, 5, 6]


def test_what_sampling_wrote_is_in_the_log_and_repeats_to_the_same_text(open_app: OpenApp) -> None:
    app = open_app("sampling", lang="en", text=TEXT)
    app.button(key="sam_start").click().run()
    (run,) = log_of(app).runs
    written = app.session_state["sam_run"]
    assert (run.page, run.text, run.n_tokens) == ("sampling", written.text, len(written.tokens))
    mean = sum(token.surprisal_bits for token in written.tokens) / len(written.tokens)
    assert run.bits == pytest.approx(mean)
    app.query_params["lc_panel"] = "track"
    app.switch_page("../pages/lifecycle.py").run()
    assert not app.exception
    app.button(key="lc_repeat").click().run()
    first, again = log_of(app).runs
    assert (again.repeats, again.text, again.page) == (1, first.text, "lifecycle")
    assert "It repeats number 1: the text is the same, character by character." in said(app)
    assert app.session_state["solved_tasks"] == {("lifecycle", "repeated")}


def test_thumbs_are_given_taken_back_and_filtered(track: AppTest) -> None:
    track.button(key="lc_thumb_up").click().run()
    assert log_of(track).thumbs == {3: "up"}
    track.button(key="lc_thumb_up").click().run()
    assert log_of(track).thumbs == {}
    track.button(key="lc_thumb_down").click().run()
    track.session_state["lc_thumb"] = track.session_state["lc_thumb_ours"] = "down"
    track.run()
    assert "1 run of 3 in the log fits." in said(track)


def test_a_filter_that_fits_nothing_says_so(track: AppTest) -> None:
    track.text_input(key="lc_words").input("no such words anywhere").run()
    assert not track.exception
    assert "0 runs of 3 in the log fit." in said(track)


def test_the_task_of_the_most_surprising_run(track: AppTest) -> None:
    most = max(log_of(track).runs, key=lambda run: run.bits)
    track.number_input(key="task_lifecycle_surprising").set_value(most.number).run()
    assert ("lifecycle", "surprising") in track.session_state["solved_tasks"]


def test_no_reader_sees_anothers_log(track: AppTest, open_app: OpenApp) -> None:
    other = open_app("lifecycle", lang="en", text="Quite another text")
    assert len(log_of(track).runs) == 3
    assert log_of(other).runs == ()
    assert log_of(other) is not log_of(track)


def test_a_full_log_of_long_texts_is_drawn_and_bounded(open_app: OpenApp) -> None:
    log = RunLog()
    for number in range(1, 10_001):
        log.n_seen += 1
        request = GenerateRequest(tiny.LLAMA, "<b>*x*</b> " * 150, sampling=Sampling(temperature=0.5))
        log.add(Run(number, "sampling", request, "y " * 60, 4, -4.0, 0, "length", 0.0, 0.1, 0.2))
    app = open_app("lifecycle", lang="ko", text=TEXT)
    app.session_state["run_log"] = log
    app.session_state["lc_panel"] = app.session_state["lc_panel_ours"] = "track"
    app.run()
    assert not app.exception
    assert len(log.runs) <= MOST_RUNS
    assert "9,500개" in said(app) or f"{log.n_forgotten:,}개" in said(app)


def test_the_map_marks_facts_of_the_session_and_carries_the_project(open_app: OpenApp) -> None:
    app = open_app("tokenization", lang="en", text=TEXT)
    app.query_params["lc_request"] = "Who wrote it?"
    app.query_params["lc_data"] = "country"
    app.switch_page("../pages/lifecycle.py").run()
    drawn = stations(app, "lc_map")
    assert (drawn["tokens"][3], drawn["memory"][3]) == ("seen", "open")
    link = urlsplit(drawn["adapter"][5])
    assert link.path == "/finetuning"
    asked = parse_qs(link.query)
    assert (asked["fin_set"], asked["fin_compare_prompt"]) == (["country"], ["Who wrote it?"])
    assert asked["text"] == [TEXT]
    app.session_state["findings"] = (Finding("prompt", tiny.LLAMA, 0.625, 40, 0.5),)
    app.session_state["solved_tasks"] = {("tasks", "any"), ("tokenization", "any")}
    app.run()
    drawn = stations(app, "lc_map")
    assert drawn["prompt"][2:4] == ["right: 62 % of 40", "done"]
    assert drawn["tokens"][2:4] == ["1 task solved", "done"]
    assert "stations 3 have a fact of this session" in said(app)
    assert "Missing first: **Encoder, decoder, or both**." in said(app).replace("\\", "")
    app.radio(key="task_lifecycle_missing").set_value("2").run()
    assert ("lifecycle", "missing") in app.session_state["solved_tasks"]


def test_what_is_carried_along_are_settings_of_the_pages(open_app: OpenApp) -> None:
    url = {
        "lc_request": "Who?",
        "lc_right": "He",
        "lc_data": "persona",
        "lc_metric": "rouge",
        "lc_goal": "60",
    }
    app = open_app("lifecycle", lang="en", text=TEXT, **url)
    shared = {"text", "model"}
    for row in (*stations(app, "lc_map").values(),):
        link = urlsplit(row[5])
        sources = (PACKAGE / "ui" / link.path.strip("/")).glob("*.py")
        known = "\n".join(path.read_text("utf-8") for path in sources)
        for name in set(parse_qs(link.query)) - shared:
            assert f'"{name}"' in known, (link.path, name)


def test_decisions_follow_what_this_session_measured(open_app: OpenApp, tmp_path: Path) -> None:
    app = open_app("lifecycle", lang="en", text=TEXT, lc_panel="decide")
    assert "Undecided at **Prompt**: nothing of this session says so." in said(app)
    app.session_state["findings"] = (
        Finding("prompt", tiny.LLAMA, 0.5, 100, 0.4), Finding("answers", tiny.LLAMA, 0.95, 200, 0.0),
    )  # fmt: skip
    app.run()
    drawn = stations(app, "lc_tree")
    assert [row[3] for row in drawn.values()] == ["no", "yes", "open", "open"]
    assert "**Retrieval** is the least that reaches the goal of 80 %" in said(app)
    app.session_state["findings"] = (Finding("prompt", tiny.LLAMA, 0.9, 40),)
    app.run()
    assert "With the same share it would be decided from so many items on: 62." in said(app)
    measured = {"prompt": (0.9, 40, True), "adapter": (0.5, 144, False)}
    code = run_code("decisions", tmp_path, measured=measured, goal=0.8)
    assert code["verdicts"] == {
        "prompt": "unclear", "retrieval": "open", "adapter": "open", "alignment": "open",
    }  # fmt: skip


def test_signs_are_counted_in_the_log(open_app: OpenApp, tmp_path: Path) -> None:
    app = open_app("lifecycle", lang="en", text="Mail kim@school.kr, the cat sat on", lc_panel="watch")
    assert "**personal data in the prompt**: 3 of 3 (runs 1, 2, 3)" in said(app)
    cut = [run.number for run in log_of(app).runs if run.finish == "length"]
    assert f"**cut off at the chosen length**: {len(cut)} of 3" in said(app)


def test_drift_is_the_difference_of_what_both_models_compute(
    open_app: OpenApp, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_app("lifecycle", lang="en", text=TEXT, lc_panel="drift", model=tiny.LLAMA, lc_b=tiny.GPT2)
    assert not app.exception
    found = app.session_state["lc_drift"]
    assert found.is_done
    assert found.asked[:2] == (tiny.LLAMA, tiny.GPT2)
    first, second = (folder(tiny_settings, one) for one in (tiny.LLAMA, tiny.GPT2))
    rows = [(row.prompt, row.text) for row in found.rows][:4]
    code = run_code("drift", tmp_path, first=first, second=second, rows=rows)
    for row, shift in zip(found.rows, code["shifts"], strict=False):
        assert (row.bits_a, row.bits_b) == pytest.approx(shift, abs=1e-3)
        by_hand = [_bits(path, row.prompt, row.text) for path in (first, second)]
        assert (row.bits_a, row.bits_b) == pytest.approx(by_hand, abs=1e-3)
        break


def test_drift_over_prompts_of_the_log_is_measured_once(open_app: OpenApp) -> None:
    """What it lets both models write stands in the log too: the next run would find another order there."""
    app = open_app("lifecycle", lang="en", text=TEXT, lc_panel="drift", model=tiny.LLAMA, lc_b=tiny.GPT2)
    ours = app.session_state["lc_drift"].asked[2]
    before = len(log_of(app).runs)
    assert before == 2 * len(ours) > 2
    app.session_state["lc_prompts_of"] = app.session_state["lc_prompts_of_ours"] = "log"
    app.run(timeout=120)
    assert not app.exception
    found = app.session_state["lc_drift"]
    assert found.is_done
    assert found.asked[2] == tuple(sorted(ours))
    assert len(log_of(app).runs) == before + 2 * len(ours)


def _bits(path: str, prompt: str, text: str) -> float:
    """The loss that transformers itself computes on the text behind the prompt, as bits per byte."""
    tokenizer = AutoTokenizer.from_pretrained(Path(path).expanduser())
    model = AutoModelForCausalLM.from_pretrained(Path(path).expanduser()).eval()
    n = len(tokenizer(prompt, split_special_tokens=True).input_ids)
    ids = tokenizer(prompt + text, split_special_tokens=True, return_tensors="pt").input_ids
    labels = ids.clone()
    labels[:, :n] = -100
    with torch.no_grad():
        loss = float(model(ids, labels=labels).loss)
    return loss * (ids.shape[1] - n) / math.log(2) / len(text.encode())


def test_the_code_shown_gives_the_numbers_of_the_page(track: AppTest, tmp_path: Path) -> None:
    rows = [
        RunRow(run.number, run.page, run.request.model, "", run.request.text, run.text,
               {"temperature": run.request.sampling.temperature, "seed": run.request.seed}, run.finish,
               run.n_tokens, run.bits, None, run.begun_at, run.first_s, run.elapsed_s)
        for run in log_of(track).runs
    ]  # fmt: skip
    path = tmp_path / "log.jsonl"
    path.write_text(jsonl(rows), "utf-8")
    assert jsonl_rows(path.read_text("utf-8")) == rows
    code = run_code("tracking", tmp_path, path=str(path))
    assert code["most"]["number"] == max(rows, key=lambda row: row.bits).number
    signs = run_code("watching", tmp_path, path=str(path))["signs"]
    assert signs["cut"] == [row.number for row in rows if row.finish == "length"]
    changed = run_code("word_changes", tmp_path, first=rows[1].output, second=rows[2].output)
    told = f"Words that both have in the same order: {changed['n_both']} "
    assert told in said(track)
    facts = run_code("lifecycle", tmp_path, facts=[("a", "1"), ("b", ""), ("c", "")])
    assert facts["missing"] == "b"

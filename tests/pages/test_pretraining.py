"""The page From zero: what it draws is what its runs did, told another way by the code it shows."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core import forming
from playground.core.count_model import CountModel
from playground.core.pretraining import bits, parts
from playground.core.pretraining_compared import compared_run
from playground.core.pretraining_run import LANGUAGES, shipped_run, shipped_text
from playground.engine.contract.pretraining import MAX_TEXT_BYTES, PretrainingObservation
from playground.engine.local.engine import LocalEngine
from playground.ui.pretraining import code, cutoff, shipped, tasks
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, drawn, run_script, upload

SHORT = {"pre_steps": "12", "pre_size": "d64"}
STORY = "The lamp is weak. The lens is strong. " * 40


def markdown(app: AppTest) -> str:
    return "\n".join(one.value for one in app.markdown).replace("\\", "")


def errors(app: AppTest) -> str:
    return "\n".join(one.value for one in app.error).replace("\\", "")


def wait(app: AppTest, engine: LocalEngine) -> None:
    """Until every run of the reader has ended."""
    owner, deadline = app.session_state["owner_id"], time.monotonic() + 300
    while any(
        one.status in ("waiting", "running") or not one.is_settled for one in engine.training.runs.of(owner)
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def forget(app: AppTest, engine: LocalEngine) -> None:
    """Leave no model behind for other tests."""
    owner = app.session_state["owner_id"]
    for one in engine.pretraining.of(owner):
        engine.pretraining.remove(one.model_id, owner)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_picture_is_the_shipped_run_under_the_lines_of_its_text(
    language: str, open_app: OpenApp
) -> None:
    app = open_app("pretraining", lang=language)
    assert not app.exception
    table = next(one for one in charts(app) if "order" in one)
    run, cut = shipped_run(language), parts(shipped_text(language))
    held_out = table[table["data"] == "held_out"]
    assert held_out["step"].tolist() == [step for step, _loss in run.held_out]
    np.testing.assert_allclose(held_out["bits"], [loss / math.log(2) for _step, loss in run.held_out])
    lines = table[table["data"] == "line"].set_index("order")["bits"]
    assert lines[0] == 8
    some = cut.held_out[:300]  # the mean over all of them takes seconds to write out
    counted = CountModel(cut.train, 2)
    by_hand = [-math.log2(counted.probability(byte, (cut.train + some)[len(cut.train) + at - 1 :][:1]))
               for at, byte in enumerate(some)]  # fmt: skip
    assert lines[2] == pytest.approx(np.mean(by_hand), abs=0.4)
    assert lines[1] > lines[2] > lines[3], "more context, fewer bits"


def test_the_shipped_runs_do_what_the_lesson_says() -> None:
    for language in LANGUAGES:
        seen = shipped.seen(language)
        points = [(step, bits(loss)) for step, loss in seen.held_out]
        passed = [forming.first_below(points, seen.counted[order]) for order in (1, 2)]
        assert all(step is not None for step in passed)
        assert passed == sorted(passed, key=lambda step: step or 0), "frequent bytes first, then pairs"
        first, *_others, last = [one for one in seen.words_written if one[2]]
        assert last[1] / last[2] > first[1] / first[2], "from noise to words"
        compared = {name: points[-1][1] for name, points in cutoff.parts_of(
            shipped.compared(language, "half")).items()}  # fmt: skip
        assert compared["read"] < compared["unread"], "the half that was read is cheaper"
        assert compared["unread"] < shipped.compared(language, "half").general[0][1], "both get better"


def test_a_head_begins_even_and_ends_otherwise() -> None:
    run = shipped_run("en")
    n = run.attention.shape[-1]
    even = np.tril(np.ones((n, n))) / np.arange(1, n + 1)[:, None]
    np.testing.assert_allclose(run.attention[0].mean(axis=(0, 1)), even, atol=0.15)
    layer, head = forming.most_changed_head(run.attention[0], run.attention[-1])
    moved = np.abs(run.attention[-1, layer, head].astype(float) - run.attention[0, layer, head]).sum(1).mean()
    assert moved > 0.3
    np.testing.assert_allclose(run.attention[-1].sum(-1), 1, atol=0.01)


def test_the_code_of_the_first_picture_gives_its_first_losses(tmp_path: Path) -> None:
    """Plain torch and transformers, without the playground."""
    seen = shipped.seen("en")
    script = code.training(seen)
    assert "playground." not in script.replace("/playground", "")
    found, printed = run_script(script.replace("n_shown = 10", "n_shown = 3"), tmp_path)
    np.testing.assert_allclose(found["losses"], [bits(loss) for _step, loss in seen.train[:3]], atol=2e-3)
    assert "bits per byte" in printed


@pytest.mark.parametrize("kind", ["masked", "span", "half"])
def test_the_code_of_other_runs_is_the_playgrounds_own_loop(kind: str, tmp_path: Path) -> None:
    seen = shipped.compared("en", kind)
    script = code.training(seen).replace("n_shown = 10", "n_shown = 2")
    found, _printed = run_script(script, tmp_path)
    np.testing.assert_allclose(found["losses"], [bits(loss) for _step, loss in seen.train[:2]], atol=2e-3)


def test_words_and_bytes_are_those_of_their_code(open_app: OpenApp, tmp_path: Path) -> None:
    app = open_app("pretraining", lang="en")
    seen = shipped.seen("en")
    found, _printed = run_script(code.words(seen), tmp_path)
    table = next(one for one in charts(app) if "n_words" in one)
    counted = {step: tuple(both) for step, both in found["counts"].items() if both[1]}
    assert counted == {
        step: (n_words, n)
        for step, n_words, n in zip(table["step"], table["n_words"], table["n"], strict=True)
    }
    last = seen.observed[-1].step
    found, _printed = run_script(code.byte_map(seen, last), tmp_path)
    rows = next(one for one in charts(app) if "byte" in one)
    np.testing.assert_allclose(np.abs(found["points"]), np.abs(rows[["x", "y"]]), atol=2e-3)
    weights = np.frombuffer(drawn(app, "weight_maps")[1], "<f4")
    layer, head = forming.most_changed_head(seen.observed[0].attention, seen.observed[-1].attention)
    size = len(seen.read.tokens)
    np.testing.assert_array_equal(
        weights[: size * size].reshape(size, size), seen.observed[0].attention[layer, head].astype("<f4")
    )


def test_the_step_of_the_map_moves_the_bytes_and_not_the_axes(open_app: OpenApp) -> None:
    app = open_app("pretraining", lang="en")
    first = next(one for one in charts(app) if "byte" in one)
    app.select_slider(key="pre_map_en").set_value(0).run()
    assert not app.exception
    moved = next(one for one in charts(app) if "byte" in one)
    assert not np.allclose(first[["x", "y"]], moved[["x", "y"]])
    found = forming.fixed_map([one.embedding for one in shipped.seen("en").observed])
    np.testing.assert_allclose(moved[["x", "y"]], found.points[0])


def test_objectives_have_read_the_same_and_count_what_they_hide(open_app: OpenApp) -> None:
    app = open_app("pretraining", lang="en", pre_panel="objectives")
    [table] = [one.value for one in app.dataframe if "tokens_counted" in one.value]
    assert table["bytes_read"].nunique() == 1
    read, counted = table["bytes_read"][0], table["tokens_counted"].tolist()
    assert counted[0] == read
    assert counted[1] == read * 19 // 128, "15 in 100 of a window of 128"
    for place, kind in enumerate(("next", "masked", "span")):
        run = compared_run("en", kind)
        assert table["bits_after"][place] == pytest.approx(run.held_out[-1][1] / math.log(2))
        assert table["n_parameters"][place] == run.n_parameters


def test_halves_are_measured_before_and_after(open_app: OpenApp) -> None:
    app = open_app("pretraining", lang="en", pre_panel="half")
    table = next(one for one in charts(app) if set(one.get("data", ())) >= {"unread"})
    run = compared_run("en", "half")
    unread = table[table["data"] == "unread"]["bits"]
    np.testing.assert_allclose(unread, [loss / math.log(2) for _step, loss in run.general])
    last = [loss for _step, loss in run.train[-10:]]
    read = table[table["data"] == "read"]["bits"].iloc[-1]
    assert read == pytest.approx(np.mean(last) / math.log(2))
    assert f"The second half cost {unread.iloc[0]:.2f} bits per byte" in markdown(app)
    assert f"costs {read:.2f}." in markdown(app)


@pytest.mark.parametrize("job", ["backwards", "sentiment"])
def test_transfer_says_whether_its_intervals_part(job: str, open_app: OpenApp) -> None:
    app = open_app("pretraining", lang="en", pre_panel="transfer", pre_job=job)
    table = next(one for one in charts(app) if "n_labels" in one)
    curves = compared_run("en", "next").transfer
    for name, body in (("trained body", "trained"), ("random body", "random")):
        rows = table[table["series"] == name]
        assert rows["accuracy"].tolist() == pytest.approx([one[1] for one in curves[f"{job} {body}"]])
        assert (rows["low"] < rows["accuracy"]).all()
        assert (rows["accuracy"] < rows["high"]).all()
    wide = table.pivot(index="n_labels", columns="series", values=["accuracy", "low", "high"])
    n = (wide["accuracy"]["trained body"] - wide["accuracy"]["random body"]).abs().idxmax()
    apart = max(wide["low"].loc[n]) > min(wide["high"].loc[n])
    told = "Their intervals do not touch." if apart else "Their intervals overlap: that may be chance."
    assert told in markdown(app)


def test_the_code_of_transfer_gives_the_curve_of_the_random_body(tmp_path: Path) -> None:
    """Of the trained one it would take a minute: here it has had two steps."""
    seen = shipped.compared("en", "next")
    script = code.transfer(seen, "backwards")
    found, printed = run_script(script.replace("'n_steps': 300", "'n_steps': 2"), tmp_path)
    known = compared_run("en", "next").transfer["backwards random"]
    for (n, share, asked), (shipped_n, shipped_share, shipped_asked) in zip(
        found["curves"]["random"], known, strict=True
    ):
        assert (n, asked) == (shipped_n, shipped_asked)
        assert share == pytest.approx(shipped_share, abs=0.02)
    assert "trained body, 64 labels" in printed


def test_tasks_are_solved_by_what_the_runs_did(open_app: OpenApp) -> None:
    app = open_app("pretraining", lang="en")
    assert "0 of 3 solved" in markdown(app)
    seen = shipped.seen("en")
    line = next(step for step, loss in seen.held_out if loss / math.log(2) < seen.counted[3])
    app.number_input(key="task_pretraining_line").set_value(line).run()
    assert "1 of 3 solved" in markdown(app)
    half = next(step for step, n_words, n in seen.words_written if n and n_words > n / 2)
    app.number_input(key="task_pretraining_words").set_value(half).run()
    assert "2 of 3 solved" in markdown(app)
    ends = {name: points[-1][1] for name, points in cutoff.parts_of(shipped.compared("en", "half")).items()}
    app.radio[0].set_value(max(ends, key=ends.__getitem__)).run()
    assert "3 of 3 solved" in markdown(app)
    assert tasks.dearest("ko") in ends


def test_an_own_text_is_trained_on_looked_at_opened_and_deleted(
    open_app: OpenApp, engine: LocalEngine
) -> None:
    app = open_app("pretraining", lang="en", pre_data="own", **SHORT)
    app.text_area(key="pre_own_text").set_value(STORY).run()
    app.button(key="pre_start").click().run()
    assert not app.exception
    assert not app.error
    wait(app, engine)
    app.run()
    owner = app.session_state["owner_id"]
    [info] = engine.pretraining.of(owner)
    assert info.settings.data == "own"
    [state] = engine.training.runs.of(owner)
    assert (state.status, state.step) == ("done", 12)
    table = [one for one in charts(app) if "order" in one][-1]
    held_out = table[table["data"] == "held_out"]["bits"]
    np.testing.assert_allclose(held_out, [loss / math.log(2) for _step, loss in state.held_out])
    links = [one for one in app.get("bidi_component") if one.proto.component_name == "playground.open_view"]
    assert len(links) >= 4
    app.button(key=f"pre_look_{info.model_id.rpartition('/')[2]}").click().run()
    assert app.session_state["pre_run"] == state.run_id
    assert not app.exception
    app.button(key=f"pre_delete_{info.model_id.rpartition('/')[2]}").click().run()
    assert engine.pretraining.of(owner) == []
    assert not app.exception


@pytest.mark.parametrize("objective", ["masked", "span"])
def test_other_objectives_are_trained_and_told(
    objective: str, open_app: OpenApp, engine: LocalEngine
) -> None:
    app = open_app("pretraining", lang="en", pre_objective=objective, **SHORT)
    app.button(key="pre_start").click().run()
    assert not app.error
    wait(app, engine)
    app.run()
    assert not app.exception
    [state] = engine.training.runs.of(app.session_state["owner_id"])
    assert state.status == "done", state.error
    last = state.held_out[-1][1] / math.log(2)
    assert f"After step 12 a hidden byte of the held-out text costs {last:.2f} bits" in markdown(app)
    filled = [one.filled for one in state.observed if isinstance(one, PretrainingObservation)]
    assert any(filled) == (objective == "masked")
    assert not any(filled) or filled[-1].split()[0][:2] in markdown(app)
    forget(app, engine)


def test_a_file_takes_the_place_of_what_is_typed(open_app: OpenApp) -> None:
    app = open_app("pretraining", lang="en", pre_data="own")
    upload(app, "pre_upload", "story.txt", STORY.encode())
    told = "\n".join(one.value for one in app.success)
    assert f"{len(STORY.strip()):,} bytes" in told.replace("\\", "")
    app.button(key="pre_own_away").click().run()
    assert not app.success


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "The text is empty"),
        ("abc", "The text has 3 bytes and"),
        ("가" * (MAX_TEXT_BYTES // 3 + 1), "the limit is 200,000: shorten it."),
    ],
)
def test_a_text_that_cannot_be_learned_is_told_and_kept(text: str, told: str, open_app: OpenApp) -> None:
    app = open_app("pretraining", lang="en", pre_data="own", **SHORT)
    app.text_area(key="pre_own_text").set_value(text).run()
    app.button(key="pre_start").click().run()
    assert not app.exception
    assert told in errors(app)
    assert app.text_area(key="pre_own_text").value == text
    assert charts(app), "the first picture is still there"


@pytest.mark.parametrize("text", ["a" * 5_000, "😀🦊" * 25_000])
def test_one_letter_and_many_emoji_are_learned(text: str, open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("pretraining", lang="en", pre_data="own", **SHORT)
    app.text_area(key="pre_own_text").set_value(text).run()
    app.button(key="pre_start").click().run()
    assert not app.error
    wait(app, engine)
    app.run()
    assert not app.exception
    [state] = engine.training.runs.of(app.session_state["owner_id"])
    assert state.status == "done", state.error
    assert state.held_out[-1][1] < state.held_out[0][1]
    forget(app, engine)


def test_a_budget_of_nothing_becomes_the_least_and_is_told(open_app: OpenApp) -> None:
    app = open_app("pretraining", lang="en", pre_steps="0")
    assert app.number_input(key="pre_steps").value == 1
    assert "Steps: 0 is not possible, only 1 to 2,000; it is 1 now." in "\n".join(
        one.value for one in app.caption
    )


def test_a_learning_rate_that_diverges_is_told(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("pretraining", lang="en", pre_data="en", pre_rate="10", pre_steps="60", pre_size="d64")
    app.button(key="pre_start").click().run()
    wait(app, engine)
    app.run()
    assert not app.exception
    [state] = engine.training.runs.of(app.session_state["owner_id"])
    assert state.status in ("done", "failed")
    if state.status == "failed":
        assert "Use a smaller learning rate" in errors(app)
    forget(app, engine)


def test_a_run_is_stopped_and_what_it_learned_can_be_used(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("pretraining", lang="en", pre_steps="2000", pre_size="d64")
    app.button(key="pre_start").click().run()
    app.button(key="pre_train_0_cancel").click().run()
    wait(app, engine)
    app.run()
    assert not app.exception
    [state] = engine.training.runs.of(app.session_state["owner_id"])
    assert state.status == "cancelled"
    assert state.step < 2_000
    forget(app, engine)

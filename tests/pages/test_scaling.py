"""The page Scaling laws: its laws, its optimum and its tasks computed another way, and a run of one's own."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from streamlit.testing.v1 import AppTest

from playground.core.known_models import KNOWN_MODELS
from playground.core.metrics.perplexity import Cost
from playground.core.pretraining import bits
from playground.core.scaling_laws import BESIROGLU, HOFFMANN, LAWS
from playground.core.scaling_runs import AXES, Axis, points, shipped
from playground.core.scaling_text import held_out_text, pieces, whole_text
from playground.engine.contract.scaling_runs import BETWEEN, part_of
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.ui.scaling import budget, code, measured, own_points, own_runs, tasks
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, run_code, run_script


def markdown(app: AppTest) -> str:
    return "\n".join(one.value for one in app.markdown).replace("\\", "")


def losses(app: AppTest) -> pd.DataFrame:
    return next(one for one in charts(app) if "low" in one and "fitted" in one)


@pytest.mark.parametrize("axis", AXES)
def test_the_line_is_scipys_regression_of_the_points_that_count(open_app: OpenApp, axis: str) -> None:
    app = open_app("scaling", lang="en", sca_axis="" if axis == AXES[0] else axis)
    assert not app.exception
    table = losses(app)
    counted = table[table["fitted"] == True]  # noqa: E712 - the rows of the law have none
    known = stats.linregress(np.log(counted["x"]), np.log(counted["loss"]))
    half = stats.t.ppf(0.975, len(counted) - 2) * known.stderr
    said = markdown(app)
    assert f"by **{10**known.slope:.3f}**. The exponent is {-known.slope:.3f}" in said
    assert (
        f"(95 % interval {-known.slope - half:.3f} to {-known.slope + half:.3f}; points: {len(counted)})"
        in said
    )
    law = table[table["kind"] == "law"]
    np.testing.assert_allclose(
        law["loss"], np.exp(known.intercept + known.slope * np.log(law["x"])), rtol=1e-6
    )
    assert (law["low"] < law["loss"]).all()
    assert (law["loss"] < law["high"]).all()


def test_a_floor_is_scipys_least_squares(open_app: OpenApp) -> None:
    app = open_app("scaling", lang="en", sca_form="floor")
    assert not app.exception
    table = losses(app)
    counted = table[table["fitted"] == True]  # noqa: E712
    x, loss = counted["x"].to_numpy(), counted["loss"].to_numpy()
    (a, b, c), _cov = optimize.curve_fit(
        lambda x, a, b, c: a * x**-b + c, x / 1e5, loss, (1, 0.3, 1), sigma=loss,
        bounds=([0, 0.005, 0], [np.inf, 4, np.inf]),
    )  # fmt: skip
    law = table[table["kind"] == "law"]
    inside = law[(law["x"] > x.min()) & (law["x"] < x.max())]
    np.testing.assert_allclose(inside["loss"], a * (inside["x"] / 1e5) ** -b + c, rtol=2e-3)


@pytest.mark.parametrize("form", ["line", "floor"])
@pytest.mark.parametrize("axis", AXES)
def test_the_code_shown_gives_the_law(axis: Axis, form: str, tmp_path: Path) -> None:
    found = points(shipped(), axis)
    law = own_runs.law_of(found, "line" if form == "line" else "floor")
    assert law is not None
    made, printed = run_script(code.law(found, law.form), tmp_path)
    x = np.array([one.x for one in found if one.is_fitted])
    said = made["a"] * x ** -made["b"] + made["c"]
    np.testing.assert_allclose(said, law.at(x), rtol=2e-3)
    if form == "line":
        assert made["interval"] == pytest.approx(law.exponent_interval, rel=1e-2)
        assert f"exponent {law.b:.3f}" in printed


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_budget_is_spent_as_a_search_would(open_app: OpenApp, language: str) -> None:
    app = open_app("scaling", lang=language, sca_law="besiroglu", sca_budget_known="1e21")
    assert not app.exception
    table = next(one for one in charts(app) if "budget" in one)
    best = table[table["kind"] == "best"]
    assert best["budget"].tolist() == [1e19, 1e20, 1e21, 1e22, 1e23]
    for row in best.to_dict("records"):
        found = optimize.minimize_scalar(
            lambda n, row=row: float(BESIROGLU.loss(10**n, row["budget"] / 6 / 10**n)),
            bounds=(6, 14), method="bounded", options={"xatol": 1e-9},
        )  # fmt: skip
        assert 10**found.x == pytest.approx(row["n_parameters"], rel=1e-3)
        assert row["loss"] == pytest.approx(found.fun)
        assert row["ratio"] == pytest.approx(row["n_tokens"] / row["n_parameters"])
    [beside] = [one.value for one in app.dataframe]
    assert len(beside) == 3
    assert beside["E"].tolist()[:2] == ["1.69", "1.82"]


def test_the_code_of_a_budget_finds_the_best_split(tmp_path: Path) -> None:
    for law in LAWS.values():
        n, d = law.best_split(1e22)
        made, _printed = run_script(code.budget(law, 1e22, (n / 30, n * 30)), tmp_path)
        assert made["best_n"] == pytest.approx(n, rel=1e-3)
        assert made["best_d"] == pytest.approx(d, rel=1e-3)
        assert made["best_loss"] == pytest.approx(float(law.loss(n, d)))
        assert made["law"] == asdict(law)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0", "trains nothing"), ("-3e20", "trains nothing"), ("much", "is not a number"),
        ("1e99", "beyond what this page can draw"), ("", "is not a number"), ("nan", "is not a number"),
        ("1", "beyond what this page can draw"), ("<b>3</b>", "is not a number"),
    ],
)  # fmt: skip
def test_a_budget_that_cannot_be_gets_one_sentence(open_app: OpenApp, typed: str, said: str) -> None:
    app = open_app("scaling", lang="en")
    app.text_input(key="sca_budget_known").set_value(typed).run()
    assert not app.exception
    errors = [one.value for one in app.error]
    assert len(errors) == 1
    assert said in errors[0]
    app.text_input(key="sca_budget_known").set_value("3*10^23").run()
    assert [one.value for one in app.error] == []


def test_known_models_stand_beside_the_line(open_app: OpenApp, tmp_path: Path) -> None:
    app = open_app("scaling", lang="en", sca_panel="known")
    assert not app.exception
    table = next(one for one in charts(app) if "source" in one)
    assert len(table) == len(KNOWN_MODELS)
    np.testing.assert_allclose(table["ratio"], table["n_tokens"] / table["n_parameters"])
    made, printed = run_script(code.known(), tmp_path)
    above = sum(table["n_tokens"] > 20 * table["n_parameters"])
    assert len(made["above"]) == above
    assert f"{above} of {len(table)} above 20" in printed
    assert f"Above the line: {above} of {len(table)}." in markdown(app)


# ---------------------------------------------------------------- the model at hand


def test_the_model_at_hand_is_measured_on_the_same_text(
    open_app: OpenApp, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    short = held_out_text()[:300]
    monkeypatch.setattr(measured, "held_out_text", lambda: short)
    monkeypatch.setattr(measured, "_known", type(measured._known)())
    app = open_app("scaling", lang="en", model=tiny.LLAMA, sca_model="true")
    assert not app.exception
    assert "model" not in set(losses(app)["kind"])
    app.button(key="sca_measure_now").click().run()
    assert not app.exception
    [row] = losses(app).query("kind == 'model'").to_dict("records")
    [found] = measured._known.values()
    assert isinstance(found, Cost)
    assert row["loss"] == pytest.approx(found.bits_per_byte)
    info = next(one for one in engine.models() if one.model_id == tiny.LLAMA)
    assert row["x"] == info.n_parameters
    # by hand: every token after the first, from the window with half the context at least
    tokenized = [
        engine.tokenizers.tokenize(tiny.LLAMA, one, add_special_tokens=False) for one in pieces(short)
    ]
    ids = tuple(token for one in tokenized for token in one.input_ids)
    start = engine.tokenizers.info(tiny.LLAMA).start_id
    ids = ids if start is None else (start, *ids)
    assert found.n_pieces == len(ids) - 1
    whole = engine.trace(TraceRequest(tiny.LLAMA, input_ids=tuple(ids[:100]), capture=Capture(predictions=1)))
    assert whole.predictions is not None
    first = -float(whole.predictions.logprobs.sum()) / np.log(2)
    assert 0 < first < found.total_bits
    assert f"measured on the same held-out text: **{found.bits_per_byte:.2f}**" in markdown(app)


# ---------------------------------------------------------------- a run of one's own


def trained(app: AppTest, wait_s: float = 300) -> AppTest:
    app.button(key="sca_start").click().run()
    assert not app.exception
    assert [one.value for one in app.error] == []
    deadline = time.monotonic() + wait_s
    while not app.session_state["sca_own"] if "sca_own" in app.session_state else True:
        assert time.monotonic() < deadline
        time.sleep(0.3)
        app.run()
        assert not app.exception
    return app


def test_a_run_of_ones_own_is_a_point_and_the_law_is_fitted_anew(
    open_app: OpenApp, engine: LocalEngine
) -> None:
    app = open_app("scaling", lang="en", sca_panel="live", sca_size="d32", sca_steps="50")
    assert not app.exception
    before = losses(app)
    trained(app)
    table = losses(app)
    [own] = table.query("kind == 'own'").to_dict("records")
    shape = BETWEEN["d32"]
    assert own["n_parameters"] == shape.n_parameters
    assert own["n_tokens"] == 50 * 16 * 128
    assert own["flops"] == 6 * own["n_parameters"] * own["n_tokens"]
    assert own["n_bytes"] == len(part_of(whole_text(), 1.0))
    assert own["fitted"] in (False, 0), "it read less than ours, so it differs in more than its size"
    assert "law_before" in set(table["kind"])
    assert len(before.query("kind == 'all'")) == len(table.query("kind == 'all'"))
    owner = app.session_state["owner_id"]
    [state] = engine.training.runs.of(owner)
    assert own["loss"] == pytest.approx(bits(state.held_out[-1][1]))
    assert engine.pretraining.of(owner) == [], "what it has learned is let go"
    app.button(key="sca_forget").click().run()
    assert "own" not in set(losses(app)["kind"])


def test_more_runs_than_may_be_are_refused_in_a_sentence(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("scaling", lang="en", sca_panel="live", sca_size="d128", sca_steps="600")
    for seed in range(1, 5):
        app.number_input(key="sca_seed").set_value(seed).run()
        app.button(key="sca_start").click().run()
        assert not app.exception
    errors = [one.value for one in app.error]
    owner = app.session_state["owner_id"]
    for one in engine.training.runs.of(owner):
        engine.training.runs.cancel(one.run_id)
    assert len(errors) == 1


def test_the_oldest_point_goes_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its run is no longer one of those whose points are collected: it would push out the next one."""
    monkeypatch.setattr("playground.ui.scaling.own_points.st.session_state", {})
    for number in range(own_points.MOST + 2):
        own_points.start(f"run {number}", 1.0)
        own_points.add(f"run {number}", replace(shipped()[0], name=str(number), is_own=True))
    assert [one.name for one in own_points.runs()] == [str(n) for n in range(2, own_points.MOST + 2)]
    assert set(own_points.started()) == {f"run {n}" for n in range(2, own_points.MOST + 2)}


# ---------------------------------------------------------------- tasks


def test_the_tasks_have_the_answers_that_the_runs_and_laws_give() -> None:
    tenth, small, split = tasks.make()
    counted = [one for one in shipped() if one.is_on_all]
    line = stats.linregress(
        np.log([one.n_parameters for one in counted]), np.log([one.last.bits_per_byte for one in counted])
    )
    assert tenth.answer() == pytest.approx(0.9 ** (1 / line.slope))
    eighths = {one.n_parameters: one.last.bits_per_byte for one in shipped() if one.share == 1 / 8}
    assert small.answer() == str(min(eighths, key=eighths.__getitem__))
    assert set(small.options) == {str(n) for n in eighths}
    assert len(eighths) == 5
    sizes = np.geomspace(1e8, 1e13, 100_001)
    tokens = 3.15e23 / 6 / sizes
    best = int(BESIROGLU.loss(sizes, tokens).argmin())
    assert split.answer() == pytest.approx(tokens[best] / sizes[best], rel=1e-3)
    assert abs(float(split.answer()) - 20) < 5
    n, d = HOFFMANN.best_split(3.15e23)
    assert d / n > 2 * float(split.answer()), "as the lesson says, the printed constants do not give the rule"


def test_solved_by_the_page(open_app: OpenApp) -> None:
    app = open_app("scaling", lang="en")
    answers = {one.id: one.answer() for one in tasks.make()}
    app.number_input(key="task_scaling_tenth").set_value(round(float(answers["tenth"])))
    app.number_input(key="task_scaling_split").set_value(round(float(answers["split"])))
    [radio] = [one for one in app.radio if (one.key or "").startswith("task_scaling_small")]
    radio.set_value(answers["small"])
    app.run()
    assert not app.exception
    assert len([one for one in app.success if "Right." in one.value]) == 3


def test_the_three_laws_are_named_once() -> None:
    assert set(budget.NAMES) == set(budget.SOURCES) == set(budget.FIRST) == set(budget.laws())


def test_the_default_code_runs(tmp_path: Path) -> None:
    assert run_code("scaling", tmp_path)["b"] > 0
    assert run_code("scaling_budget", tmp_path)["best_n"] > 1e9
    assert run_code("scaling_known", tmp_path)["above"] == []

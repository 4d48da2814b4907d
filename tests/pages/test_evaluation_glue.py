"""GLUE in small: the table equals another computation, what is measured is kept, the shown code gives it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from streamlit.testing.v1 import AppTest

from playground.core import glue, glue_answers
from playground.engine.contract.models import AdapterName
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.training import ENDED
from playground.engine.contract.vectors import TracesRequest
from playground.engine.local.engine import LocalEngine
from playground.paths import site_root
from playground.settings import Settings
from playground.ui.evaluation import glue_adapter, glue_asking
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, folder, run_code

WORDS = (
    "the cat",
    "the dog",
    "the mat",
    "a cat",
    "a dog",
    "a mat",
    "서울은",
    "나는",
    "오늘",
    "학교에",
    "0 1",
    "2 3",
)
EN_KO = ("en", "ko")


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Sets of few and short items, which tiny models can read, and nothing measured before."""
    sets = tmp_path / "assets" / "samples" / "glue"
    sets.mkdir(parents=True)
    for task in glue.TASKS:
        real = json.loads((site_root() / "assets" / "samples" / "glue" / f"{task}.json").read_text("utf-8"))
        labels = real["labels"] or [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
        items = []
        for n, first in enumerate(WORDS * 2):
            texts = [first, WORDS[-1 - n % 12]] if len(real["items"][0]["texts"]) > 1 else [first]
            split = "train" if n < 12 else "held_out"
            texts[0] += "." if split == "train" else "!"
            items.append(
                {
                    "language": EN_KO[n % 2],
                    "split": split,
                    "texts": texts,
                    "label": labels[n // 2 % len(labels)],
                }
            )
        (sets / f"{task}.json").write_text(json.dumps(real | {"items": items}), "utf-8")
    monkeypatch.setattr(glue, "site_root", lambda: tmp_path)
    monkeypatch.setattr(glue_asking, "shipped", tuple)
    monkeypatch.setattr(glue, "N_SHOTS_A_LABEL", 1)
    _forget()
    yield sets
    _forget()


def _forget() -> None:
    for cached in (glue.data_of, glue_answers.words_told, glue_answers.figure_of):
        cached.cache_clear()
    glue_asking._known.clear()


def opened(open_app: OpenApp, **url: str) -> AppTest:
    app = open_app("evaluation", **({"lang": "en", "ev_panel": "glue", "model": tiny.LLAMA} | url))
    assert not app.exception
    assert not app.error
    return app


def table(app: AppTest) -> pd.DataFrame:
    (found,) = (one for one in charts(app) if "against" in one)
    return found


def value(app: AppTest, way: str, task: str) -> float:
    rows = table(app)
    return float(rows[(rows["way"] == way) & (rows["task"] == task)]["value"].item())


def metric_of(task: str, told: list[object], languages: tuple[str, ...] = EN_KO) -> float:
    data = glue.data_of(task)
    right = [item.label for item in data.part("held_out", languages)]
    if data.metric == "f1":
        return float(f1_score(right, told, pos_label=data.labels[-1]))
    by_name = {"accuracy": accuracy_score, "matthews": matthews_corrcoef}
    return float(by_name[data.metric](right, told) if data.labels else spearmanr(right, told).statistic)


# ---------------------------------------------------------------- the first view


def test_the_first_view_is_real_and_asks_no_model(
    open_app: OpenApp, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_args: object) -> None:
        raise AssertionError("asked")

    monkeypatch.setattr(engine.vectors, "traces", never)
    monkeypatch.setattr(type(engine), "score", never)
    app = opened(open_app)
    rows = table(app)
    assert list(dict.fromkeys(rows["task"])) == list(glue.TASKS)
    assert {"words", "chance"} < set(rows["way"])
    shipped = json.loads((site_root() / "assets" / "trained" / "glue" / "answers.json").read_text("utf-8"))[
        "told"
    ]
    assert len(rows) == len(shipped) + 2 * len(glue.TASKS)
    for row in shipped:
        labels = glue.data_of(row["task"]).labels
        told = [labels[one] for one in row["answers"]] if labels else row["answers"]
        assert value(app, row["way"], row["task"]) == pytest.approx(metric_of(row["task"], told))


@pytest.mark.parametrize("language", EN_KO)
def test_the_sentence_names_the_tasks_whose_interval_includes_chance(
    open_app: OpenApp, language: str
) -> None:
    app = opened(open_app, ev_glue_lang=language)
    rows = table(app)
    own = rows[rows["way"] == "head"]
    told = next(one.value for one in app.markdown if "frozen vectors" in one.value).replace("\\", "")
    told = told.split("\n")[0]
    undecided = own[(own["low"] <= own["chance"]) & (own["chance"] <= own["high"])]["name"]
    after = told.partition("as far as these items can tell, on ")[2].partition(";")[0].rstrip(".")
    assert after.split(", ") == list(undecided)
    assert set(own["n"]) <= {40, 42}


# ---------------------------------------------------------------- measuring


def test_a_head_is_measured_as_the_library_fits_it(open_app: OpenApp, engine: LocalEngine, few: Path) -> None:
    app = opened(open_app)
    assert "head" not in set(table(app)["way"])
    app.button(key="ev_glue_start").click().run()
    assert not app.error
    data = glue.data_of("rte")
    parts = [data.part("train", EN_KO), data.part("held_out", EN_KO)]
    read = []
    for items in parts:
        texts = tuple(text for item in items for text in item.texts)
        states = dict(engine.vectors.traces(TracesRequest(tiny.BERT, texts, (2,), 0)))
        means = np.array([states[n].hidden_states[-1].mean(0) for n in range(len(texts))])  # type: ignore[union-attr, index]
        u, v = np.moveaxis((means / np.linalg.norm(means, axis=1)[:, None]).reshape(len(items), 2, -1), 1, 0)
        read.append(np.hstack([u, v, abs(u - v), u * v]))
    labels = [item.label for item in parts[0]]
    told = LogisticRegression(C=10.0, max_iter=2_000, tol=1e-8).fit(read[0], labels).predict(read[1])
    assert value(app, "head", "rte") == pytest.approx(metric_of("rte", list(told)))
    assert set(table(app)[table(app)["way"] == "head"]["task"]) == set(glue.TASKS)
    assert app.button(key="ev_glue_start").disabled
    known = list(glue_asking._known.values())
    again = opened(open_app, lang="ko")
    assert value(again, "head", "rte") == value(app, "head", "rte")
    assert all(one is two for one, two in zip(glue_asking._known.values(), known, strict=True))


@pytest.mark.usefixtures("few")
def test_a_prompt_is_answered_by_the_most_probable_label_word(open_app: OpenApp, engine: LocalEngine) -> None:
    app = opened(open_app, ev_glue_way="zero")
    app.button(key="ev_glue_start").click().run()
    assert not app.error
    for task in ("mnli", "stsb"):
        items = glue.data_of(task).part("held_out", EN_KO)
        texts = tuple(glue.prompt(task, item, few_shot=False) for item in items)
        request = ScoreRequest(tiny.LLAMA, texts, (glue.words(task),) * len(items))
        scores = np.array([one.logprobs for _place, one in engine.score(request)])
        probs = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        labels = glue.data_of(task).labels
        told = [labels[n] for n in probs.argmax(1)] if labels else list(probs @ np.arange(6))
        assert value(app, "zero", task) == pytest.approx(metric_of(task, told))


@pytest.mark.usefixtures("few")
def test_stop_keeps_nothing_half_measured(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ui.evaluation.glue.measure", lambda *_args: False)
    app = opened(open_app)
    app.button(key="ev_glue_start").click().run()
    assert not app.button(key="ev_glue_stop").disabled
    app.button(key="ev_glue_stop").click().run()
    assert app.button(key="ev_glue_stop").disabled
    assert not glue_asking._known


def test_what_is_remembered_is_bounded() -> None:
    glue_asking._known.clear()
    for n in range(glue_asking.N_KNOWN + 5):
        glue_asking.remember(glue_answers.Told("zero", "rte", f"a/{n}", "r", ("entailment",), 1.0))
    assert len(glue_asking._known) == glue_asking.N_KNOWN
    glue_asking._known.clear()


@pytest.mark.usefixtures("few")
def test_an_adapter_is_trained_for_one_task_and_asked(
    open_app: OpenApp, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.engine.contract.label_runs.N_STEPS", 2)
    app = opened(open_app, ev_glue_task="rte")
    app.button(key="ev_glue_train").click().run()
    assert not app.error, app.error[0].value
    run_id, task = app.session_state[glue_adapter.RUN]
    owner = app.session_state["owner_id"]
    deadline = time.monotonic() + 60
    while (run := engine.training.runs.state(run_id, owner)) and not (run.status in ENDED and run.is_settled):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert run is not None
    assert (task, run.status, run.n_train, run.n_held_out) == ("rte", "done", 12, 0)
    app.run()
    assert not app.exception
    assert not app.error
    (told,) = glue_asking._known.values()
    assert (told.way, told.task, told.model_id) == ("adapter", "rte", tiny.LLAMA)
    assert AdapterName.of(run.adapter).base_id == tiny.LLAMA
    items = glue.data_of("rte").part("held_out", EN_KO)
    texts = tuple(glue.prompt("rte", item, few_shot=False) for item in items)
    request = ScoreRequest(run.adapter, texts, ((" no", " yes"),) * len(items))
    expected = [
        ("not_entailment", "entailment")[int(np.argmax(one.logprobs))]
        for _place, one in engine.score(request)
    ]
    assert list(told.answers) == expected
    assert value(app, "adapter", "rte") == pytest.approx(metric_of("rte", list(told.answers)))
    assert app.button(key="ev_glue_train").disabled


# ---------------------------------------------------------------- how many items, and the code


def test_the_sliders_ask_no_model_and_the_sentence_follows_them(
    open_app: OpenApp, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(open_app)

    def never(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("asked")

    for part in ("trace", "score", "generate"):
        monkeypatch.setattr(type(engine), part, never)
    app.slider(key="ev_glue_worse").set_value(50).run()
    app.slider(key="ev_glue_more").set_value(40).run()
    assert not app.exception
    told = " ".join(one.value for one in app.markdown)
    assert f"items of its own: {glue.items_to_tell(0.5, 0.9)}" in told
    assert "all nine real tasks are that large" in told


@pytest.mark.parametrize(("worse", "better"), [(70, 75), (98, 100), (50, 51)])
def test_tasks_too_small_to_tell_are_named(open_app: OpenApp, worse: int, better: int) -> None:
    needed = glue.items_to_tell(worse / 100, better / 100)
    app = opened(open_app, ev_glue_worse=str(worse), ev_glue_more=str(better - worse))
    said = " ".join(one.value for one in app.markdown)
    for task in glue.TASKS.values():
        assert (f"{task.name} ({task.n_validation:,})" in said) is (task.n_validation < needed)


def test_the_code_shown_gives_the_figures(
    open_app: OpenApp, few: Path, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = opened(open_app)
    app.button(key="ev_glue_start").click().run()
    app = opened(open_app, ev_glue_way="zero")
    app.button(key="ev_glue_start").click().run()
    assert not app.error
    tasks = ("cola", "stsb", "mnli")
    asked = {
        name: (one.instruction, list(one.names), one.output, list(one.words))
        for name, one in glue.TASKS.items() if name in tasks
    }  # fmt: skip
    places = {"encoder": folder(tiny_settings, tiny.BERT), "decoder": folder(tiny_settings, tiny.LLAMA)}
    found = run_code("glue", tmp_path, sets=str(few), languages=list(EN_KO), asked=asked, **places)["figures"]
    for way in ("head", "zero"):
        for task in tasks:
            assert found[way, task] == pytest.approx(value(app, way, task), abs=1e-6, nan_ok=True)


def test_the_code_of_the_sizes_gives_the_sentence(tmp_path: Path) -> None:
    found = run_code("glue_sizes", tmp_path, worse=0.7, better=0.75, n=40)
    assert found["needed"] == glue.items_to_tell(0.7, 0.75)
    assert (found["low"], found["high"]) == pytest.approx((0.5457, 0.8193), abs=1e-4)

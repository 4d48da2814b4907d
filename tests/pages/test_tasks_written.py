"""The page Tasks, jobs that are written: measured, stopped, kept for all; sentences found; code run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sacrebleu import corpus_bleu

from playground.core.jobs.items import QuestionItem, WritingItem
from playground.core.jobs.prompts import prompt
from playground.core.sampling import GREEDY
from playground.core.sentences import sentence_vector
from playground.core.trace import Trace
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.vectors import TracesRequest
from playground.engine.local.engine import LocalEngine
from playground.paths import site_root
from playground.ui.tasks import measured, nearest_sentence, questions, writer, writing
from playground.ui.tasks.chosen import item_id
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, run_script
from tests.pages.tasked import sent
from tests.pages.test_families import scripts  # noqa: F401 - a fixture

TEXTS = ("The cat sat. It sat on the mat.", "The dog sat on the cat.", "A mat.")
RIGHT = (("고양이가 앉았다.",), ("개가 앉았다.", "개가 고양이 위에 앉았다."), ("매트.",))


def few(job: str, split: str, language: str) -> tuple[Any, ...]:
    if job == "qa":
        rows = [
            ("The cat sat. The dog ran.", "Who ran?", ("The dog",)),
            ("A mat. A cat.", "Which?", ("A cat",)),
        ]
        made: list[Any] = [QuestionItem(language, split, *row) for row in rows]  # type: ignore[arg-type]
    else:
        target = "ko" if job == "translation" else language
        made = [
            WritingItem(language, split, text, target, right)
            for text, right in zip(TEXTS, RIGHT, strict=True)
        ]  # type: ignore[arg-type]
    return tuple(made) if split == "held_out" else tuple(made[:1])


@pytest.fixture(autouse=True)
def few_items(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Short items, since tiny models read 128 tokens; nothing measured yet."""

    def clear() -> None:
        measured._known.clear()
        writer._shots.cache_clear()
        writer._fitting.cache_clear()
        questions.questions.cache_clear()

    for module in (writer, writing, questions, nearest_sentence):
        monkeypatch.setattr(module, "writing", few)
    monkeypatch.setattr(writer, "N_TOKENS", dict.fromkeys(writer.N_TOKENS, 6))
    for module in (writing, questions):
        monkeypatch.setattr(module, "N_TOKENS", dict.fromkeys(writer.N_TOKENS, 6))
    clear()
    yield
    clear()


def measure(open_app: OpenApp, job: str) -> Any:
    app = open_app("tasks", lang="en", model=tiny.LLAMA, tsk_job=job, tsk_own_summarization="The cat.")
    app.button(key=f"tsk_{job}_start").click().run()
    assert not app.exception
    assert not app.error
    return app


def written(engine: LocalEngine, text: str) -> str:
    request = GenerateRequest(tiny.LLAMA, text, sampling=GREEDY, max_new_tokens=6, stop=("\n",))
    return "".join(step.text for step in engine.generate(request)).strip()


def test_translations_are_the_models_and_bleu_is_sacrebleus(open_app: OpenApp, engine: LocalEngine) -> None:
    app = measure(open_app, "translation")
    items = few("translation", "held_out", "en")
    shots = writer.shots(
        next(one for one in engine.models() if one.model_id == tiny.LLAMA), "translation", "en"
    )
    answers = [written(engine, prompt(one, shots)) for one in items]
    figures = next(one for one in charts(app) if "metric" in one).set_index(["who", "metric"])
    streams = [[one.references[0] for one in items], [one.references[-1] for one in items]]
    bleu = corpus_bleu(answers, streams, tokenize="char", force=True).score
    assert figures.loc[("model", "BLEU (char)"), "value"] == pytest.approx(bleu, abs=1e-6)
    copied = corpus_bleu([one.text for one in items], streams, tokenize="char", force=True).score
    assert figures.loc[("baseline", "BLEU (char)"), "value"] == pytest.approx(copied, abs=1e-6)


@pytest.mark.parametrize("job", ["summarization", "qa"])
def test_the_next_reader_finds_the_answers(open_app: OpenApp, engine: LocalEngine, job: str) -> None:
    measure(open_app, job)
    again = open_app("tasks", lang="ko", tsk_language="en", model=tiny.LLAMA, tsk_job=job)
    assert [one for one in charts(again) if "metric" in one]
    assert again.button(key=f"tsk_{job}_start").disabled


def test_the_sentence_is_the_one_with_the_largest_cosine(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("tasks", lang="en", model=tiny.LLAMA, tsk_job="qa")
    n_layer = next(one.n_layer for one in engine.models() if one.model_id == tiny.BERT)
    hits = 0
    for item in few("qa", "held_out", "en"):
        halves = item.context.split(". ")
        texts = (item.question, f"{halves[0]}.", halves[1])
        found = dict(engine.vectors.traces(TracesRequest(tiny.BERT, texts, (n_layer,))))
        asked, *passages = (
            sentence_vector(one) for one in (found[0], found[1], found[2]) if isinstance(one, Trace)
        )
        hits += item.answers[0] in texts[1 + int(np.argmax([one @ asked for one in passages]))]
    figures = next(one for one in charts(app) if "metric" in one).set_index("metric")
    assert figures.loc["sentence", "value"] == pytest.approx(100 * hits / 2)
    assert "guessing: 50" in " ".join(one.value for one in app.markdown)
    assert sent(app, "tagged_text")


def test_a_text_that_is_too_long_is_refused_and_the_set_measured_all_the_same(open_app: OpenApp) -> None:
    app = open_app(
        "tasks", lang="en", model=tiny.LLAMA, tsk_job="summarization", tsk_own_summarization="a b " * 90
    )
    assert [one.value for one in app.error if "tokens" in one.value]
    app.button(key="tsk_summarization_start").click().run()
    assert [one for one in charts(app) if "metric" in one]


def test_an_edited_text_gets_a_new_answer(open_app: OpenApp, engine: LocalEngine) -> None:
    app = measure(open_app, "summarization")
    (choice,) = [one for one in app.radio if "Choose a text" in one.label]
    item = few("summarization", "held_out", "en")[1]
    choice.set_value(item_id(item)).run()
    app.text_area(key="tsk_edit").set_value("The mat sat.").run()
    assert not app.exception
    own = WritingItem("en", "held_out", "The mat sat.", "en", ())
    shots = writer.shots(
        next(one for one in engine.models() if one.model_id == tiny.LLAMA), "summarization", "en"
    )
    told = [one.value for one in app.markdown if one.value.startswith("After your edit it writes:")]
    assert len(told) == 1
    answer = written(engine, prompt(own, shots))
    assert told[0].replace("\\", "").endswith(f"**{answer or '…'}**")


@pytest.mark.parametrize("job", ["translation", "summarization"])
def test_the_code_of_written_jobs_gives_the_answers(
    open_app: OpenApp,
    scripts: dict[str, str],  # noqa: F811
    tmp_path: Path,
    job: str,
) -> None:
    app = measure(open_app, job)
    found = run_script(scripts[f"tasks_{job}"], tmp_path)[0]
    figures = next(one for one in charts(app) if "metric" in one)
    mine = figures[figures["who"] == "model"]["value"].tolist()
    np.testing.assert_allclose(list(found["figures"].values()), mine, atol=1e-6)


def test_the_code_of_questions_gives_the_hits_and_f1(
    open_app: OpenApp,
    scripts: dict[str, str],  # noqa: F811
    tmp_path: Path,
) -> None:
    app = measure(open_app, "qa")
    found = run_script(scripts["tasks_questions"], tmp_path)[0]
    figures = next(one for one in charts(app) if "metric" in one).set_index("metric")["value"]
    assert 100 * np.mean(found["hits"]) == pytest.approx(figures["sentence"])
    assert 100 * np.mean(found["scores"]) == pytest.approx(figures["F1 (words)"])


# ---------------------------------------------------------------- one question, many readers


class Bar:
    """Counts how often it is drawn."""

    def __init__(self) -> None:
        self.done: list[float] = []

    def draw(self, done: float, _words: str) -> None:
        self.done.append(done)


def asker(log: list[int], upto: int = 99) -> Callable[[Any], Any]:
    def ask(missing: list[int]) -> Iterator[tuple[int, str]]:
        for place in list(missing)[:upto]:
            log.append(place)
            yield place, str(place)

    return ask


def complete(found: measured.Measurement[str], ask: Callable[[Any], Any]) -> bool:
    bar: Any = Bar()
    return measured.complete(found, range(4), bar, "{done} of {total}", ask)


def test_what_is_answered_is_not_asked_again_after_a_stop() -> None:
    found: measured.Measurement[str] = measured.Measurement()
    log: list[int] = []
    assert not complete(found, asker(log, upto=2))
    assert complete(found, asker(log))
    assert log == [0, 1, 2, 3]


def test_an_error_gives_the_turn_back() -> None:
    found: measured.Measurement[str] = measured.Measurement()

    def broken(_missing: Any) -> Iterator[tuple[int, str]]:
        yield 0, "0"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        complete(found, broken)
    assert not found.turn.locked()
    assert complete(found, asker([]))


def test_measurements_are_bounded() -> None:
    for number in range(measured.N_KNOWN + 5):
        measured.measurement("job", str(number))
    assert len(measured._known) == measured.N_KNOWN


@pytest.mark.parametrize("language", ["en", "ko"])
def test_until_the_encoder_is_there_the_figures_of_the_heads_note_are_shown(
    open_app: OpenApp, language: str
) -> None:
    note = site_root() / "assets" / "trained" / "e5-sentiment-head" / "playground.json"
    figures = json.loads(note.read_text("utf-8"))["figures"]
    app = open_app("tasks", lang=language, model=tiny.LLAMA)  # no E5 among the tiny models
    shown = next(one for one in charts(app) if "metric" in one).iloc[0]
    assert shown["value"] == pytest.approx(100 * figures[f"accuracy_{language}"])
    assert shown["low"] < shown["value"] < shown["high"]

"""The page Tasks, jobs of an encoder with a head: numbers counted another way, code run, odd input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from seqeval.metrics import f1_score
from sklearn.metrics import confusion_matrix

from playground.core.jobs.names import labels_of_words, words_of_tokens
from playground.engine.contract.task_heads import PredictRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.task_heads.trained import SHIPPED
from playground.ui.tasks import classification, names, sets
from playground.ui.tasks.chosen import item_id
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, run_script
from tests.pages.tasked import LABEL, WORDS, sent, tiny_heads  # noqa: F401 - a fixture
from tests.pages.test_families import scripts  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("tiny_heads")
LABELS = ["negative", "positive"]


def asked(engine: LocalEngine, texts: list[str]) -> list[dict[str, float]]:
    """Label -> probability of each text, asked of the engine."""
    request = PredictRequest(SHIPPED[0], texts=tuple((text,) for text in texts))
    found = dict(engine.task_heads.predict(request))
    rows = [found[place].values[0].tolist() for place in range(len(texts))]  # type: ignore[union-attr]
    return [dict(zip(LABEL.labels, row, strict=True)) for row in rows]


def answers(engine: LocalEngine, texts: list[str]) -> list[str]:
    return [max(row, key=row.__getitem__) for row in asked(engine, texts)]


def said(app: object) -> str:
    return " ".join(one.value for one in app.markdown)  # type: ignore[attr-defined]


def test_the_matrix_counts_the_answers_to_the_held_out_reviews(
    open_app: OpenApp, engine: LocalEngine
) -> None:
    app = open_app("tasks", lang="en")
    (matrix,) = sent(app, "confusion")
    items = classification.classified("held_out", "en")
    told = answers(engine, [one.texts[0] for one in items])
    right = [str(one.label) for one in items]
    assert matrix["counts"] == confusion_matrix(right, told, labels=LABELS).tolist()
    n_right = sum(map(str.__eq__, right, told))
    assert f"{n_right} of {len(items)} held-out reviews are answered right" in said(app)
    figures = next(one for one in charts(app) if "metric" in one).set_index(["who", "metric"])
    assert figures.loc[("model", "accuracy"), "value"] == pytest.approx(100 * n_right / len(items))
    words = sum(map(str.__eq__, right, classification.baseline("en")))
    assert figures.loc[("baseline", "accuracy"), "value"] == pytest.approx(100 * words / len(items))


def test_the_own_text_is_answered_by_the_head(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("tasks", lang="en", tsk_own_classification="the cat sat on the mat")
    shown = next(one for one in charts(app) if "share" in one).set_index("label")["share"]
    (probs,) = asked(engine, ["the cat sat on the mat"])
    assert shown.to_dict() == pytest.approx(probs)


def test_a_cell_opens_its_items_and_an_edited_one_gets_a_new_answer(
    open_app: OpenApp, engine: LocalEngine
) -> None:
    items = classification.classified("held_out", "en")
    texts = [one.texts[0] for one in items]
    told = answers(engine, texts)
    at = next(place for place, one in enumerate(items) if one.label != told[place])
    app = open_app("tasks", lang="en", tsk_cell=f"{items[at].label}-{told[at]}")
    (choice,) = [one for one in app.radio if "Choose an item" in one.label]
    mine = [
        item_id(one)
        for one, answer in zip(items, told, strict=True)
        if (one.label, answer) == (items[at].label, told[at])
    ]
    assert len(choice.options) == len(mine)
    choice.set_value(item_id(items[at])).run()
    field = app.text_area(key="tsk_edit")
    assert field.value == texts[at]
    field.set_value("the dog").run()
    shown = [one for one in charts(app) if "share" in one][-1].set_index(["time", "label"])["share"]
    before, after = asked(engine, [texts[at], "the dog"])
    assert shown["before"].to_dict() == pytest.approx(before)
    assert shown["after"].to_dict() == pytest.approx(after)


def test_the_second_reader_finds_the_set_measured(open_app: OpenApp, engine: LocalEngine) -> None:
    open_app("tasks", lang="en")
    n_before = engine.stats().n_forwards
    again = open_app("tasks", lang="ko", tsk_language="en")
    assert sent(again, "confusion")
    # the own text of the Korean page is another one, so it alone may be read
    assert engine.stats().n_forwards <= n_before + 1


def test_names_are_the_labels_of_the_tokens_and_f1_is_seqevals(
    open_app: OpenApp, engine: LocalEngine
) -> None:
    app = open_app("tasks", lang="ko", tsk_job="ner")
    items = names.named("held_out", "ko")
    words = [
        words_of_tokens(
            one.text, engine.tokenizers.tokenize(tiny.BERT, one.text, add_special_tokens=True).offsets
        )
        for one in items
    ]
    request = PredictRequest(SHIPPED[1], texts=tuple((one.text,) for one in items), words=tuple(words))
    found = dict(engine.task_heads.predict(request))
    told = [
        [WORDS.labels[label] for label in found[place].values.argmax(1)]  # type: ignore[union-attr]
        for place in range(len(items))
    ]
    right = [list(labels_of_words(each, one.names)) for each, one in zip(words, items, strict=True)]
    figures = next(one for one in charts(app) if "metric" in one).set_index(["who", "metric"])
    assert figures.loc[("model", "F1"), "value"] == pytest.approx(100 * f1_score(right, told))
    (tags,) = sent(app, "tagged_text")
    assert "".join(part for part, _kind in tags["views"][0]["parts"]) == sets.OWN["ner"]["ko"]
    assert [token for token, _label, _share in tags["tokens"]]


def test_the_matrix_of_names_counts_every_right_name_once(open_app: OpenApp) -> None:
    app = open_app("tasks", lang="en", tsk_job="ner")
    (matrix,) = sent(app, "confusion")
    rows = [sum(row) for row in matrix["counts"]][:4]
    kinds = [name.kind for one in names.named("held_out", "en") for name in one.names]
    assert rows == [kinds.count(kind) for kind in ("PER", "ORG", "LOC", "DATE")]


@pytest.mark.parametrize("job", ["classification", "ner"])
@pytest.mark.parametrize("text", ["\u200b", "👍" * 40, "</script>", "a" * 500, "​ ​"])
def test_odd_texts_get_an_answer_or_one_sentence(open_app: OpenApp, job: str, text: str) -> None:
    app = open_app("tasks", lang="en", tsk_job=job, **{f"tsk_own_{job}": text})
    assert not app.exception
    assert len(app.error) <= 1


def test_a_link_with_nonsense_shows_the_page(open_app: OpenApp) -> None:
    app = open_app("tasks", lang="en", tsk_cell="x-y", tsk_item="zz", tsk_language="xx", tsk_edit="a")
    assert not app.exception
    assert sent(app, "confusion")[0]["selected"] is None


def test_the_tasks_are_checked_against_the_matrix(open_app: OpenApp) -> None:
    app = open_app("tasks", lang="en")
    (matrix,) = sent(app, "confusion")
    field = app.number_input(key="task_tasks_missed")
    field.set_value(matrix["counts"][1][0]).run()
    assert any("Right." in one.value for one in app.success)
    names_app = open_app("tasks", lang="en", tsk_job="ner")
    counts = sent(names_app, "confusion")[0]["counts"]
    names_app.number_input(key="task_tasks_overlooked").set_value(sum(row[4] for row in counts[:4])).run()
    assert any("Right." in one.value for one in names_app.success)


def test_the_code_of_sentiment_gives_the_answers(
    open_app: OpenApp,
    scripts: dict[str, str],  # noqa: F811
    tmp_path: Path,
    engine: LocalEngine,
) -> None:
    open_app("tasks", lang="en")
    found = run_script(scripts["tasks_labels"], tmp_path)[0]
    texts = [one.texts[0] for one in classification.classified("held_out", "en")]
    expected = [row["positive"] for row in asked(engine, texts)]
    np.testing.assert_allclose(
        found["probs"][:, found["head"].classes_.tolist().index("positive")], expected, atol=2e-3
    )


def test_the_code_of_names_gives_f1(
    open_app: OpenApp,
    scripts: dict[str, str],  # noqa: F811
    tmp_path: Path,
) -> None:
    app = open_app("tasks", lang="en", tsk_job="ner")
    printed = run_script(scripts["tasks_names"], tmp_path)[1]
    figures = next(one for one in charts(app) if "metric" in one).set_index(["who", "metric"])
    assert f"F1 over names: {figures.loc[('model', 'F1'), 'value']:.1f}%" in printed

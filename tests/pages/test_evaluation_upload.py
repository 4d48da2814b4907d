"""Own predictions on the page Evaluation: texts and labels, a row named in every error, a thousand rows."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from sacrebleu.metrics.bleu import BLEU
from sklearn import metrics
from streamlit.testing.v1 import AppTest

from playground.core.files.prediction_rows import read_predictions
from playground.paths import site_root
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, run_code, upload

FIELD = "ev_predictions_upload"


def own(open_app: OpenApp, language: str = "en", **url: str) -> AppTest:
    app = open_app("evaluation", lang=language, ev_panel="own", **url)
    assert not app.exception
    return app


def told(app: AppTest) -> str:
    assert not app.exception
    boxes = (*app.markdown, *app.info, *app.caption, *app.warning, *app.error, *app.success)
    return "\n".join(str(one.value) for one in boxes).replace("\\", "")


def of_labels(rows: list[tuple[str, str]]) -> bytes:
    return ("label,predicted\n" + "".join(f"{one},{other}\n" for one, other in rows)).encode()


@pytest.mark.parametrize(("language", "tokenizer"), [("en", "13a"), ("ko", "char")])
def test_the_sample_is_scored_at_first(
    language: str, tokenizer: str, open_app: OpenApp, tmp_path: Path
) -> None:
    app = own(open_app, language)
    file = site_root() / "assets" / "samples" / language / "predictions.csv"
    rows = read_predictions("predictions.csv", file.read_bytes()).predictions
    streams = [
        [one.references[0] for one in rows],
        [one.references[1] if one.references[1:] else None for one in rows],
    ]
    corpus = BLEU(tokenize=tokenizer).corpus_score([one.candidate for one in rows], streams)  # type: ignore[arg-type]
    report = next(one.value for one in app.dataframe if len(one.value) == 8)
    assert report.iloc[0, 1] == pytest.approx(corpus.score, abs=1e-3)
    assert report.iloc[0, 2] <= corpus.score <= report.iloc[0, 3]
    assert f"tok:{tokenizer}" in report.iloc[0, 4]
    assert len(charts(app)[0]) == len(rows)
    code = run_code(
        "own_predictions", tmp_path, references=[list(one.references) for one in rows],
        candidates=[one.candidate for one in rows], bleu_tokenizer=tokenizer,
    )  # fmt: skip
    assert code["corpus"].corpus_score([one.candidate for one in rows], streams).score == corpus.score


def test_own_texts_are_scored_row_by_row(open_app: OpenApp) -> None:
    data = b"reference,candidate\nA cat sat on the mat.,A cat sat on the mat.\n,x\nIt rains today.,\n"
    app = upload(own(open_app), FIELD, "a.csv", data)
    words = told(app)
    assert "2 predictions were read." in words
    assert "Row 3 of the file cannot be used: it has no reference." in words
    assert "The weakest is row 4 of the file. 1 candidate is empty" in words
    rows = next(one.value for one in app.dataframe if "Candidate" in one.value)
    assert rows["BLEU"].tolist() == [100, 0]
    assert rows["Row"].tolist() == [2, 4]


def test_short_rows_whose_corpus_has_no_bleu_are_explained_and_none_is_the_weakest(open_app: OpenApp) -> None:
    words = told(upload(own(open_app), FIELD, "a.csv", b"reference,candidate\nA cat,A cat\nA dog,A dog\n"))
    assert "BLEU of all rows together: 0.0" in words
    assert "It is 0 because no candidate has 4 pieces" in words
    assert "The weakest" not in words


def test_a_thousand_rows_of_nonsense_wait_for_a_click_and_are_scored(open_app: OpenApp) -> None:
    draw = random.Random(0)
    words = ["가", "나다", "x", "😀", "$1", "=1+1", "<b>", "[a](b)"]
    rows = "".join(
        f'"{" ".join(draw.choices(words, k=5))}","{" ".join(draw.choices(words, k=4))}"\n'
        for _row in range(1_002)
    )
    app = upload(own(open_app), FIELD, "a.csv", f"reference,candidate\n{rows}".encode())
    assert "the last 2 were not read" in told(app)
    app.button(key="ev_own_score").click().run()
    assert "BLEU of all rows together" in told(app)
    assert len(charts(app)[0]) == 1_000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"reference,candidate\n,x\n", "no row has a reference"),
        (b"one;two\n1;2\n", "choose what each part is"),
        (b"reference,candidate\n", "no row has a reference"),
    ],
)
def test_a_bad_file_is_refused_and_what_was_there_stays(data: bytes, reason: str, open_app: OpenApp) -> None:
    app = upload(own(open_app), FIELD, "good.csv", b"reference,candidate\nA b c d.,A b c d.\n")
    upload(app, FIELD, "bad.csv", data, use=False)
    assert reason in told(app)
    assert app.button(key=f"{FIELD}_use").disabled
    assert "1 prediction was read." in told(app)


ROWS = [("good", "good")] * 6 + [("bad", "bad")] * 5 + [("bad", "good")] * 2 + [("good", "never seen")]


def test_labels_have_scikit_learns_figures_with_intervals(open_app: OpenApp, tmp_path: Path) -> None:
    app = upload(own(open_app), FIELD, "a.csv", of_labels(ROWS))
    right, predicted = [one for one, _ in ROWS], [other for _, other in ROWS]
    words = told(app).replace("\u00a0", " ")
    assert f"Accuracy {100 * metrics.accuracy_score(right, predicted):.1f} %" in words
    assert f"Macro F1 {metrics.f1_score(right, predicted, average='macro', zero_division=0):.3f}" in words
    assert f"Matthews {metrics.matthews_corrcoef(right, predicted):.3f}" in words
    assert "1 predicted label is never right in this file: :blue[**never seen**]." in words
    code = run_code("own_labels", tmp_path, right=right, predicted=predicted)
    assert code["right"] == right
    table = next(one.value for one in app.dataframe if "Recall" in one.value)
    assert table["Items"].tolist() == [7, 7, 0]


def test_labels_of_one_class_only_say_nothing(open_app: OpenApp) -> None:
    words = told(upload(own(open_app), FIELD, "a.csv", of_labels([("yes", "yes")] * 5 + [("yes", "no")])))
    assert "tells the labels apart cannot be seen" in words
    assert "Matthews' correlation is 0" in words


def test_labels_no_better_than_chance_are_called_so(open_app: OpenApp) -> None:
    rows = [("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")] * 3
    words = told(upload(own(open_app), FIELD, "a.csv", of_labels(rows)))
    assert "do not show that more than guessing is at work" in words
    assert "Matthews' interval includes 0" in words


def test_texts_scored_as_labels_are_refused_by_number(open_app: OpenApp) -> None:
    rows = "".join(f"text {n},other {n}\n" for n in range(20))
    app = upload(own(open_app, ev_own_as="labels"), FIELD, "a.csv", f"reference,candidate\n{rows}".encode())
    assert "40 different labels, and a matrix can show 30" in told(app)

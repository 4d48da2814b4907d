"""BLEU and ROUGE on the page Evaluation: sacrebleu's and rouge-score's numbers, whatever is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from streamlit.testing.v1 import AppTest

from playground.core.metrics.bleu import BLEU_TOKENIZERS
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, run_code

PANELS = ("bleu", "rouge")


def told(app: AppTest) -> str:
    assert not app.exception
    return "\n".join(str(element.value) for element in (*app.markdown, *app.info, *app.caption, *app.warning))


def matched(app: AppTest) -> dict[str, Any]:
    """What the picture got."""
    protos = [element.proto for element in app.get("bidi_component")]
    found = next(proto for proto in protos if proto.component_name == "playground.matched_tokens")
    return dict(json.loads(found.json))


def factors(app: AppTest) -> dict[str, str]:
    return {name: value for _sign, name, value, _told in matched(app)["factors"]}


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("tokenizer", BLEU_TOKENIZERS)
def test_the_score_is_sacrebleus(language: str, tokenizer: str, open_app: OpenApp) -> None:
    app = open_app("evaluation", lang=language, ev_panel="bleu", ev_bleu_tokenizer=tokenizer)
    typed = [app.text_input(key=f"ev_{name}").value for name in ("candidate", "reference", "reference_2")]
    expected = BLEU(tokenize=tokenizer, effective_order=True).sentence_score(
        str(typed[0]), [*map(str, typed[1:])]
    )
    assert factors(app)["BLEU"] == f"{expected.score:.1f}"
    assert f"tok:{tokenizer}" in told(app).replace("\\", "")
    table = next(one.value for one in app.dataframe if "BLEU" in one.value and len(one.value) == 3)
    scores = table["BLEU"].tolist()
    assert scores[BLEU_TOKENIZERS.index(tokenizer)] == round(expected.score, 1)  # type: ignore[arg-type]


def test_the_papers_word_again_and_again_is_clipped(open_app: OpenApp) -> None:
    app = open_app("evaluation", lang="en", ev_panel="bleu")
    app.button(key="ev_example_repeated").click().run()
    picture = matched(app)
    candidate, first, _second = picture["rows"]
    assert [orders for _label, orders, _clipped in candidate["tokens"]] == [[1], [1], [], [], [], [], []]
    assert [clipped for _label, _orders, clipped in candidate["tokens"]] == [False] * 2 + [True] * 5
    assert [label for label, orders, _clipped in first["tokens"] if orders] == ["the", "the"]
    assert picture["factors"][0][1:] == ["p1", "28.6 %", "2 / 7"]
    assert "7× and counts 2×" in told(app)
    counts = next(one.value for one in app.dataframe if "Clipped" in one.value)
    assert counts.iloc[0].tolist() == [1, "the", 7, 2, 2, 5]


def test_a_few_safe_words_are_caught_by_the_penalty_and_by_recall(open_app: OpenApp) -> None:
    app = open_app("evaluation", lang="en", ev_panel="bleu")
    app.button(key="ev_example_few_words").click().run()
    candidate, reference = (
        str(app.text_input(key=f"ev_{name}").value) for name in ("candidate", "reference")
    )
    expected = BLEU(tokenize="13a", effective_order=True).sentence_score(candidate, [reference])
    assert expected.bp < 0.02
    assert expected.precisions[0] == 100
    recall = RougeScorer(["rouge1"]).score(reference, candidate)["rouge1"].recall
    assert recall < 0.2
    words = told(app)
    assert f"here {expected.bp:.3f}" in words
    assert f"({100 * recall:.1f}" in words
    (curve,) = charts(app)
    here = curve[curve["is_here"]].iloc[0]
    assert here["penalty"] == pytest.approx(expected.bp)
    assert here["ratio"] == pytest.approx(expected.sys_len / expected.ref_len)


def test_a_right_text_in_other_words_loses(open_app: OpenApp) -> None:
    app = open_app("evaluation", lang="en", ev_panel="bleu")
    right = float(factors(app)["BLEU"])
    app.button(key="ev_example_other_words").click().run()
    assert float(factors(app)["BLEU"]) < right / 5


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize(
    "candidate", ["", "   ", "😀", "<b>x</b> $a$ [l](http://x) \x00", "the " * 200, "́" * 300]
)
def test_whatever_is_typed_is_scored(panel: str, candidate: str, open_app: OpenApp) -> None:
    app = open_app("evaluation", lang="en", ev_panel=panel, ev_candidate=candidate)
    assert matched(app)["rows"]
    if not candidate.strip():
        assert "has no tokens" in told(app)


@pytest.mark.parametrize("panel", PANELS)
def test_without_a_reference_the_page_asks_for_one(panel: str, open_app: OpenApp) -> None:
    app = open_app("evaluation", lang="en", ev_panel=panel)
    for key in ("ev_reference", "ev_reference_2"):
        app.text_input(key=key).set_value(" ").run()
    assert "There is no reference" in told(app)
    app.text_input(key="ev_reference_2").set_value("The cat").run()
    assert "There is no reference" not in told(app)
    assert len([row for row in matched(app)["rows"] if "eference" in row["title"]]) == 1


@pytest.mark.parametrize("language", ["en", "ko"])
def test_rouge_is_rouge_scores_and_its_own_tokenizer_is_a_trap(language: str, open_app: OpenApp) -> None:
    app = open_app("evaluation", lang=language, ev_panel="rouge", ev_rouge_tokenizer="ascii")
    candidate, first, second = (
        str(app.text_input(key=f"ev_{name}").value) for name in ("candidate", "reference", "reference_2")
    )
    expected = RougeScorer(["rouge1", "rouge2", "rougeL"]).score_multi([first, second], candidate)
    assert factors(app)["ROUGE-L"] == f"{100 * expected['rougeL'].recall:.1f} %"
    table = next(one.value for one in app.dataframe if "ROUGE-L" in one.value)
    words, syllables, own = table["ROUGE-1"].tolist()
    assert own == round(expected["rouge1"].fmeasure, 3)
    if language == "ko":
        assert (own, words > 0.5, syllables > words) == (0, True, True)
    else:
        assert own == words == syllables


def test_the_longest_common_subsequence_is_drawn(open_app: OpenApp) -> None:
    app = open_app(
        "evaluation", lang="en", ev_panel="rouge", ev_candidate="the gunman police killed",
        ev_reference="police killed the gunman", ev_reference_2=" ",
    )  # fmt: skip
    picture = matched(app)
    assert picture["links"] == [[0, 2], [1, 3]]
    assert "ROUGE-1 counts 2 more" in told(app)


def test_the_code_shown_gives_the_scores_of_the_page(open_app: OpenApp, tmp_path: Path) -> None:
    app = open_app("evaluation", lang="ko", ev_panel="bleu")
    candidate, *references = (
        str(app.text_input(key=f"ev_{name}").value) for name in ("candidate", "reference", "reference_2")
    )
    code = run_code("bleu", tmp_path, candidate=candidate, references=references, tokenizer="char")
    assert code["product"] == pytest.approx(code["bleu"].score)
    app = open_app("evaluation", lang="ko", ev_panel="bleu", ev_bleu_tokenizer="char")
    assert factors(app)["BLEU"] == f"{code['bleu'].score:.1f}"
    app = open_app("evaluation", lang="ko", ev_panel="rouge", ev_rouge_tokenizer="syllables")
    code = run_code("rouge", tmp_path, candidate=candidate, references=references, tokenizer="syllables")
    assert factors(app)["ROUGE-2"] == f"{100 * code['scores']['rouge2'].recall:.1f} %"
    code = run_code("rouge_trap", tmp_path, candidate=candidate, references=references)
    assert (code["own"], code["words"] > 0.5) == (0, True)
    code = run_code("brevity", tmp_path, n_candidate=3, n_reference=9)
    assert code["penalty"] == pytest.approx(2.718281828 ** (1 - 3))

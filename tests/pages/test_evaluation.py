"""The page Evaluation on tiny models: windows, two models, a judge, against the code that is shown."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.judging import JudgedPair
from playground.core.metrics.perplexity import windows
from playground.engine.local.engine import LocalEngine
from playground.paths import site_root
from playground.settings import Settings
from playground.ui.evaluation import judge, judged, own_pair, reading
from playground.ui.evaluation.two_models import ORDER
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, folder, run_code

TEXT = "The cat sat on the mat and the dog sat on the cat again"
MINE = {"lang": "en", "text": TEXT, "ev_text": "mine"}
STORIES = [str(site_root() / "assets/samples" / f"corpus_{name}.txt") for name in ("en", "ko")]


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    """Every test asks for itself."""
    reading._known.clear()
    judged._known.clear()


def told(app: AppTest) -> str:
    assert not app.exception
    boxes = (*app.markdown, *app.info, *app.caption, *app.warning, *app.error)
    return "\n".join(str(element.value) for element in boxes).replace("\\", "")


def numbers(app: AppTest) -> dict[str, float]:
    return {one.label: float(one.value.replace(",", "")) for one in app.metric}


def scored(app: AppTest) -> dict[str, Any]:
    found = [element.proto for element in app.get("bidi_component")]
    return dict(json.loads(next(one.json for one in found if one.component_name == "playground.scored_text")))


def ids_of(engine: LocalEngine, model: str, text: str) -> list[int]:
    start = engine.tokenizers.info(model).start_id
    ids = engine.tokenizers.tokenize(model, text, add_special_tokens=False).input_ids
    return [*([] if start is None else [start]), *ids]


# ---------------------------------------------------------------- the court


@pytest.mark.parametrize(("context", "stride"), [(16, 16), (16, 4), (4, 4), (32, 1)])
def test_the_code_shown_gives_the_numbers_of_the_page(
    context: int, stride: int, open_app: OpenApp, engine: LocalEngine, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_app("evaluation", **MINE, ev_context=str(context), ev_stride=str(stride))
    ids = ids_of(engine, tiny.LLAMA, TEXT)
    start_ids = ids[: len(ids) - len(engine.tokenizers.tokenize(tiny.LLAMA, TEXT, add_special_tokens=False))]
    parts = [(one.begin, one.end, one.first) for one in windows(len(ids), context, stride)]
    code = run_code(
        "court", tmp_path, folder=folder(tiny_settings, tiny.LLAMA), text=TEXT, start_ids=start_ids,
        n_tokens=len(ids), n_bytes=len(TEXT.encode()), windows=parts,
    )  # fmt: skip
    shown = numbers(app)
    assert shown["Perplexity (by the token)"] == pytest.approx(code["perplexity"], rel=4e-3)  # 3 digits
    assert shown["Bits per byte"] == pytest.approx(code["bits_per_byte"], abs=6e-4)
    assert shown["Bits per character"] == pytest.approx(code["bits_per_byte"], abs=6e-4)  # all ASCII
    np.testing.assert_allclose(scored(app)["bits"][1:], code["bits"], atol=2e-3)
    along = charts(app)[0]
    last = along[along["line"] == "windows"]["perplexity"].iloc[-1]
    assert last == pytest.approx(code["perplexity"], rel=1e-4)


def test_other_windows_are_known_without_asking_the_model_again(
    open_app: OpenApp, engine: LocalEngine, tiny_settings: Settings, tmp_path: Path
) -> None:
    text = f"{TEXT}. {TEXT}. {TEXT}"
    app = open_app("evaluation", **{**MINE, "text": text}, ev_stride="8")
    before = engine.stats().n_forwards
    app.select_slider(key="ev_context").set_value(32).run()
    app.select_slider(key="ev_stride").set_value(16).run()
    app.select_slider(key="ev_stride").set_value(8).run()
    told(app)
    assert engine.stats().n_forwards == before
    table = charts(app)[1]
    assert set(table["stride"]) == {8, 16, 32}
    ids = ids_of(engine, tiny.LLAMA, text)
    rows = list(zip(table["context"], table["stride"], strict=True))
    code = run_code(
        "court_windows", tmp_path, folder=folder(tiny_settings, tiny.LLAMA), text=text, start_ids=ids[:1],
        n_tokens=len(ids), settings=[(int(context), int(stride)) for context, stride in rows],
    )  # fmt: skip
    for row, perplexity in zip(rows, table["perplexity"], strict=True):
        assert perplexity == pytest.approx(code["perplexities"][row], rel=1e-4)
    assert table["now"].sum() == 1
    app.select_slider(key="ev_stride").set_value(4).run()  # whose windows are new
    assert engine.stats().n_forwards > before


def test_a_link_with_impossible_windows_takes_the_nearest(open_app: OpenApp) -> None:
    app = open_app("evaluation", **MINE, ev_context="8", ev_stride="64")
    assert app.select_slider(key="ev_stride").value == 8
    assert "64" in told(app)
    told(open_app("evaluation", **MINE, ev_context="x", ev_stride="-3"))


@pytest.mark.parametrize("model", [tiny.BERT, tiny.T5])
def test_under_another_kind_of_model_a_decoder_is_asked(model: str, open_app: OpenApp) -> None:
    app = open_app("evaluation", **MINE, model=model)
    assert tiny.LLAMA in told(app)
    assert numbers(app) == numbers(open_app("evaluation", **MINE))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_first_visit_shows_a_passage_of_ours(language: str, open_app: OpenApp) -> None:
    app = open_app("evaluation", lang=language)
    text = (site_root() / "assets/samples" / language / "court.txt").read_text("utf-8").strip()
    labels = "".join(scored(app)["labels"])
    assert text.split()[1][:3] in labels.replace("·", " ")
    assert len(app.metric) == 4
    assert len(charts(app)) >= 2


def test_no_sentence_is_told_and_the_passage_stays(open_app: OpenApp) -> None:
    app = open_app("evaluation", lang="en", text=" ", ev_text="mine")
    assert not app.metric
    assert len(open_app("evaluation", lang="en", text=" ").metric) == 4


def test_bytes_and_characters_of_hangul_differ(open_app: OpenApp) -> None:
    shown = numbers(open_app("evaluation", lang="en", text="서울은 한국의 수도입니다", ev_text="mine"))
    n_bytes, n_characters = len("서울은 한국의 수도입니다".encode()), len("서울은 한국의 수도입니다")
    assert shown["Bits per character"] == pytest.approx(
        shown["Bits per byte"] * n_bytes / n_characters, rel=1e-2
    )


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script> $x$ :red[y]", "😀" * 30, "a\tb\n\nc", "\u202eabc d"]
)
def test_odd_texts_are_measured_too(text: str, open_app: OpenApp) -> None:
    shown = numbers(open_app("evaluation", lang="ko", text=text, ev_text="mine"))
    assert all(math.isfinite(one) and one > 0 for one in shown.values())


def test_a_long_text_is_read_at_a_click(
    open_app: OpenApp, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "AT_ONCE", 100)
    app = open_app("evaluation", lang="en", ev_text="long")
    app.text_area(key="ev_long_text").set_value("The cat sat on the mat. " * 60).run()
    assert "windows of the text have not been read yet" in told(app)
    assert not app.metric
    app.button(key="ev_court_read").click().run()
    said = told(app)
    assert "longer than what is read at once" in said
    assert len(app.metric) == 4
    assert tiny.N_CTX < len(scored(app)["labels"]) <= 512
    app.text_area(key="ev_long_text").set_value("The dog sat on the mat. " * 300).run()
    app.button(key="ev_court_read").click().run()
    assert "are left out" in told(app)


# ---------------------------------------------------------------- two models


def models_table(app: AppTest) -> pd.DataFrame:
    return next(one for one in charts(app) if "n_pieces" in one)


def test_bits_per_byte_of_the_counts_do_not_depend_on_their_pieces(open_app: OpenApp) -> None:
    table = models_table(open_app("evaluation", **MINE))
    assert list(table["which"]) == ["first", "second", "second"]
    assert table["n_pieces"][2] == table["n_pieces"][0] < table["n_pieces"][1] == len(TEXT)
    assert table["bits_per_byte"][2] == pytest.approx(table["bits_per_byte"][1], rel=1e-12)
    assert table["perplexity"][2] > 2 * table["perplexity"][1]


@pytest.mark.parametrize("second", ["counts", tiny.GPT2])
def test_the_code_shown_gives_both_models_numbers(
    second: str, open_app: OpenApp, engine: LocalEngine, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_app("evaluation", **MINE, ev_second="" if second == "counts" else second)
    table, ids = models_table(app), ids_of(engine, tiny.LLAMA, TEXT)
    is_model = second != "counts"
    other = ids_of(engine, tiny.GPT2, TEXT)
    code = run_code(
        "court_models", tmp_path, folder=folder(tiny_settings, tiny.LLAMA), text=TEXT, start_ids=ids[:1],
        n_tokens=len(ids), n_bytes=len(TEXT), windows=[(0, len(ids), 1)], order=ORDER, stories=STORIES,
        second=folder(tiny_settings, second) if is_model else "", second_bytes=len(TEXT),
        second_start_ids=other[:1] if is_model else [],
    )  # fmt: skip
    for row, name in enumerate(("first", "second")):
        perplexity, bits_per_byte = code["numbers"][name]
        assert table["perplexity"][row] == pytest.approx(perplexity, rel=1e-4)
        assert table["bits_per_byte"][row] == pytest.approx(bits_per_byte, rel=1e-4)


def test_a_text_that_was_counted_is_no_test(open_app: OpenApp) -> None:
    seen = Path(STORIES[0]).read_text("utf-8")[100:220]
    assert "It has counted parts of this text" in told(
        open_app("evaluation", lang="en", text=seen, ev_text="mine")
    )
    assert "It has counted parts" not in told(open_app("evaluation", **MINE))


# ---------------------------------------------------------------- the judge


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Sequence[JudgedPair]:
    """Our pairs, cut so that tiny models can read them."""
    pairs = tuple(
        JudgedPair(one.language, one.question[:5], one.better[:6], one.worse[:4], one.longer[:8])
        for one in judged.shipped()
    )
    monkeypatch.setattr(judged, "TEMPLATES", dict.fromkeys(("en", "ko"), "{question} A {a} B {b}"))
    monkeypatch.setattr(judged, "ANSWER", {"en": ":", "ko": ":"})
    for module in (judged, judge, own_pair):
        monkeypatch.setattr(module, "shipped", lambda: pairs, raising=False)
    return pairs


def judge_args(settings: Settings, pairs: list[tuple[str, str, str, str]]) -> dict[str, object]:
    templates = {name: judged.TEMPLATES[name] + judged.ANSWER[name] for name in judged.TEMPLATES}
    return {
        "folder": folder(settings, tiny.LLAMA), "templates": templates, "pairs": pairs, "is_chat": False,
        "labels": [" A", " B"],
    }  # fmt: skip


def test_the_first_pair_is_judged_at_once_and_the_code_gives_its_verdict(
    open_app: OpenApp, tiny_settings: Settings, tmp_path: Path, short: Sequence[JudgedPair]
) -> None:
    app = open_app("evaluation", lang="en", ev_panel="judge")
    (table, *_rest) = charts(app)
    pair = short[0]
    code = run_code(
        "judge", tmp_path,
        **judge_args(tiny_settings, [(pair.language, pair.question, pair.better, pair.worse)]),
    )  # fmt: skip
    wins = table.set_index("order")["wins"]
    assert (wins["first"], wins["second"]) == pytest.approx(code["verdicts"][0], abs=1e-4)
    assert "counted once all pairs have been judged" in told(app)


def test_all_pairs_are_judged_at_a_click_and_known_to_the_next_reader(
    open_app: OpenApp,
    engine: LocalEngine,
    tiny_settings: Settings,
    tmp_path: Path,
    short: Sequence[JudgedPair],
) -> None:
    app = open_app("evaluation", lang="en", ev_panel="judge")
    app.button(key="ev_judge_start").click().run()
    points, shares = charts(app)
    pairs = short
    assert len(points) == len(pairs)  # the English half, in both orders
    assert set(shares["language"]) == {"all", "en", "ko"}
    every = shares[shares["language"] == "all"].set_index("name")
    assert dict(every["n"]) == {"turns": 44, "first": 88, "right": 44, "longer": 44, "lengthened": 44}
    code = run_code(
        "judge", tmp_path,
        **judge_args(tiny_settings, [(one.language, one.question, one.better, one.worse) for one in pairs]),
    )  # fmt: skip
    assert every["n_yes"]["turns"] == code["turns"]
    assert every["n_yes"]["right"] == code["right"]
    said = told(app)
    for name, row in every.iterrows():
        is_inside = row["low"] <= 0.5 <= row["high"]
        line = next(one for one in said.splitlines() if f"({row['n_yes']} of {row['n']};" in one)
        if name != "lengthened":
            assert ("lies inside: it may be chance" in line) == is_inside
    before = engine.stats().n_forwards
    again = open_app("evaluation", lang="ko", ev_panel="judge", ev_judge_longer="true")
    assert engine.stats().n_forwards == before
    assert again.button(key="ev_judge_start").disabled


def test_own_answers_are_judged_in_both_orders(
    open_app: OpenApp, tiny_settings: Settings, tmp_path: Path, short: Sequence[JudgedPair]
) -> None:
    app = open_app("evaluation", lang="en", ev_panel="judge", ev_judge_of="mine")
    app.text_area(key="ev_own_question").set_value("{x} **2** + 2?")
    app.text_area(key="ev_own_a").set_value("{a} four")
    app.text_area(key="ev_own_b").set_value("<b>five</b>").run()
    assert not app.exception
    table = app.dataframe[0].value
    args = judge_args(tiny_settings, [("en", "{x} **2** + 2?", "{a} four", "<b>five</b>")])
    code = run_code("judge", tmp_path, **args)
    assert tuple(table["p(answer A wins)"]) == pytest.approx(code["verdicts"][0], abs=1e-4)
    assert "{a} four" in "".join(one.value for one in app.code)


# ---------------------------------------------------------------- tasks


def test_the_tasks_follow_the_page(open_app: OpenApp, short: Sequence[JudgedPair]) -> None:
    app = open_app("evaluation", **MINE, ev_context="4", ev_stride="4")
    table = models_table(app)
    better = "the first" if table["bits_per_byte"][0] < table["bits_per_byte"][1] else "the second"
    (radio,) = [one for one in app.radio if str(one.key).startswith("task_evaluation_better")]
    radio.set_value("first" if better == "the first" else "second").run()
    assert any("Right." in one.value for one in app.success)
    app = open_app("evaluation", lang="en", ev_panel="judge")
    wins = charts(app)[0]["wins"]
    (field,) = [one for one in app.number_input if str(one.key) == "task_evaluation_mean"]
    field.set_value(100 * float(wins.mean())).run()
    assert any("Right." in one.value for one in app.success)

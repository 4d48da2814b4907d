"""The same job by three families: the items, the answers, the intervals, Measure and Stop, the shown code."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.metrics.intervals import wilson_interval
from playground.engine.contract.scores import ScoreRequest
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.ui.families import judged, sets
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, run_script
from tests.pages.test_families import scripts  # noqa: F401 - a fixture

Item = sets.Item
FEW = tuple(
    Item(text, language, is_positive)
    for text, language, is_positive in [
        ("good cat", "en", True), ("bad dog", "en", False), ("the mat sat", "en", True),
        ("나는 학교", "ko", True), ("서울은", "ko", False), ("오늘", "ko", False),
    ]
)  # fmt: skip
OTHERS = tuple(Item(f"{item.text} on", item.language, item.is_positive) for item in FEW)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Few and short items: tiny models read 128 tokens."""
    for module in ("sets", "judged", "job"):
        monkeypatch.setattr(f"playground.ui.families.{module}.test_items", lambda: FEW)
        monkeypatch.setattr(f"playground.ui.families.{module}.training_items", lambda: OTHERS)
    monkeypatch.setattr(sets, "N_SHOTS", 2)
    judged._known.clear()
    yield
    judged._known.clear()


def measured(open_app: OpenApp) -> AppTest:
    app = open_app("families", lang="en", text="the cat", model=tiny.T5, fam_panel="job")
    app.button(key="fam_job_start").click().run()
    assert not app.exception
    assert not app.error
    return app


# ---------------------------------------------------------------- the items


def _same(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def test_there_are_forty_items_balanced_in_both_languages() -> None:
    items = sets.test_items()
    assert len(items) == 40
    for language in ("en", "ko"):
        mine = [item for item in items if item.language == language]
        assert [sum(item.is_positive for item in mine), len(mine)] == [10, 20]


def test_no_item_is_one_that_the_head_is_trained_on() -> None:
    test, train = ([_same(item.text) for item in each] for each in (sets.test_items(), sets.training_items()))
    assert len(set(test)) == len(test)
    assert not set(test) & set(train)
    assert len(train) >= 100
    for item in sets.test_items():
        shown = [_same(shot.text) for shot in sets.shots(item.language)]
        assert len(shown) == sets.N_SHOTS
        assert set(shown) <= set(train)
        assert sum(shot.is_positive for shot in sets.shots(item.language)) == sets.N_SHOTS // 2


# ---------------------------------------------------------------- the job


@pytest.mark.usefixtures("few")
def test_all_three_answer_the_same_items(open_app: OpenApp, engine: LocalEngine) -> None:
    app = measured(open_app)
    (table,) = (one for one in charts(app) if "accuracy" in one)
    assert set(table["family"]) == {"encoder", "decoder", "encoder-decoder"}
    assert table[table["language"] == "all"]["n"].tolist() == [len(FEW)] * 3
    for row in table.itertuples():
        assert (row.low, row.high) == pytest.approx(wilson_interval(row.n_right, row.n))
    request = ScoreRequest(tiny.LLAMA, tuple(map(sets.prompt, FEW)), ((" positive", " negative"),) * len(FEW))
    expected = [one.logprobs[0] > one.logprobs[1] for _place, one in engine.score(request)]
    (decoder,) = (one for one in judged._known.values() if one.family == "decoder")
    assert [p > 0.5 for p in decoder.probs] == expected
    n_right = sum(said == item.is_positive for said, item in zip(expected, FEW, strict=True))
    mine = table[(table["family"] == "decoder") & (table["language"] == "all")]
    assert mine["n_right"].item() == n_right
    assert f"{n_right} of {len(FEW)} reviews judged right" in " ".join(one.value for one in app.markdown)


@pytest.mark.usefixtures("few")
def test_what_is_known_is_there_for_the_next_reader_and_not_measured_again(open_app: OpenApp) -> None:
    measured(open_app)
    known = list(judged._known.values())
    again = open_app("families", lang="ko", text="the cat", model=tiny.T5, fam_panel="job")
    assert [one for one in charts(again) if "accuracy" in one]
    assert again.button(key="fam_job_start").disabled
    assert all(one is two for one, two in zip(judged._known.values(), known, strict=True))


def test_the_model_that_knows_dates_alone_is_not_asked(open_app: OpenApp, engine: LocalEngine) -> None:
    from playground.engine.contract.traces import TraceRequest
    from playground.settings import DATES_MODEL

    engine.trace(TraceRequest(DATES_MODEL, "a"))
    app = open_app("families", lang="en", text="the cat", model=tiny.LLAMA, fam_panel="job")
    assert any("knows dates alone" in one.value and "T5 small" in one.value for one in app.info)


@pytest.mark.usefixtures("few")
def test_the_code_shown_gives_the_probabilities(
    open_app: OpenApp,
    scripts: dict[str, str],  # noqa: F811
    tmp_path: Path,
    tiny_settings: Settings,
) -> None:
    app = measured(open_app)
    assert not app.exception
    found = run_script(scripts["families_job"], tmp_path)[0]["probs"]
    for one in judged._known.values():
        np.testing.assert_allclose(found[one.family], one.probs, atol=1e-4)

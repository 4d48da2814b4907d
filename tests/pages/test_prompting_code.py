"""The page on prompts: the code it shows gives its numbers."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest

from playground.core.few_shot import CONTENT_FREE
from playground.core.files.examples import read_examples
from playground.engine.contract.engine import Engine
from playground.engine.contract.scores import ScoreRequest
from playground.settings import Settings
from playground.ui import show
from playground.ui.prompting import builder, own, shots
from tests.pages.conftest import OpenApp
from tests.pages.prompted import LINK, small, told
from tests.pages.shown import charts, folder, run_script

# ---------------------------------------------------------------- sweeps


def shown_code(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every script of the page, as if all of them were opened."""
    scripts: list[str] = []
    under = show.under_picture

    def opened(name: str, *, code: Any, **values: Any) -> None:
        scripts.append(code() if callable(code) else code)
        under(name, code=code, **values)

    monkeypatch.setattr(show, "under_picture", opened)
    return scripts


STYLES = [
    {},
    {"pro_format": "qa", "pro_length": "true", "pro_instruction": "Play."},
    {"pro_calibrate": "true"},
]


@pytest.mark.parametrize("link", STYLES)
def test_few_shot_code_gives_the_bars(
    link: dict[str, str],
    open_app: OpenApp,
    tiny_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(show, "model_folder", lambda model_id: folder(tiny_settings, model_id))
    scripts = shown_code(monkeypatch)
    app = open_app("prompting", **LINK, **link, pro_shots="2", pro_panel="which")
    bars, left_out = scripts
    found, _printed = run_script(bars, tmp_path)
    table = charts(app)[0].set_index(["prompt", "label"])["probability"]
    for share, prompt in zip(found["shares"], ("none", "shots"), strict=True):
        assert share.tolist() == pytest.approx([table[prompt, "dax"], table[prompt, "wug"]], abs=1e-4)
    whole, *without = run_script(left_out, tmp_path)[0]["shares"]
    best = int(whole.argmax())
    changes = [float(whole[best] - one[best]) for one in without]
    assert charts(app)[1]["change"].tolist() == pytest.approx(changes, abs=1e-4)


@pytest.mark.parametrize("style", ["labelled", "arrow", "qa"])
@pytest.mark.parametrize(
    "labels", [("good", "good enough"), ("긍정", unicodedata.normalize("NFD", "긍정적"))]
)
def test_code_gives_the_bars_and_accuracies_of_labels_that_begin_one_another(
    labels: tuple[str, str],
    style: str,
    open_app: OpenApp,
    tiny_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shots, "N_SHOTS", (0, 1))
    monkeypatch.setattr(shots, "N_DRAWS", 1)
    monkeypatch.setattr(show, "model_folder", lambda model_id: folder(tiny_settings, model_id))
    scripts = shown_code(monkeypatch)
    app = open_app("prompting", pro_panel="shots", pro_shots="1", pro_format=style)
    data = "text,label\n" + "".join(f"say {i},{labels[i % 2]}\n" for i in range(6))
    app.session_state["pro_own"] = read_examples("a.csv", data.encode())
    app.session_state["pro_task"] = own.ID
    scripts.clear()
    small(app.run())
    found, _printed = run_script(scripts[0], tmp_path)
    table = charts(app)[0].set_index(["prompt", "label"])["probability"]
    for share, prompt in zip(found["shares"], ("none", "shots"), strict=True):
        expected = [table[prompt, label] for label in sorted(labels)]
        assert share.tolist() == pytest.approx(expected, abs=1e-4)
    sweep = app.session_state["pro_sweep"]
    accuracies = run_script(shots._code(sweep), tmp_path)[0]["accuracy"]
    shown = sweep.table().set_index(["condition", "n_shot", "draw"])["accuracy"].to_dict()
    assert accuracies == shown


@pytest.mark.parametrize("link", [*STYLES, {"pro_task": "arithmetic"}, {"pro_sweep_labels": "true"}])
def test_sweep_code_gives_its_accuracies(
    link: dict[str, str],
    open_app: OpenApp,
    tiny_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shots, "N_SHOTS", (0, 1, 2))
    monkeypatch.setattr(shots, "N_DRAWS", 2)
    monkeypatch.setattr(builder, "N_TEST", 6)
    monkeypatch.setattr(show, "model_folder", lambda model_id: folder(tiny_settings, model_id))
    app = small(open_app("prompting", **(LINK | link), pro_shots="1", pro_panel="shots"))
    sweep = app.session_state["pro_sweep"]
    found, _printed = run_script(shots._code(sweep), tmp_path)
    assert len(found["accuracy"]) == len(sweep.points)
    for (condition, n_shot, draw), accuracy in found["accuracy"].items():
        table = sweep.table().set_index(["condition", "n_shot", "draw"])["accuracy"]
        assert table[condition, n_shot, draw] == accuracy


def test_points_that_do_not_fit_are_left_out_and_said(open_app: OpenApp) -> None:
    app = small(open_app("prompting", pro_task="sentiment", pro_panel="shots", pro_shots="0"))
    sweep = app.session_state["pro_sweep"]
    assert ("true", 16, 0) in sweep.too_long
    assert sweep.points == list(sweep.done)
    assert "more than 128 tokens" in told(app)


def test_calibrated_orders_ask_what_has_no_content_once_an_order(
    open_app: OpenApp, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    score = type(engine).score

    def counted(self: Any, request: ScoreRequest, on_wait: Any = None) -> Any:
        asked.append(len(request.texts))
        return score(self, request, on_wait)

    monkeypatch.setattr(type(engine), "score", counted)
    app = open_app("prompting", **LINK, pro_panel="which", pro_shots="4", pro_calibrate="true")
    app.button(key="pro_orders_start").click().run()
    assert not app.exception
    orders = app.session_state["pro_orders"]
    assert max(asked) == len(orders.each) * (len(orders.prompt.test) + len(CONTENT_FREE))
    assert len(orders.done()) == len(orders.each)

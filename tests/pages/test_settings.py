"""The settings of every page: kept while the reader is elsewhere, put back by one button."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground import navigation, sessions, ui
from playground.core.adapting import SIZES
from playground.ui import choose, state
from playground.ui.alignment import dpo, reward, rl, written
from playground.ui.finetuning import forgetting_live
from playground.ui.finetuning.comparing import STRENGTHS
from playground.ui.finetuning.controls import RANKS, RATES
from playground.ui.lifecycle import project
from playground.ui.memory import cache, devices, quantize
from playground.ui.pretraining import training as pretraining
from playground.ui.prompting.thinking import VOTES
from playground.ui.retrieval import theatre
from playground.ui.scaling import live as scaling
from playground.ui.seq2seq import training
from tests.pages.conftest import OpenApp

PAGES = [page.name for page in navigation.PAGES]
LINKS = {"prompting": {"pro_shots": "1"}}  # tiny models read 128 tokens
PICKERS = ("_panel", "_view")  # of panels: each of them has settings of its own
OPTIONS = {
    "fin_rate": RATES, "fin_r": RANKS, "fin_strength": STRENGTHS, "pro_think_votes": VOTES,
    "seq_steps": training.STEPS, "seq_rate": training.RATES, "seq_hidden": training.SIZES,
    "ret_links": theatre._LINKS, "ret_ef": theatre._EFS, "ret_cells": theatre._CELLS,
    "ret_parts": theatre._PARTS, "ev_context": (64,), "pre_rate": pretraining.RATES, "pre_map_en": (25,),
    "pre_map_ko": (25,), "mem_q_bits": quantize.BITS,
    "sca_steps": scaling.STEPS, "mem_devices": devices.COUNTS, "mem_devices_tokens": devices.TOKENS,
    "mem_cache_longest": cache.DRAWN[4:],
    **{f"fin_remedy_{kind}": values for kind, values in forgetting_live.STRENGTHS.items()},
    "lc_goal": project.GOALS,
    "fin_way_size": SIZES, "al_penalty": reward.PENALTIES, "al_temperature": written.TEMPERATURES,
    "al_beta": dpo.BETAS, "al_dpo_r": dpo.RANKS, "al_dpo_rate": dpo.RATES, "al_kl_beta": rl.BETAS,
    "al_rl_r": rl.RANKS, "al_rl_rate": rl.RATES,
}  # fmt: skip
# settings that only another one, a longer text or another model lets a reader change
FIXED = {"fin_r", "att_whole", "ret_index_question", "ev_stride"}
SENTENCE = "The cat sat on the mat and the cat sat on the mat"
Names = dict[str, list[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Setting that is one of a few options -> their ids, as far as pages have drawn them."""
    found: Names = {}
    wanted = choose._wanted

    def noted(key: str, options: Mapping[str, str]) -> str:
        found[key] = list(options)
        return wanted(key, options)

    monkeypatch.setattr(choose, "_wanted", noted)
    return found


def drawn(app: AppTest) -> dict[str, Any]:
    """Setting -> its default, of all that the page shows now."""
    assert not app.exception
    return dict(app.session_state["drawn_settings"])


def other(app: AppTest, names: Names, key: str, default: Any) -> Any:
    """A value that is possible and not the default."""
    if key in names:
        return names[key][-1] if len(names[key]) > 1 else default
    if key in OPTIONS:
        return next(option for option in OPTIONS[key] if option != default)
    if isinstance(default, bool):
        return not default
    if isinstance(default, str):
        return default + "1"
    if isinstance(default, list):
        return default[:1]
    (field,) = [one for one in (*app.slider, *app.number_input) if one.key == key]
    if field.type == "slider":
        return field.min if default != field.min else field.max
    return default + 1 if default < 1 or isinstance(default, int) else default - 0.5


def change(app: AppTest, names: Names) -> dict[str, Any]:
    """Set everything that is drawn to another value; all that took it."""
    values = {
        key: other(app, names, key, default)
        for key, default in drawn(app).items()
        if not key.endswith(PICKERS) and key not in FIXED
    }
    for key, value in values.items():
        app.session_state[key] = value
        app.session_state[f"{key}_ours"] = value
    now = drawn(app.run())
    return {key: app.session_state[key] for key in values if key in now}


def panels(app: AppTest, names: Names) -> list[dict[str, str]]:
    """What to set to open each panel of the page."""
    found = [key for key in drawn(app) if key.endswith(PICKERS)]
    return [{key: name} for key in found for name in names[key]] or [{}]


def at(app: AppTest, page: str, **hidden: str) -> AppTest:
    app.switch_page(f"../pages/{page}.py")
    return put(app.run(), **hidden)


def put(app: AppTest, **hidden: str) -> AppTest:
    for key, value in hidden.items():
        app.session_state[key] = app.session_state[f"{key}_ours"] = value
    return app.run()


@pytest.mark.parametrize("page", PAGES)
def test_settings_are_found_again_and_reset_puts_them_back(
    page: str, open_app: OpenApp, names: Names
) -> None:
    app = open_app(page, lang="en", text=SENTENCE, **LINKS.get(page, {}))
    for key in LINKS.get(page, {}):
        del app.query_params[key]  # a browser's link changes with the setting
    elsewhere = "home" if page != "home" else "tokenization"
    assert bool(drawn(app)) == any(button.key == "reset" for button in app.button)
    for panel in panels(app, names) if drawn(app) else []:
        put(app, **panel)
        changed = change(app, names)
        assert {key: value for key, value in changed.items() if value == drawn(app)[key]} == {}
        at(at(app, elsewhere), page)
        assert {key: app.session_state[key] for key in changed} == changed
        app.button(key="reset").click().run()
        assert {key: app.session_state[key] for key in drawn(app)} == drawn(app)
        put(app, **panel)
        assert {key: app.session_state[key] for key in drawn(app) if key not in panel} == {
            key: default for key, default in drawn(app).items() if key not in panel
        }
        assert app.text_area(key="text").value == SENTENCE


def test_a_reload_keeps_files_tasks_and_other_pages_settings_and_follows_its_own_link(
    open_app: OpenApp,
) -> None:
    """A link that says nothing of a setting means its default, also in a tab where it was another."""
    before = {
        "owner_id": "mine",
        "solved_tasks": {("sampling", "five")},
        "settings": {"sampling": {"sam_temperature", "sam_seed"}, "attention": {"att_sort", "att_sink"}},
        "sam_temperature": "2",
        "sam_seed": 7,
        "att_sort": True,
        "text": "Another sentence",
        "sam_run": object(),
    }
    app = open_app("home", lang="en")
    app = type(app).from_file(app._script_path, default_timeout=180)
    app.query_params["sam_seed"] = "9"
    app.session_state[sessions.BEFORE] = before
    app.switch_page("../pages/sampling.py")
    app.run()
    assert not app.exception
    assert app.session_state["owner_id"] == "mine"
    assert "1 of 3 solved" in " ".join(one.value for one in app.markdown)
    assert (app.session_state["sam_temperature"], app.session_state["sam_seed"]) == ("", 9)
    assert app.text_area(key="text").value == state.DEFAULT_TEXT
    assert "sam_run" not in app.session_state
    assert sessions.BEFORE not in app.session_state
    at(app, "attention")
    assert app.session_state["att_sort"] is True


def test_every_setting_is_tied_to_the_url_in_one_place() -> None:
    folder = Path(ui.__file__).parent
    tied = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if "query-params" in path.read_text("utf-8")
    }
    assert tied == {"url.py", "frame.py"}
    assert (folder / "frame.py").read_text("utf-8").count("query-params") == 1, "the sentence"

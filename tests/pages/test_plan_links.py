"""The links of the lesson plans, opened as a student's page opens them: every setting is known and taken."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground import navigation
from playground.core.classroom.plans import steps_of
from playground.core.classroom.views import View
from playground.paths import site_root
from playground.ui.panels import Panel, pick
from tests.pages.conftest import OpenApp

PAGES = [page.name for page in navigation.PAGES if page.name != "classroom"]
SHARED = {"text", "token"}  # every page has them
SLOW = {
    "tasks": "tsk_job",
    "evaluation": "ev_panel",
    "retrieval": "ret_panel",
}  # panels with models of their own


def views(page: str) -> list[View]:
    toml = (site_root() / "assets" / "plans" / f"{page}.toml").read_text("utf-8")
    return list(dict.fromkeys(step.view for step in steps_of(page, toml)))


def problems(view: View, app: AppTest) -> list[str]:
    """Settings of a link that the page does not know, took another value for, or complained about."""
    said = " ".join(one.value.replace("\\", "") for one in (*app.warning, *app.error))
    found = [] if app.session_state["page"] == view.page else [view.page]
    for key, value in view.params:
        if key not in app.session_state:
            found.append(key)
            continue
        taken = app.session_state[key]
        shown = str(taken).lower() if isinstance(taken, bool) else str(taken)
        is_known = key in SHARED or key in app.session_state["drawn_settings"]
        if shown != value or not is_known or key in said or repr(value) in said:
            found.append(key)
    return found


def pick_only(key: str, panels: Mapping[str, Panel[Any]], label: str) -> Panel[Any]:
    """Check the id of a panel as ever, and draw none."""
    return Panel(pick(key, panels, label).name, lambda *_given: None)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_plan_opens_what_it_says(
    page: str, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    for view in views(page):
        with monkeypatch.context() as patch:
            if view.page in SLOW and {key for key, _value in view.params} <= {SLOW[view.page], "text"}:
                module = importlib.import_module(f"playground.ui.{view.page}.page")
                patch.setattr(module, "pick", pick_only)
            app = open_app(view.page, lang="en", **dict(view.params))
        assert not app.exception, view
        assert problems(view, app) == [], view


@pytest.mark.parametrize(
    ("page", "key", "value"),
    [
        ("attention", "att_score", "beauty"),
        ("attention", "att_nothing", "1"),
        ("sampling", "sam_temperature", "hot"),
        ("prompting", "pro_shots", "99"),
        ("finetuning", "fin_rate", "7"),
    ],
)
def test_a_wrong_setting_in_a_plan_would_be_found(page: str, key: str, value: str, open_app: OpenApp) -> None:
    view = View(page, ((key, value),))
    assert problems(view, open_app(page, lang="en", **{key: value})) == [key]

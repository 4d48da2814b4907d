"""The tasks of the page of preferences are typed and checked; settings of the link count in every panel."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.preferences.shipped import shipped_pairs
from playground.core.preferences.sides import mixed
from playground.ui.alignment.pairs import Shown
from tests import tiny
from tests.pages.conftest import OpenApp


def solved(app: AppTest) -> str:
    """How many tasks are solved, as the page says it."""
    assert not app.exception
    return next(one.value for one in app.markdown if "of 3 solved" in one.value)


def test_a_task_is_solved_by_the_answer_that_the_numbers_give(open_app: OpenApp) -> None:
    """Three votes of four: ln 3, typed with one decimal."""
    app = open_app("alignment", lang="en", model=tiny.LLAMA, al_topic="polite")
    pairs = mixed([one for one in shipped_pairs("en") if one.topic == "polite"])
    for place, pair in enumerate(pairs[:4]):
        is_first = Shown(pair).is_turned == (place == 0)  # the first vote is for the rude answer
        app.button(key=f"al_vote_{'first' if is_first else 'second'}").click().run()
    assert "0 of 3" in solved(app)
    app.number_input(key="task_alignment_ahead").set_value(3.0).run()
    assert "0 of 3" in solved(app), "not the share of the votes"
    app.number_input(key="task_alignment_ahead").set_value(round(float(np.log(3)), 1)).run()
    assert "1 of 3" in solved(app)


@pytest.mark.parametrize("panel", ["reward", "dpo"])
def test_the_set_of_a_link_counts_in_a_panel_that_has_no_picker_of_it(open_app: OpenApp, panel: str) -> None:
    app = open_app("alignment", lang="en", model=tiny.LLAMA, al_panel=panel, al_topic="polite")
    assert not app.exception
    said = [one.value for one in app.caption]
    assert any("pairs to learn from: 12, held out: 4" in one for one in said)

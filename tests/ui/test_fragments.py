"""The rest of a page follows its fragments, and is drawn anew only then."""

from __future__ import annotations

import pytest
import streamlit as st

from playground.ui.fragments import RestOfPage


class Rerun(Exception):
    """Stands for Streamlit's, which ends the run here."""


@pytest.fixture(autouse=True)
def _rerun(monkeypatch: pytest.MonkeyPatch) -> None:
    def rerun() -> None:
        raise Rerun

    monkeypatch.setattr(st, "rerun", rerun)


def test_a_page_s_own_run_never_starts_over() -> None:
    rest = RestOfPage()
    rest.follow(1)
    rest.follow(2)
    assert not rest.is_drawn


def test_the_page_is_drawn_anew_only_when_its_rest_shows_something_else() -> None:
    rest = RestOfPage()
    rest.shows("compare", 0.7)
    assert rest.is_drawn
    rest.follow("compare", 0.7)
    with pytest.raises(Rerun):
        rest.follow("compare", 0.8)
    with pytest.raises(Rerun):
        rest.follow("compare")


def test_a_rest_that_shows_nothing_of_the_fragment_stays() -> None:
    rest = RestOfPage()
    rest.shows()
    rest.follow()

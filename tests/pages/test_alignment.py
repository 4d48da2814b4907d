"""The page of preferences: votes, strengths, a reward model; its numbers computed another way."""

from __future__ import annotations

from tests import tiny
from tests.pages.conftest import OpenApp


def test_a_pair_is_shown_before_any_vote(open_app: OpenApp) -> None:
    app = open_app("alignment", lang="en", model=tiny.LLAMA)
    assert not app.exception
    print([one.value for one in app.markdown], [one.value for one in app.error], [one.value for one in app.caption])
    app.button(key="al_vote_first").click().run()
    assert not app.exception
    print([one.value for one in app.markdown], [one.value for one in app.caption])
    assert 0

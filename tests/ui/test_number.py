"""Fields for a number: what is beyond their limits is not lost without a word."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st

    from playground.ui.number import number_field

    high = st.session_state.get("high", 64)
    n = number_field("Tokens at most", 4, high, 40, key="n")
    x = number_field("Penalty", 0.5, 3.0, 1.0, 0.1, key="x")
    st.write(f"used {n} {x:g}")


def opened(**link: str) -> AppTest:
    app = AppTest.from_function(script)
    for name, value in link.items():
        app.query_params[name] = value
    return app.run()


def said(app: AppTest) -> list[str]:
    return [one.value for one in app.caption]


def test_a_number_beyond_the_limits_becomes_the_nearest_and_is_said_until_the_next() -> None:
    app = opened()
    assert said(app) == []
    app.number_input(key="n").set_value(500).run()
    assert app.number_input(key="n").value == 64
    assert app.query_params["n"] == "64"
    assert said(app) == ["Tokens at most: 500 is not possible, only 4 to 64; it is 64 now."]
    app.number_input(key="x").set_value(0.25).run()
    assert app.markdown[0].value == "used 64 0.5"
    assert said(app)[1] == r"Penalty: 0\.25 is not possible, only 0.5 to 3; it is 0.5 now."
    app.number_input(key="n").set_value(50).run()
    app.number_input(key="x").set_value(2.0).run()
    assert app.markdown[0].value == "used 50 2"
    assert said(app) == []


@pytest.mark.parametrize("asked", ["x", "-1", "500", "1e99", "nan", "99999999999999999999"])
def test_a_number_of_the_link_that_cannot_be_is_the_default_and_is_said(asked: str) -> None:
    app = opened(n=asked)
    assert app.number_input(key="n").value == 40
    [told] = said(app)
    assert "only 4 to 64; it is 40 now" in told
    assert opened(n="12").markdown[0].value == "used 12 1"


def test_new_limits_hold_for_what_was_chosen_before() -> None:
    app = opened(n="60")
    app.session_state["high"] = 30
    app.run()
    assert app.number_input(key="n").value == 30
    assert app.markdown[0].value == "used 30 1"

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


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        ("x", 40), ("-1", 4), ("500", 64), ("1e99", 64), ("nan", 40), ("99999999999999999999", 64),
        ("1e999", 64), ("-inf", 4), ("9" * 400, 64),
    ],
)  # fmt: skip
def test_a_number_of_the_link_that_cannot_be_is_the_nearest_and_is_said(asked: str, used: int) -> None:
    app = opened(n=asked)
    assert app.number_input(key="n").value == used
    [told] = said(app)
    assert f"only 4 to 64; it is {used} now" in told
    assert app.run().markdown[0].value == f"used {used} 1"
    assert opened(n="12").markdown[0].value == "used 12 1"


@pytest.mark.parametrize(
    ("link", "used", "n_said"),
    [
        ({"steps": "99999"}, "200 0.001", 1), ({"steps": "-5", "rate": "0.2"}, "1 0.1", 2),
        ({"steps": "30", "rate": "0.001"}, "30 0.001", 0), ({"rate": "much"}, "24 0.001", 1),
        ({"rate": "1e-9"}, "24 1e-05", 1), ({"steps": "12.4"}, "12 0.001", 1),
    ],
)  # fmt: skip
def test_a_slider_takes_the_nearest_of_what_a_link_asks(link: dict[str, str], used: str, n_said: int) -> None:
    app = AppTest.from_function(sliders)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert app.markdown[0].value == used
    assert len([one for one in said(app) if "is not possible" in one]) == n_said
    assert app.run().markdown[0].value == used
    app.slider(key="steps").set_value(7).run()
    assert not [one for one in said(app) if one.startswith("Steps")]


def sliders() -> None:
    import streamlit as st

    from playground.ui.number import slider

    steps = slider("Steps", range(1, 201), 24, key="steps", help="")
    rate = slider("Rate", (1e-5, 1e-3, 0.1, 10.0), 1e-3, key="rate", help="")
    st.write(f"{steps} {rate:g}")


def test_new_limits_hold_for_what_was_chosen_before() -> None:
    app = opened(n="60")
    app.session_state["high"] = 30
    app.run()
    assert app.number_input(key="n").value == 30
    assert app.markdown[0].value == "used 30 1"

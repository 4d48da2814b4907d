import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

from playground import ui


def script() -> None:
    import streamlit as st

    from playground.ui import url

    st.button("two", on_click=url.put, args=("a", "2"))
    st.button("other")
    st.write(f"a is {url.hidden('a')}")


def opened(value: str = "") -> AppTest:
    app = AppTest.from_function(script)
    if value:
        app.query_params["a"] = value
    return app.run()


def test_a_link_fills_the_field_and_a_callback_puts_another_value_there() -> None:
    app = opened("1")
    assert app.markdown[0].value == "a is 1"
    app.button[0].click().run()
    assert app.markdown[0].value == "a is 2"
    assert app.query_params["a"] == "2"
    app.button[1].click().run()
    assert app.markdown[0].value == "a is 2"


def test_a_browser_that_has_not_heard_yet_does_not_bring_the_old_value_back() -> None:
    app = opened("1")
    app.button[0].click().run()
    app.text_input(key="a").set_value("1")  # with its next click it still sends this
    app.button[1].click().run()
    assert app.markdown[0].value == "a is 2"
    assert app.text_input(key="a").value == "2"


def test_two_clicks_in_one_message_keep_the_value_of_the_callback() -> None:
    app = opened("1")
    app.text_input(key="a").set_value("0")
    app.button[0].click().run()
    assert app.markdown[0].value == "a is 2"


def test_nothing_is_put_into_a_hidden_field_but_by_put() -> None:
    sources = [path.read_text("utf-8") for path in Path(ui.__file__).parent.rglob("*.py")]
    drawn = re.compile(r'(?:choose|choose_from_list|hidden|pick|remembered|field)\(\s*"(\w+)"')
    hidden = {key for source in sources for key in drawn.findall(source)} | {"lang", "model", "token"}
    assert len(hidden) > 20
    set_directly = re.compile(r'session_state\["(\w+)"\] = ')
    assert hidden.isdisjoint(key for source in sources for key in set_directly.findall(source))

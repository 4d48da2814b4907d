"""Lists: options told apart by their words, words drawn anew when they change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from playground.ui.choose import told_apart


@given(st.lists(st.sampled_from(["x", "y", "x (2)", "x (3)", ""]), max_size=8))
def test_words_of_options_differ_and_those_that_did_stay(words: list[str]) -> None:
    names = dict(enumerate(words))
    apart = told_apart(names)
    assert list(apart) == list(names)
    assert len(set(apart.values())) == len(words)
    assert all(apart[i] == one for i, one in names.items() if words.index(one) == i)


def script() -> None:
    import streamlit as st

    from playground.ui.choose import choose, choose_from_list

    words = st.session_state.get("words", {"a": "one", "b": "same", "c": "same"})
    draw = choose if st.session_state.get("few") else choose_from_list
    st.write(f"chosen {draw('x', words, 'X')}")


@pytest.mark.parametrize("few", [True, False])
def test_an_option_is_picked_by_its_id_where_words_are_equal(few: bool) -> None:
    app = AppTest.from_function(script)
    app.session_state["few"] = few
    app.run()
    [box] = [*app.selectbox, *app.button_group]
    assert [one if isinstance(one, str) else one.content for one in box.options] == [
        "one",
        "same",
        r"same \(2\)" if few else "same (2)",
    ]
    box.set_value("c").run()
    assert app.markdown[0].value == "chosen c"


@pytest.mark.parametrize("few", [True, False])
def test_a_list_is_another_one_once_its_words_are_others_and_keeps_what_was_chosen(few: bool) -> None:
    app = AppTest.from_function(script)
    app.session_state["few"] = few
    app.run()
    [before] = [*app.selectbox, *app.button_group]
    before.set_value("b").run()
    app.session_state["words"] = {"a": "하나", "b": "둘", "c": "셋"}
    app.run()
    [after] = [*app.selectbox, *app.button_group]
    assert after.id != before.id
    assert after.value == "b"
    assert app.markdown[0].value == "chosen b"
    app.run()
    [again] = [*app.selectbox, *app.button_group]
    assert again.id == after.id
    again.set_value("c").run()
    assert app.markdown[0].value == "chosen c"

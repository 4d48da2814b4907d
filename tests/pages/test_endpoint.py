"""The panel for notebooks: who switches it, and a key that is shown once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from playground.settings import Settings
from playground.ui import api_keys, room, show, state
from tests.pages.conftest import OpenApp
from tests.pages.test_classroom import PASSWORD, opened, press, signed_in


@pytest.fixture(autouse=True)
def _own(tiny_settings: Settings) -> Iterator[None]:
    """Each test has a class, keys and a switch of its own."""
    caches = (room.room, room.teachers, api_keys.keys, api_keys._switch)
    for cache in caches:
        cache.cache_clear()
    room.set_teacher_password(PASSWORD)
    yield
    room.room().end()
    for cache in caches:
        cache.cache_clear()
    room._password.clear()


@pytest.fixture
def is_set(monkeypatch: pytest.MonkeyPatch, tiny_settings: Settings, open_app: OpenApp) -> OpenApp:
    """The app of a server that was started with the endpoint on."""
    on = tiny_settings.model_copy(update={"endpoint": True})
    monkeypatch.setattr(state, "settings", lambda: on)
    monkeypatch.setattr(api_keys, "settings", lambda: on)
    return open_app


def shown_keys(app: AppTest) -> list[str]:
    return [one.value for one in app.code if one.value.startswith("pg-")]


def test_it_is_off_and_says_how_to_switch_it_on(open_app: OpenApp) -> None:
    app = opened(open_app("classroom", lang="en"))
    assert not api_keys.is_on()
    assert any("PLAYGROUND_ENDPOINT=1" in one.value for one in app.info)
    assert "endpoint_make" not in {one.key for one in app.button}


def test_a_key_is_shown_once_and_only_its_hash_is_kept(is_set: OpenApp) -> None:
    app = press(opened(is_set("classroom", lang="en")), "endpoint_make")
    (key,) = shown_keys(app)
    owner = app.session_state["owner_id"]
    assert api_keys.keys().owner_of(key) == owner
    kept = str(vars(app.session_state._state)) + str(dict(app.query_params))
    assert key not in kept
    again = opened(app.run())
    assert shown_keys(again) == []
    assert api_keys.keys().owner_of(key) == owner
    other = press(again, "endpoint_make")
    assert shown_keys(other) != [key]
    assert api_keys.keys().owner_of(key) is None


def test_a_key_ends_by_a_click_and_with_its_session(is_set: OpenApp) -> None:
    app = press(opened(is_set("classroom", lang="en")), "endpoint_make")
    (key,) = shown_keys(app)
    owner = app.session_state["owner_id"]
    state.connected.discard(owner)  # as `compute._release` does
    assert api_keys.keys().owner_of(key) is None
    state.connected.add(owner)
    assert api_keys.keys().owner_of(key) == owner
    press(app, "endpoint_end")
    assert api_keys.keys().owner_of(key) is None


def test_its_use_is_told(is_set: OpenApp) -> None:
    app = press(opened(is_set("classroom", lang="en")), "endpoint_make")
    api_keys.keys().note(app.session_state["owner_id"], answered=True, n_tokens=1_234)
    told = [one.value for one in opened(app.run()).caption]
    assert "Your key: requests answered 1, refused 0, tokens 1,234." in told


def test_a_teacher_switches_it_for_the_class_alone(open_app: OpenApp) -> None:
    app = signed_in(open_app)
    press(app, "class_begin")
    app.session_state["class_panel"] = app.session_state["class_panel_ours"] = "notebooks"
    opened(app.run())
    assert not api_keys.is_on()
    opened(app.toggle(key="class_endpoint").set_value(True).run())
    assert api_keys.is_on()
    assert "endpoint_make" in {one.key for one in app.button}
    room.room().end()
    assert not api_keys.is_on()
    room.room().open()
    assert not api_keys.is_on(), "another class begins as the server was started"


def test_a_student_cannot_switch_it(open_app: OpenApp) -> None:
    app = opened(open_app("classroom", lang="en"))
    room.room().open()
    opened(app.run())
    assert "class_endpoint" not in {one.key for one in app.toggle}

    def script() -> None:
        from playground.ui import api_keys

        api_keys.turn(True)

    opened(AppTest.from_function(script).run())
    assert not api_keys.is_on()


def test_the_shown_code_names_this_server_and_holds_no_key(is_set: OpenApp, tiny_settings: Settings) -> None:
    app = press(opened(is_set("classroom", lang="ko")), "endpoint_make")
    (key,) = shown_keys(app)
    codes = [one.value for one in app.code]
    (address,) = [one for one in codes if one.startswith("http")]
    assert address.endswith("/v1")
    (script,) = [one for one in codes if "OpenAI(" in one]
    assert key not in script
    model = tiny_settings.default_model
    assert (
        script
        == show.code("endpoint", address=address, model=model, text="The capital of England is").strip()
    )

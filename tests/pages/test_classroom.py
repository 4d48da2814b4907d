"""The page Classroom and what every page does in a class: who may what, and what is kept nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from streamlit.testing.v1 import AppTest

from playground import navigation
from playground.core.classroom.views import View
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.ui import everybody, in_class, room
from playground.ui.classroom import leading
from tests.pages.conftest import OpenApp

PASSWORD = "teach the class"
TEXT = "The cat sat on the mat"


@pytest.fixture(autouse=True)
def _own_class(engine: LocalEngine) -> Iterator[None]:
    """Each test has a class of its own, and leaves no training that rests."""
    room.room.cache_clear()
    room.teachers.cache_clear()
    room.set_teacher_password(PASSWORD)
    yield
    room.room().end()
    engine.training.runs.release()
    room.room.cache_clear()
    room.teachers.cache_clear()
    room._password.clear()


def opened(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def signed_in(open_app: OpenApp, page: str = "classroom") -> AppTest:
    app = opened(open_app("classroom", lang="en", text=TEXT))
    sign_in(app, PASSWORD)
    assert app.session_state["class_teacher"]
    if page != "classroom":
        app.switch_page(f"../pages/{page}.py")
        opened(app.run())
    return app


def sign_in(app: AppTest, password: str) -> None:
    app.text_input(key="class_given").set_value(password)
    button = next(one for one in app.button if one.label == "Sign in")
    opened(button.click().run())


def press(app: AppTest, key: str) -> AppTest:
    return opened(app.button(key=key).click().run())


def joined(open_app: OpenApp, name: str, page: str = "tokenization") -> AppTest:
    app = opened(open_app(page, lang="en", text=TEXT))
    return opened(app.text_input(key="class_nickname").set_value(name).run())


def keys(app: AppTest) -> set[str]:
    return {str(one.key) for one in (*app.button, *app.text_input)}


def test_without_a_password_nobody_is_a_teacher_and_the_page_says_how(open_app: OpenApp) -> None:
    room.set_teacher_password("")
    room.teachers.cache_clear()
    app = opened(open_app("classroom", lang="en"))
    assert "class_given" not in keys(app)
    assert any("--teacher-password-file" in one.value for one in app.markdown)


def test_the_password_opens_the_controls_and_stays_nowhere(open_app: OpenApp) -> None:
    app = signed_in(open_app)
    assert "class_begin" in keys(app)
    kept = str(vars(app.session_state._state))
    assert app.session_state["class_teacher"] in kept  # all of the session is looked at
    assert PASSWORD not in kept
    assert PASSWORD not in str(dict(app.query_params))
    press(app, "class_sign_out")
    assert "class_begin" not in keys(app)
    assert not room.teachers().is_teacher(app.session_state["class_teacher"])


def test_a_wrong_password_is_one_sentence_and_five_are_enough(open_app: OpenApp) -> None:
    app = opened(open_app("classroom", lang="en"))
    for _try in range(5):
        sign_in(app, "guessed it")
        assert [one.value for one in app.error] == ["That is not the teacher's password."]
    sign_in(app, PASSWORD)
    assert [one.value for one in app.error] == ["Too many wrong passwords. Try again in a minute."]
    assert "class_teacher" not in app.session_state


def test_a_student_joins_and_is_on_the_page_they_are_on(open_app: OpenApp) -> None:
    room.room().open()
    app = joined(open_app, "Mina")
    assert [(one.name, one.page) for one in room.room().state().members] == [("Mina", "tokenization")]
    app.switch_page("../pages/positions.py")
    opened(app.run())
    assert room.room().state().members[0].page == "positions"
    press(app, "class_leave")
    assert room.room().state().members == ()
    assert "class_nickname" in keys(app)


@pytest.mark.parametrize(
    ("name", "told"),
    [("", "1 to 20 characters"), ("x" * 21, "1 to 20 characters"), ("mina", "called mina already")],
)
def test_a_nickname_that_cannot_be_is_refused_and_kept_in_the_field(
    name: str, told: str, open_app: OpenApp
) -> None:
    room.room().open()
    room.room().join("Mina", "home")
    app = joined(open_app, name) if name else joined(open_app, "\u200b")
    assert told in app.sidebar.error[0].value
    assert len(room.room().state().members) == 1


@pytest.mark.parametrize("hostile", ["<b>x</b>", "![](http://x)", "$x$ :red[y]", "</script>"])
def test_a_nickname_is_text_and_nothing_else(hostile: str, open_app: OpenApp) -> None:
    room.room().open()
    app = joined(open_app, hostile)
    (line,) = [one.value for one in app.markdown if one.value.startswith(":material/school:")]
    assert hostile not in line  # its signs are escaped
    app = signed_in(open_app)
    (drawn,) = [
        one.proto.json for one in app.get("bidi_component") if "class_map" in one.proto.component_name
    ]
    assert hostile.split()[0].strip("<>!/") in drawn  # whole, for the browser's textContent


def test_only_a_teacher_sees_names(open_app: OpenApp) -> None:
    room.room().open()
    room.room().join("Mina", "home")
    for app, sees in ((open_app("classroom", lang="en"), False), (signed_in(open_app), True)):
        shown = " ".join(str(one.proto) for one in app.get("bidi_component"))
        assert ("Mina" in shown) is sees
        assert "1 student has joined" in " ".join(one.value for one in app.markdown)


def test_no_class_no_field_and_no_strip(open_app: OpenApp) -> None:
    app = opened(open_app("home", lang="en", text=TEXT))
    assert not keys(app) & {"class_nickname", "class_follow", "class_leave"}
    assert not [one for one in app.get("bidi_component") if "class_" in one.proto.component_name]


def test_a_teacher_sends_a_view(open_app: OpenApp) -> None:
    app = signed_in(open_app)
    press(app, "class_begin")
    app.text_input(key="class_link").set_value("http://127.0.0.1:8501/attention?att_layer=3&lang=ko").run()
    press(app, "class_send_link")
    assert room.room().state().pushed == View("attention", (("att_layer", "3"),))
    app.text_input(key="class_link").set_value("https://evil.example/no-such-page").run()
    press(app, "class_send_link")
    assert "is not a link to a page" in app.error[0].value
    assert room.room().state().n_pushes == 1


def test_a_teacher_freezes_training_and_the_end_of_the_class_releases_it(
    open_app: OpenApp, engine: LocalEngine
) -> None:
    app = signed_in(open_app)
    press(app, "class_begin")
    press(app, "class_freeze")
    assert engine.training.runs.is_frozen
    assert room.room().state().is_frozen
    press(app, "class_release")
    assert not engine.training.runs.is_frozen
    press(app, "class_freeze")
    press(app, "class_end")
    assert not engine.training.runs.is_frozen
    assert not room.room().state().is_open


STRANGER = {
    "begin": lambda: leading._begin(),
    "end": lambda: leading._end(),
    "freeze": lambda: leading._freeze(True),
    "send": lambda: in_class.send("/attention"),
}


@pytest.mark.parametrize("deed", STRANGER)
def test_a_stranger_cannot_do_what_a_teacher_does(deed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The callbacks themselves refuse, whatever message called them."""
    session: dict[str, object] = {"class_teacher": "guessed"}
    monkeypatch.setattr(room.st, "session_state", session)
    room.room().open()
    before = room.room().state()
    STRANGER[deed]()
    after = room.room().state()
    assert (after.version, after.is_open, after.is_frozen) == (before.version, True, False)
    assert "Only a teacher" in str(session[room.SAID])


@pytest.mark.parametrize(
    "name", ["class_teacher", "class_member", "class_begin", "class_end", "class_freeze"]
)
def test_a_link_makes_nobody_a_teacher(name: str, open_app: OpenApp) -> None:
    room.room().open()
    app = opened(open_app("classroom", lang="en", **{name: "true"}))
    assert "class_end" not in keys(app)
    assert room.room().state().is_open


def test_a_teacher_who_signed_out_elsewhere_has_no_rights_left(open_app: OpenApp) -> None:
    app = signed_in(open_app)
    press(app, "class_begin")
    room.teachers().sign_out(app.session_state["class_teacher"])
    press(app, "class_end")
    assert room.room().state().is_open
    assert "class_end" not in keys(app)


def test_news_are_for_members_only_and_hold_the_last_link_once() -> None:
    room.room().open()
    mina = room.room().join("Mina", "home")
    room.room().push(View("attention", (("text", "한 <b>"),)))
    assert in_class.news("guessed", 0) == {"version": 0, "pushes": 0}
    told = in_class.news(mina, 0)
    assert told["link"] == "/attention?text=%ED%95%9C+%3Cb%3E"
    assert "link" not in in_class.news(mina, 1)


def test_the_strip_tells_of_a_freeze(open_app: OpenApp) -> None:
    room.room().open()
    app = joined(open_app, "Mina")
    room.room().freeze(True)
    app.run()
    assert any("Your teacher has paused training." in one.value for one in app.markdown)


@pytest.mark.parametrize("page", [page.name for page in navigation.PAGES])
def test_every_page_runs_in_a_class(page: str, open_app: OpenApp) -> None:
    room.room().open()
    app = joined(open_app, "Mina", page)
    assert not app.exception
    assert [one.page for one in room.room().state().members] == [page]


def test_tasks_have_the_values_of_the_engine(open_app: OpenApp, engine: LocalEngine) -> None:
    app = opened(open_app("classroom", lang="en"))
    n_solved = len(app.success)  # writing is a task that other tests may have done
    app.number_input(key="task_classroom_tabs").set_value(everybody.n_sessions()).run()
    assert len(app.success) == n_solved + 1
    stats = engine.stats()
    wanted = "the models" if stats.model_bytes >= stats.cache_bytes else "the answers that are kept"
    app.radio(key="task_classroom_memory").set_value(
        next(one for one in app.radio(key="task_classroom_memory").options if one == wanted)
    ).run()
    assert len(app.success) == n_solved + 2


def test_the_setting_is_a_secret(tiny_settings: Settings) -> None:
    shown = repr(tiny_settings.model_copy(update={"teacher_password": SecretStr(PASSWORD)}))
    assert PASSWORD not in shown

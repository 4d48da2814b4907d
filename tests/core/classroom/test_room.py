"""The rules of a class: who is in it, what ends by itself, what of it stays."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from playground import navigation
from playground.core.classroom.names import MAX_NAME_CHARS, nickname
from playground.core.classroom.places import fullest, places
from playground.core.classroom.room import AWAY_S, FORGET_S, Limits, Room
from playground.core.classroom.teachers import MAX_TEACHERS, Teachers
from playground.core.classroom.views import MAX_LINK_CHARS, View, view_of
from playground.errors import (
    BadLink,
    NameTaken,
    NoClass,
    NoName,
    PlaygroundError,
    RoomFull,
    TooManyAttempts,
    WrongTeacherPassword,
)

LIMITS = Limits(members=5, release_s=300.0, end_s=3_600.0)
PAGES = sorted(navigation.BY_NAME)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def room(clock: Clock) -> Room:
    made = Room(LIMITS, clock)
    made.open()
    return made


@given(st.text(max_size=60), st.lists(st.text(max_size=8), max_size=3))
def test_a_nickname_is_one_short_visible_line_or_refused(typed: str, taken: list[str]) -> None:
    try:
        name = nickname(typed, taken)
    except (NoName, NameTaken):
        return
    assert 1 <= len(name) <= MAX_NAME_CHARS
    assert name == name.strip()
    assert all(unicodedata.category(char)[0] != "C" for char in name)
    assert nickname(name, taken) == name
    with pytest.raises(NameTaken):
        nickname(name, [*taken, name])


@pytest.mark.parametrize(
    "typed", ["", "  ", "\u200b\u200d", "\u3164", "\u115f\u1160", "\u202e", "x" * 21, "\u0301", "\n\t"]
)
def test_a_nickname_that_nobody_could_read_is_refused(typed: str) -> None:
    with pytest.raises(NoName):
        nickname(typed, [])


@pytest.mark.parametrize("other", ["MINA", "mina", "Ｍｉｎａ", " Mina\u200b", "Mi\u00adna"])
def test_nobody_is_called_what_looks_the_same(other: str) -> None:
    with pytest.raises(NameTaken):
        nickname(other, ["Mina"])
    assert nickname("한", []) == nickname("\u1112\u1161\u11ab", [])


# ---- links


@given(
    st.sampled_from(PAGES),
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True), st.text(max_size=30), max_size=8),
    st.sampled_from(["", "/llm"]),
)
def test_a_view_comes_back_from_its_link(page: str, params: dict[str, str], base: str) -> None:
    kept = {
        name: value.encode("utf-8", "replace").decode()
        for name, value in params.items()
        if name not in ("lang", "embed", "embed_options")
    }
    view = View(page, tuple(kept.items()))
    assert view_of(f"https://class.example{base}{view.link}", base) == view
    assert view_of(base + view.link, base) == view


@given(st.text(max_size=80))
def test_any_text_is_a_page_of_ours_or_refused(link: str) -> None:
    try:
        view = view_of(link)
    except BadLink:
        return
    assert view.page in navigation.BY_NAME
    assert view.link.startswith("/")
    assert not view.link.startswith("//")
    assert len(view.params) <= 60


@pytest.mark.parametrize(
    "link",
    ["/nowhere", "https://evil.example/login", "/../etc", "/attention/more", "/attention?" + "a=b&" * 61,
     "http://[half", "/?text=" + "x" * MAX_LINK_CHARS],
)  # fmt: skip
def test_a_link_to_anything_else_is_refused(link: str) -> None:
    with pytest.raises(BadLink):
        view_of(link)


def test_nobody_is_led_off_the_server_or_into_another_language() -> None:
    assert view_of("https://evil.example/attention?x=1&lang=ko&embed=true&X-Y=2") == View(
        "attention", (("x", "1"),)
    )


# ---- the room


def test_without_a_class_nobody_can_join(clock: Clock) -> None:
    closed = Room(LIMITS, clock)
    for act in (
        lambda: closed.join("Mina", "home"),
        lambda: closed.push(View("home")),
        lambda: closed.freeze(True),
    ):
        with pytest.raises(NoClass):
            act()


def test_the_end_leaves_nothing(room: Room) -> None:
    mina = room.join("Mina", "home")
    room.push(View("attention"))
    room.freeze(True)
    ended: list[bool] = []
    room.when_it_ends(lambda: ended.append(True))
    before = room.state()
    room.end()
    after = room.state()
    assert (after.members, after.pushed, after.n_pushes, after.is_frozen) == ((), None, 0, False)
    assert after.version > before.version  # who still asks hears of it
    assert room.member(mina) is None
    assert ended == [True]
    assert "Mina" not in repr(vars(room))
    room.open()
    assert room.state().number == before.number + 1
    room.seen(mina, "home")
    assert room.state().members == ()


def test_a_teacher_who_left_leaves_nobody_waiting(room: Room, clock: Clock) -> None:
    mina = room.join("Mina", "home")
    room.freeze(True)
    for minute in range(1, 61):
        clock.now += 60
        room.seen(mina)
        state = room.state()
        assert state.is_frozen is (minute <= 5), minute
        assert state.is_open
    clock.now += 1
    assert not room.state().is_open
    assert room.member(mina) is None


def test_a_teacher_who_looks_keeps_it_all(room: Room, clock: Clock) -> None:
    room.freeze(True)
    for _minute in range(120):
        clock.now += 60
        room.teacher_is_here()
    assert room.state().is_open
    assert room.state().is_frozen


def test_who_is_not_heard_of_is_away_and_later_forgotten(room: Room, clock: Clock) -> None:
    room.join("Mina", "home")
    jun = room.join("Jun", "attention")
    clock.now += AWAY_S + 1
    room.seen(jun)
    state = room.state()
    assert [state.is_away(one) for one in state.members] == [True, False]
    found = places(state)
    assert [(one.page, len(one.here), len(one.away)) for one in found] == [
        ("home", 0, 1),
        ("attention", 1, 0),
    ]
    most = fullest(found)
    assert most is not None
    assert most.page == "attention"
    clock.now += FORGET_S - AWAY_S
    assert [one.name for one in room.state().members] == ["Jun"]


def test_a_page_is_since_when_it_was_opened(room: Room, clock: Clock) -> None:
    mina = room.join("Mina", "home")
    clock.now += 10
    room.seen(mina, "home")
    assert room.state().members[0].page_since == 1_000
    room.seen(mina, "attention")
    assert room.state().members[0].page_since == 1_010


def test_thirty_join_at_once_and_each_name_is_there_once(clock: Clock) -> None:
    room = Room(Limits(members=20), clock)
    room.open()
    refused: list[PlaygroundError] = []

    def join(number: int) -> None:
        try:
            room.join(f"s{number % 25}", "home")
        except PlaygroundError as error:
            refused.append(error)

    threads = [Thread(target=join, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = [one.name for one in room.state().members]
    assert len(names) == len(set(names)) == 20
    assert len(refused) == 30
    assert {type(error) for error in refused} <= {RoomFull, NameTaken}


class Class(RuleBasedStateMachine):
    """Anything in any order: bounded, unique, and the version tells of all that students must hear of."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.room = Room(LIMITS, self.clock)
        self.secrets: list[str] = []
        self.told: tuple[Any, ...] = ()
        self.version = -1

    @rule(seconds=st.floats(0, 5_000))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def begin(self) -> None:
        self.room.open()

    @rule()
    def end(self) -> None:
        self.room.end()

    @rule(name=st.sampled_from(["a", "A", "b", "c", "d", "e", "f", ""]), page=st.sampled_from(PAGES))
    def join(self, name: str, page: str) -> None:
        self._try(lambda: self.secrets.append(self.room.join(name, page)))

    @rule(page=st.sampled_from(PAGES), frozen=st.booleans())
    def lead(self, page: str, frozen: bool) -> None:
        self._try(lambda: self.room.push(View(page)))
        self._try(lambda: self.room.freeze(frozen))

    @precondition(lambda self: self.secrets)
    @rule(data=st.data())
    def student(self, data: st.DataObject) -> None:
        secret = data.draw(st.sampled_from(self.secrets))
        act: Callable[[], None] = data.draw(
            st.sampled_from(
                [lambda: self.room.leave(secret), lambda: self.room.seen(secret, "home"),
                 lambda: self.room.follow(secret, False)]
            )
        )  # fmt: skip
        act()

    def _try(self, act: Callable[[], None]) -> None:
        with suppress(PlaygroundError):
            act()

    @invariant()
    def holds(self) -> None:
        state = self.room.state()
        assert len(state.members) <= LIMITS.members
        names = [one.name.casefold() for one in state.members]
        assert len(set(names)) == len(names)
        if not state.is_open:
            assert not state.members
            assert state.pushed is None
            assert not state.is_frozen
        told = state.is_open, state.n_pushes, state.pushed, state.is_frozen
        assert told == self.told or state.version > self.version
        self.told, self.version = told, state.version


TestClass = Class.TestCase


# ---- teachers


def test_only_the_password_makes_a_teacher(clock: Clock) -> None:
    teachers = Teachers("우리 반", clock)
    with pytest.raises(WrongTeacherPassword):
        teachers.sign_in("guess", "s", "10.0.0.1")
    token = teachers.sign_in(" " + unicodedata.normalize("NFD", "우리 반") + "\n", "s", "10.0.0.1")
    assert teachers.is_teacher(token)
    assert not any(map(teachers.is_teacher, ("", "guess", token + "x")))
    teachers.sign_out(token)
    assert not teachers.is_teacher(token)


@pytest.mark.parametrize("given_", ["", " ", "None", "anything"])
def test_without_a_password_nothing_is_right(given_: str, clock: Clock) -> None:
    with pytest.raises(WrongTeacherPassword):
        Teachers("", clock).sign_in(given_, "s", "10.0.0.1")


def test_a_guesser_is_stopped_by_session_and_by_address(clock: Clock) -> None:
    teachers = Teachers("right one", clock)

    def guess(session: str, address: str) -> type[PlaygroundError]:
        with pytest.raises(PlaygroundError) as caught:
            teachers.sign_in("wrong", session, address)
        return type(caught.value)

    assert [guess("s", "10.0.0.1") for _try in range(6)] == [WrongTeacherPassword] * 5 + [TooManyAttempts]
    with pytest.raises(TooManyAttempts):
        teachers.sign_in("right one", "s", "10.0.0.1")
    tries = [guess(f"new{number}", "10.0.0.1") for number in range(16)]
    assert tries == [WrongTeacherPassword] * 15 + [TooManyAttempts]
    assert teachers.sign_in("right one", "teacher", "10.0.0.2")
    clock.now += 61
    assert teachers.sign_in("right one", "s", "10.0.0.1")


def test_tokens_are_bounded_and_never_alike(clock: Clock) -> None:
    teachers = Teachers("right one", clock)
    tokens = [teachers.sign_in("right one", f"s{number}", "") for number in range(MAX_TEACHERS + 5)]
    assert len(set(tokens)) == len(tokens)
    assert [teachers.is_teacher(token) for token in tokens] == [False] * 5 + [True] * MAX_TEACHERS

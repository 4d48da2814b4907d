"""Polls in a class: the teacher asks, students answer on any page, nothing is told before the reveal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.classroom.polls import Poll
from playground.core.classroom.preferences import preferences
from playground.core.files.table import csv_bytes
from playground.core.heads import kl_bits
from playground.core.interventions import Intervention
from playground.core.tables import polls as frames
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.ui import room, state
from playground.ui.classroom import poll
from playground.ui.hidden_answers import answers
from playground.ui.polls import polls
from playground.ui.text import plain
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import run_script
from tests.pages.test_classroom import TEXT, _own_class, joined, keys, opened, press, signed_in

__all__ = ["_own_class"]  # a fixture
HOSTILE = "<b>x</b> $x$ [a](http://b) :red[y]"


@pytest.fixture(autouse=True)
def _own_polls(_own_class: None) -> Iterator[None]:
    """Each class has polls of its own."""
    for one in (polls, answers):
        one.cache_clear()
    yield
    for one in (polls, answers):
        one.cache_clear()


def asking(open_app: OpenApp, kind: str = "next") -> AppTest:
    """A teacher whose class has begun, with the panel of one kind of poll open."""
    app = press(signed_in(open_app), "class_begin")
    for key, value in (("class_panel", "poll"), ("class_poll", kind)):
        app.session_state[key] = app.session_state[f"{key}_ours"] = value
    return opened(app.run())


def options(app: AppTest) -> list[str]:
    return [
        one.label for one in app.button if str(one.key).startswith("poll_") and str(one.key)[-1].isdigit()
    ]


def texts(app: AppTest) -> str:
    return " ".join(one.value for one in (*app.markdown, *app.caption))


def test_a_poll_on_the_next_token_from_the_question_to_the_file(
    open_app: OpenApp, engine: LocalEngine
) -> None:
    teacher = press(asking(open_app), "poll_open")
    asked = polls().current()
    assert asked is not None
    ids = engine.tokenizers.tokenize(tiny.LLAMA, TEXT, add_special_tokens=True).input_ids
    logits = engine.trace(TraceRequest(tiny.LLAMA, input_ids=ids, capture=Capture(logits="last"))).logits
    assert logits is not None
    probs = np.exp(logits[-1].astype(float)) / np.exp(logits[-1].astype(float)).sum()
    assert sorted(asked.poll.measures, reverse=True) == pytest.approx(np.sort(probs)[::-1][:4], rel=1e-5)
    assert asked.poll.right == int(np.argmax(asked.poll.measures))
    assert list(asked.poll.options) == sorted(asked.poll.options)

    students = [joined(open_app, name) for name in ("=1+1", "Jun")]
    late = joined(open_app, "Mina", "attention")
    for student in (*students, late):
        assert options(student) == [plain(option) for option in asked.poll.options]
    press(students[0], f"poll_{asked.number}_1")
    press(students[1], f"poll_{asked.number}_1")
    press(students[1], f"poll_{asked.number}_0")
    assert polls().current().votes == (("=1+1", 1), ("Jun", 0))  # type: ignore[union-attr]
    assert not any("%" in one.value for one in students[0].markdown if "chose" in one.value)
    assert "2 votes of 3" in texts(opened(teacher.run()))
    assert "poll_answers" not in keys(teacher), "its answers are a secret while it is open"

    press(teacher, "poll_reveal")
    shown = opened(students[0].run())
    assert options(shown) == []
    assert "1 of 2" in texts(shown) or "No favourite among 2 votes" in texts(shown)
    assert f"{asked.poll.measures[asked.poll.right]:.1%}".rstrip("%") in texts(shown)
    file = csv_bytes(frames.answers(polls().all())).decode("utf-8-sig")
    assert file.splitlines()[0] == "poll,question,nickname,option,correct"
    assert "'=1+1" in file

    press(teacher, "class_end")
    assert polls().all() == ()
    assert polls().current() is None
    assert opened(late.run()).session_state["class_member"] == "" or options(late) == []


def test_nothing_tells_the_class_the_probabilities_before_the_reveal(open_app: OpenApp) -> None:
    teacher = press(asking(open_app), "poll_open")
    asked = polls().current()
    assert asked is not None
    assert asked.stage == "open"
    assert "%" not in texts(teacher).split("Try this")[0]
    student = joined(open_app, "Jun")
    ballot = polls().ballot(student.session_state["class_member"])
    assert ballot is not None
    assert (ballot.poll.measures, ballot.poll.right, ballot.tally) == ((), None, None)


def test_the_head_of_a_poll_is_the_one_the_model_needs_most(open_app: OpenApp, engine: LocalEngine) -> None:
    teacher = asking(open_app, "head")
    press(teacher, "poll_heads_measure")
    press(opened(teacher.run()), "poll_open")
    asked = polls().current()
    assert asked is not None
    ids = engine.tokenizers.tokenize(tiny.LLAMA, TEXT, add_special_tokens=True).input_ids

    def logits(heads: tuple[tuple[int, int], ...]) -> np.ndarray:
        request = TraceRequest(
            tiny.LLAMA,
            input_ids=ids,
            capture=Capture(logits="last"),
            intervention=Intervention(heads, "zero"),
        )
        found = engine.trace(request).logits
        assert found is not None
        return found[-1]

    info = next(one for one in engine.models() if one.model_id == tiny.LLAMA)
    lost = {
        (layer, head): float(kl_bits(logits(()), logits(((layer, head),))))
        for layer in range(info.n_layer)
        for head in range(info.n_head)
    }
    assert max(asked.poll.measures) == pytest.approx(max(lost.values()), rel=1e-3)
    for option, bits in zip(asked.poll.options, asked.poll.measures, strict=True):
        layer, head = (int(part) - 1 for part in option.split(" ")[0].split("."))
        assert bits == pytest.approx(lost[layer, head], rel=1e-3, abs=1e-9)


def test_two_continuations_are_the_models_own_and_their_votes_are_pairs(open_app: OpenApp) -> None:
    teacher = asking(open_app, "better")
    press(teacher, "poll_write")
    press(opened(teacher.run()), "poll_open")
    asked = polls().current()
    assert asked is not None
    assert asked.poll.text == TEXT
    assert len(set(asked.poll.options)) == 2
    for name in ("Jun", "Mina"):
        press(joined(open_app, name), f"poll_{asked.number}_1")
    press(teacher, "poll_close")
    (pair,) = preferences(polls().all())
    assert (pair.prompt, pair.chosen, pair.votes, pair.votes_against) == (TEXT, asked.poll.options[1], 2, 0)


def test_a_teachers_own_question_is_shown_as_plain_text(open_app: OpenApp) -> None:
    teacher = asking(open_app, "free")
    teacher.text_input(key="poll_question").set_value(HOSTILE)
    opened(teacher.text_area(key="poll_options").set_value(f"{HOSTILE}\nb\n\n").run())
    press(teacher, "poll_open")
    student = joined(open_app, "Jun")
    assert options(student) == [plain(HOSTILE), "b"]
    assert f"**{plain(HOSTILE)}**" in texts(student)


@pytest.mark.parametrize(
    ("lines", "said"), [("a", "two options"), ("a\na", "already"), ("abcdefg", "limit is 6")]
)
def test_options_that_cannot_be_are_refused_by_name(lines: str, said: str, open_app: OpenApp) -> None:
    teacher = asking(open_app, "free")
    teacher.text_input(key="poll_question").set_value("Which?")
    typed = "\n".join(lines) if len(lines) == 7 else lines
    opened(teacher.text_area(key="poll_options").set_value(typed).run())
    assert any(said in one.value for one in teacher.warning)
    assert "poll_open" not in keys(teacher)


def test_only_a_teacher_opens_a_poll_and_only_in_a_class(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: dict[str, str] = {}
    monkeypatch.setattr(room.st, "session_state", said)
    monkeypatch.setattr(state, "language", lambda: "en")
    poll._open(Poll("free", "Which?", ("a", "b")))
    assert polls().current() is None
    assert "teacher" in said[room.SAID]
    monkeypatch.setattr(room, "is_teacher", lambda: True)
    poll._open(Poll("free", "Which?", ("a", "b")))
    assert polls().current() is None


def test_a_student_who_leaves_takes_an_open_vote_along(open_app: OpenApp) -> None:
    press(asking(open_app), "poll_open")
    asked = polls().current()
    assert asked is not None
    student = joined(open_app, "Jun")
    press(student, f"poll_{asked.number}_0")
    press(student, "class_leave")
    assert polls().current().votes == ()  # type: ignore[union-attr]


def test_answers_of_tasks_are_kept_back_from_students_until_they_are_shown(open_app: OpenApp) -> None:
    teacher = press(signed_in(open_app), "class_begin")
    press(teacher, "class_keep")
    student, stranger = (
        joined(open_app, "Jun", "tokenization"),
        opened(open_app("tokenization", lang="en", text=TEXT)),
    )
    key = "task_tokenization_bytes"
    for app, is_told in ((student, False), (stranger, True)):
        opened(app.number_input(key=key).set_value(len(TEXT.encode())).run())
        assert bool(app.success) is is_told
        assert not app.warning
    assert "shows later" in texts(student)
    press(teacher, "class_keep")
    assert opened(student.run()).success, "the answer was kept"


def test_the_code_shown_gives_the_shares_and_intervals_of_the_result(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn: dict[str, str] = {}
    monkeypatch.setattr(poll.show, "under_picture", lambda name, **given: drawn.update({name: given["code"]}))
    teacher = press(asking(open_app), "poll_open")
    asked = polls().current()
    assert asked is not None
    for name, place in (("Jun", 1), ("Mina", 1), ("Seo", 0)):
        press(joined(open_app, name), f"poll_{asked.number}_{place}")
    press(teacher, "poll_reveal")
    values, printed = run_script(drawn["poll"], tmp_path)
    tally = polls().all()[0].tally()
    assert values["votes"] == list(tally.counts)
    assert values["shares"][tally.most[0]] == pytest.approx(tally.share)
    assert values["intervals"][tally.most[0]] == pytest.approx((tally.low, tally.high))
    assert printed.splitlines()[-1] == f"the model's first: {asked.poll.options[asked.poll.right]}"

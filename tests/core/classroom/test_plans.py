"""Lesson plans: minutes that add up, steps with words in both languages, claims without figures."""

from __future__ import annotations

import re

import pytest

from playground import navigation
from playground.core.classroom.plans import LENGTHS, Step, Words, plan, steps_of, words_of
from playground.core.classroom.polls import KINDS, Poll, check
from playground.core.classroom.views import view_of
from playground.core.metrics.bleu import sentence_bleu
from playground.paths import site_root
from playground.settings import Settings
from playground.ui.translations import languages

PLANS = site_root() / "assets" / "plans"
PAGES = [page.name for page in navigation.PAGES if page.name != "classroom"]


def steps(page: str) -> tuple[Step, ...]:
    return steps_of(page, (PLANS / f"{page}.toml").read_text("utf-8"))


def words(page: str, language: str) -> dict[str, Words]:
    return words_of((PLANS / language / f"{page}.md").read_text("utf-8"))


def test_every_page_has_plans_and_no_other_file_lies_there() -> None:
    assert sorted(path.stem for path in PLANS.glob("*.toml")) == sorted(PAGES)
    for language in languages():
        assert sorted(path.stem for path in (PLANS / language).iterdir()) == sorted(PAGES)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("length", LENGTHS)
def test_minutes_add_up(page: str, length: int) -> None:
    chosen = plan(steps(page), length)
    assert sum(minutes for _step, minutes in chosen) == length
    assert all(minutes > 0 for _step, minutes in chosen)
    assert len({step.id for step, _minutes in chosen}) == len(chosen)


@pytest.mark.parametrize("page", PAGES)
def test_a_longer_plan_has_all_steps_of_a_shorter_one(page: str) -> None:
    short, middle, long = ({step.id for step, _minutes in plan(steps(page), n)} for n in LENGTHS)
    assert short < long
    assert middle < long


@pytest.mark.parametrize("page", PAGES)
def test_steps_are_the_same_in_every_language(page: str) -> None:
    order = [step.id for step in steps(page)]
    english, *others = (words(page, language) for language in languages())
    assert list(english) == order
    for other in others:
        assert list(other) == order
        for step in order:
            mine, theirs = english[step], other[step]
            assert len(mine.question.options) == len(theirs.question.options)
            assert mine.question.right == theirs.question.right
            assert bool(mine.expect) == bool(theirs.expect)
            assert mine.do != theirs.do


@pytest.mark.parametrize("page", PAGES)
def test_every_step_says_what_to_do_and_its_poll_can_be_opened(page: str) -> None:
    for language in languages():
        said = words(page, language)
        for step in steps(page):
            assert said[step.id].do
            question = said[step.id].question
            assert question.text
            assert not (step.poll and question.options), "one poll a step"
            if question.options:
                check(Poll("free", question.text, question.options, right=question.right), Settings())
            assert step.poll in (None, *KINDS[:-1])
            assert step.poll is None or dict(step.view.params).get("text"), "the model is asked about a text"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_is_one_that_the_class_can_be_sent_to(page: str) -> None:
    for step in steps(page):
        assert view_of(step.view.link) == step.view


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_to_expect_makes_no_claim_in_figures(page: str, language: str) -> None:
    """A figure of the model would have to be measured here; dates, layer 0 and 0 % are none."""
    for each in words(page, language).values():
        figures = re.findall(r"\d+(?:[.,]\d+)?", each.expect)
        assert set(figures) <= {"0", "1", "2", "9"}, each.expect


def test_the_single_word_of_the_plan_of_evaluation_has_a_bleu_near_0() -> None:
    step = next(step for step in steps("evaluation") if step.id == "bleu")
    question = words("evaluation", "en")["bleu"].question
    assert question.options[question.right or 0] == "near 0"
    candidate = dict(step.view.params)["ev_candidate"]
    found = sentence_bleu(candidate, ["The cat sat on the mat by the door."])
    assert found.score < 1

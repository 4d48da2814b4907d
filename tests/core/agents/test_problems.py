"""The twelve problems: the tools find their answers, in both languages."""

from __future__ import annotations

import pytest

from playground.core.agents.documents import of_language, sentences_of
from playground.core.agents.problems import problems, world_of
from playground.core.agents.prompts import WORKED
from playground.core.agents.tools import Action, use
from playground.core.bm25 import contributions

LANGUAGES = ("en", "ko")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_solution_of_each_problem_solves_it(language: str) -> None:
    asked, world = problems(language), world_of(language)
    assert len(asked) == 12
    for problem in asked:
        seen = [use(Action(tool, words), world) for tool, words in problem.solution]
        assert not any(one.trouble for one in seen), problem
        kinds = {tool for tool, _words in problem.solution}
        assert kinds == {"two": {"search", "calculator"}, "known": set()}.get(problem.kind, {problem.kind})
        assert problem.is_right(seen[-1].text if seen else problem.answers[0]), (problem, seen)


def test_both_languages_have_the_same_problems() -> None:
    en, ko = (problems(language) for language in LANGUAGES)
    assert [(one.problem_id, one.kind) for one in en] == [(one.problem_id, one.kind) for one in ko]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_example_of_a_prompt_is_a_problem(language: str) -> None:
    shown = {one.question for one in WORKED[language]} | {one.answer for one in WORKED[language]}
    for problem in problems(language):
        assert problem.question not in shown
        assert not shown & set(problem.answers)


def test_found_sentences_are_in_the_order_of_their_scores() -> None:
    documents = of_language("en")
    found = documents.find("observatory cat")
    scores = [
        sum(contributions("observatory cat", text, documents.counts).values()) for text in documents.texts
    ]
    assert [scores[documents.texts.index(text)] for text in found] == sorted(scores, reverse=True)[
        : len(found)
    ]


def test_nothing_is_found_where_nothing_fits() -> None:
    assert sentences_of("Ann cooks.").find("xyzxyz") == []
    assert not any(text.startswith("#") for text in of_language("ko").texts)

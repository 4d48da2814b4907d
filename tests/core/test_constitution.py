"""Constitutional AI: the words of both languages, the conversations, and the pairs they give."""

from __future__ import annotations

import string

import pytest

from playground.core.constitution import (
    CHOICES,
    checked_rule,
    choices,
    constitution,
    critique_messages,
    pair_of,
    prefers_revision,
    revision_messages,
)
from playground.core.preferences.shipped import shipped_pairs
from playground.core.scripts import script_of
from playground.errors import BadValue

LANGUAGES = ("en", "ko")


def fields(template: str) -> set[str]:
    return {
        name for _text, name, _spec, _conversion in string.Formatter().parse(template) if name is not None
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_have_their_places_and_rules_their_attacks(language: str) -> None:
    words = constitution(language)
    assert fields(words.critique) == fields(words.revision) == {"rule"}
    assert fields(words.choice) == {"rule", "prompt", "a", "b"}
    assert all(letter in words.choice for letter in CHOICES)
    attacks = [attack for rule in words.rules for attack in rule.attacks]
    assert len(words.rules) == 4
    assert len(set(attacks)) == len(attacks) == 16
    assert not {one.prompt for one in shipped_pairs(language)} & set(attacks)
    for text in (*attacks, *(checked_rule(one.rule) for one in words.rules)):
        assert script_of(text) == {"en": "LATIN", "ko": "HANGUL"}[language], text
        assert text[-1] in ".?", text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_conversation_goes_on_and_braces_of_a_reader_are_text(language: str) -> None:
    words, rule = constitution(language), "Write {nothing} in braces."
    asked = critique_messages(words, rule, "{attack}", "{answer}")
    again = revision_messages(words, rule, "{attack}", "{answer}", "{critique}")
    assert again[:3] == asked
    assert [role for role, _content in again] == ["user", "assistant", "user", "assistant", "user"]
    assert rule in asked[-1][1]
    assert rule in again[-1][1]
    for question, (a, b) in zip(
        choices(words, rule, "{attack}", "one.", "other."),
        (("one.", "other."), ("other.", "one.")),
        strict=True,
    ):
        assert question.index(a) < question.index(b)
        assert "{attack}" in question


def test_a_preference_for_a_letter_cancels_out() -> None:
    assert prefers_revision((-0.1, -3.0), (-0.1, -3.0)) == 0
    assert prefers_revision((-3.0, -0.1), (-0.1, -3.0)) == pytest.approx(2.9)
    assert prefers_revision((-0.1, -3.0), (-3.0, -0.1)) == pytest.approx(-2.9)


@pytest.mark.parametrize(
    ("answer", "revision"), [("a", "a "), ("", "a"), ("a", " "), ("한", "\u1112\u1161\u11ab")]
)
def test_what_is_no_revision_gives_no_pair(answer: str, revision: str) -> None:
    assert pair_of("x", answer, revision) is None


@pytest.mark.parametrize("rule", ["", " \n ", "x" * 201])
def test_a_rule_that_cannot_be_is_refused(rule: str) -> None:
    with pytest.raises(BadValue, match="a sentence of 1 to 200 characters"):
        checked_rule(rule)

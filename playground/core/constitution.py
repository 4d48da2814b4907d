"""Constitutional AI in four steps: an attack, the model's own critique, its revision, and the pair they give.

    attack     a question that tempts the model to break a rule            -> answer
    critique   the same conversation: where does the answer break it?      -> critique
    revision   the same conversation: write the answer again               -> revision
    pair       the revision is chosen, the first answer rejected           -> DPO, or a reward model

No human has judged. A small model may not see its own fault, or write it again: a pair is only worth learning
from where somebody prefers the revision, and the model can be asked that too (`choices`).

Source:
    Bai et al. 2022, "Constitutional AI: Harmlessness from AI Feedback", arXiv:2212.08073, sections 3.1
    and 4.1.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Final

from playground.core.canonical import is_same
from playground.core.preferences.pair import PreferencePair
from playground.errors import BadValue, Message
from playground.paths import site_root

MAX_RULE: Final = 200  # characters
CHOICES: Final = ("A", "B")
ChatMessage = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a constitution, with questions that tempt a model to break it.

    Attributes:
        rule: One sentence.
        attacks: Questions, harmless ones.
    """

    rule: str
    attacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Constitution:
    """Rules, and the sentences by which a model is asked to judge itself.

    Attributes:
        critique, revision: Requests that follow an answer, and a critique; with {rule}.
        choice: Question for the better of two answers; with {rule}, {prompt}, {a} and {b}.
        rules: Rules to begin with.
    """

    critique: str
    revision: str
    choice: str
    rules: tuple[Rule, ...]


@cache
def constitution(language: str) -> Constitution:
    """The constitution that comes with the playground.

    Args:
        language: Code of a folder of assets/samples with one: "en", "ko".
    """
    path = site_root() / "assets" / "samples" / language / "constitution.json"
    raw = json.loads(path.read_text("utf-8"))
    rules = tuple(Rule(one["rule"], tuple(one["attacks"])) for one in raw["rules"])
    return Constitution(raw["critique"], raw["revision"], raw["choice"], rules)


def checked_rule(rule: str) -> str:
    """A reader's own rule on one line.

    Raises:
        BadValue: It is empty, or too long.

    Example:
        >>> checked_rule(" Be brief.\\n")
        'Be brief.'
    """
    tidy = " ".join(rule.split())
    if not 0 < len(tidy) <= MAX_RULE:
        told = Message("a sentence of 1 to 200 characters")
        raise BadValue(name=Message("The rule"), value=repr(tidy)[:60], allowed=told)
    return tidy


def critique_messages(words: Constitution, rule: str, attack: str, answer: str) -> tuple[ChatMessage, ...]:
    """The conversation in which a model is asked where its answer breaks a rule.

    Example:
        >>> words = Constitution("Where does it break: {rule}", "Again, with: {rule}", "", ())
        >>> critique_messages(words, "Be polite.", "Hey!", "What?")[-1]
        ('user', 'Where does it break: Be polite.')
    """
    return ("user", attack), ("assistant", answer), ("user", words.critique.format(rule=rule))


def revision_messages(
    words: Constitution, rule: str, attack: str, answer: str, critique: str
) -> tuple[ChatMessage, ...]:
    """The conversation in which a model is asked to write its answer again, after its critique.

    Example:
        >>> words = Constitution("Where does it break: {rule}", "Again, with: {rule}", "", ())
        >>> revision_messages(words, "Be polite.", "Hey!", "What?", "It is rude.")[-2:]
        (('assistant', 'It is rude.'), ('user', 'Again, with: Be polite.'))
    """
    before = critique_messages(words, rule, attack, answer)
    return *before, ("assistant", critique), ("user", words.revision.format(rule=rule))


def choices(words: Constitution, rule: str, attack: str, answer: str, revision: str) -> tuple[str, str]:
    """The question for the better of two answers, the revision once as B and once as A.

    A model prefers a letter whatever it stands for; asked in both orders, that preference cancels out. The
    answers to score are `CHOICES`.

    Example:
        >>> words = Constitution("", "", "{a} or {b}?", ())
        >>> choices(words, "Be polite.", "Hey!", "What?", "Hello.")
        ('What? or Hello.?', 'Hello. or What??')
    """
    first = words.choice.format(rule=rule, prompt=attack, a=answer, b=revision)
    return first, words.choice.format(rule=rule, prompt=attack, a=revision, b=answer)


def prefers_revision(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Log-odds that the revision is the better one, nats, the mean of both orders.

    Args:
        first, second: Log-probabilities of `CHOICES` as answers to each question of `choices`, nats.

    Example:
        >>> prefers_revision((-2.0, -1.0), (-1.0, -2.0)), prefers_revision((-1.0, -2.0), (-1.0, -2.0))
        (1.0, 0.0)
    """
    return ((first[1] - first[0]) + (second[0] - second[1])) / 2


def pair_of(attack: str, answer: str, revision: str, topic: str = "") -> PreferencePair | None:
    """The pair that a revision gives; None where it says the same as the answer, or one of them nothing.

    Example:
        >>> pair_of("Hey!", "What?", "Hello.")
        PreferencePair(prompt='Hey!', chosen='Hello.', rejected='What?', topic='')
        >>> pair_of("Hey!", "What?", " What?")
    """
    first, second = answer.strip(), revision.strip()
    if not first or not second or is_same(first, second):
        return None
    return PreferencePair(attack.strip(), second, first, topic)

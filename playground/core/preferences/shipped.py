"""The preference pairs that come with the playground."""

from __future__ import annotations

from functools import cache
from typing import Final

from playground.core.files.preference_rows import read_preferences
from playground.core.preferences.pair import PreferencePair
from playground.paths import site_root

TOPICS: Final = ("polite", "short", "answer")
"""Topics of the pairs: polite or rude, short or long, answered or refused."""


@cache
def shipped_pairs(language: str) -> tuple[PreferencePair, ...]:
    """All pairs in a language, topic by topic.

    Args:
        language: Code of a folder of assets/samples with pairs: "en", "ko".
    """
    path = site_root() / "assets" / "samples" / language / "preferences.jsonl"
    return read_preferences(path.name, path.read_bytes()).pairs


def pairs_on(topic: str, language: str) -> tuple[PreferencePair, ...]:
    """The pairs on a topic in a language.

    Args:
        topic: One of `TOPICS`.
        language: As of `shipped_pairs`.
    """
    return tuple(one for one in shipped_pairs(language) if one.topic == topic)
